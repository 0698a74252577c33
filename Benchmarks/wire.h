// SPDX-License-Identifier: Apache-2.0
//
// What both benchmark programs write: protobuf fields, gRPC messages and HTTP/2 frames.
// HTTP/2 is RFC 9113; a gRPC message is five bytes (a flag, its length) and its body.
#ifndef WIRE_H
#define WIRE_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum frame_type {
  FRAME_DATA = 0,
  FRAME_HEADERS = 1,
  FRAME_RST_STREAM = 3,
  FRAME_SETTINGS = 4,
  FRAME_PING = 6,
  FRAME_GOAWAY = 7,
  FRAME_WINDOW_UPDATE = 8,
};

enum {
  FRAME_HEAD = 9,
  FRAME_LARGEST = 16384,  // SETTINGS_MAX_FRAME_SIZE where nobody says otherwise
  FLAG_ACK = 1,           // of SETTINGS and PING
  FLAG_END_STREAM = 1,    // of DATA and HEADERS
  FLAG_END_HEADERS = 4,
  FLAG_PADDED = 8,
  SETTING_INITIAL_WINDOW_SIZE = 4,
  DEFAULT_WINDOW = 65535,
  GRPC_PREFIX = 5,
};

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define TYPE_PREFIX "type.googleapis.com/"

/// A growing run of bytes.
struct bytes {
  uint8_t *at;
  size_t count, capacity;
};

__attribute__((format(printf, 1, 2), noreturn)) static inline void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(2);
}

static inline void append(struct bytes *to, const void *from, size_t count) {
  if (count == 0) return;
  if (to->count + count > to->capacity) {
    to->capacity = (to->count + count) * 2;
    to->at = realloc(to->at, to->capacity);
    if (!to->at) die("out of memory");
  }
  memcpy(to->at + to->count, from, count);
  to->count += count;
}

static inline void append_text(struct bytes *to, const char *text) {
  append(to, text, strlen(text));
}

static inline void release(struct bytes *some) {
  free(some->at);
  *some = (struct bytes){0};
}

/// Removes the first `count` bytes, which have gone out.
static inline void drop(struct bytes *from, size_t count) {
  from->count -= count;
  if (from->count == 0) {
    release(from);
  } else {
    memmove(from->at, from->at + count, from->count);
  }
}

static inline void append_varint(struct bytes *to, uint64_t value) {
  uint8_t byte;
  for (; value >= 0x80; value >>= 7) {
    byte = value | 0x80;
    append(to, &byte, 1);
  }
  byte = value;
  append(to, &byte, 1);
}

/// A length-delimited field of protobuf: text, bytes, a message.
static inline void append_field(
    struct bytes *to, unsigned number, const void *value, size_t count) {
  append_varint(to, number << 3 | 2);
  append_varint(to, count);
  append(to, value, count);
}

static inline void append_text_field(struct bytes *to, unsigned number, const char *text) {
  append_field(to, number, text, strlen(text));
}

/// Moves a message into a field of another one.
static inline void append_message(struct bytes *to, unsigned number, struct bytes *message) {
  append_field(to, number, message->at, message->count);
  release(message);
}

static inline void append_frame(
    struct bytes *to, enum frame_type type, uint8_t flags, uint32_t stream, const void *payload,
    size_t count) {
  const uint8_t head[FRAME_HEAD] = {
      count >> 16, count >> 8, count, type, flags, stream >> 24, stream >> 16, stream >> 8, stream,
  };
  append(to, head, FRAME_HEAD);
  append(to, payload, count);
}

static inline void append_window_update(struct bytes *to, uint32_t stream, uint32_t by) {
  const uint8_t payload[4] = {by >> 24, by >> 16, by >> 8, by};
  append_frame(to, FRAME_WINDOW_UPDATE, 0, stream, payload, sizeof payload);
}

/// SETTINGS with one entry, and the connection's own window raised to the same size.
static inline void append_windows(struct bytes *to, uint32_t size) {
  const uint8_t payload[6] = {
      0, SETTING_INITIAL_WINDOW_SIZE, size >> 24, size >> 16, size >> 8, size,
  };
  append_frame(to, FRAME_SETTINGS, 0, 0, payload, sizeof payload);
  append_window_update(to, 0, size - DEFAULT_WINDOW);
}

/// A header field as a literal without indexing and without Huffman codes (RFC 7541, 6.2.2).
static inline void append_header(struct bytes *to, const char *name, const char *value) {
  const uint8_t literal = 0;
  const uint8_t name_length = strlen(name), value_length = strlen(value);  // below 127 here
  append(to, &literal, 1);
  append(to, &name_length, 1);
  append(to, name, name_length);
  append(to, &value_length, 1);
  append(to, value, value_length);
}

static inline void append_grpc_message(struct bytes *to, const struct bytes *message) {
  const size_t count = message->count;
  const uint8_t prefix[GRPC_PREFIX] = {0, count >> 24, count >> 16, count >> 8, count};
  append(to, prefix, GRPC_PREFIX);
  append(to, message->at, count);
}

static inline uint32_t read_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static inline uint32_t frame_length(const uint8_t *head) {
  return head[0] << 16 | head[1] << 8 | head[2];
}

/// One socket a proxy is far above the usual soft limit.
static inline void allow_many_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

#endif
