// SPDX-License-Identifier: Apache-2.0
//
// HTTP/2, gRPC and the state-of-the-world protocol, as far as a client of one stream needs them.
// A response is not kept: type, version and nonce are read as they pass by, and acknowledged.
#define _GNU_SOURCE
#include "proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define ADS "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"

const char *const type_names[TYPES] = {"cds", "eds", "lds", "rds", "ecds"};
static const char *const type_urls[TYPES] = {
    TYPE_PREFIX "envoy.config.cluster.v3.Cluster",
    TYPE_PREFIX "envoy.config.endpoint.v3.ClusterLoadAssignment",
    TYPE_PREFIX "envoy.config.listener.v3.Listener",
    TYPE_PREFIX "envoy.config.route.v3.RouteConfiguration",
    TYPE_PREFIX "envoy.config.core.v3.TypedExtensionConfig",
};

uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void fail(struct proxy *one, const char *reason) {
  if (one->has_failed) return;
  one->has_failed = true;
  if (one->load->failed++ < 3) fprintf(stderr, "xdsload: proxy %u: %s\n", one->index, reason);
  close(one->socket);
  release(&one->body);
  release(&one->frames);
}

// Writing

static void watch(struct proxy *one, bool writes) {
  if (one->waits_to_write == writes) return;
  one->waits_to_write = writes;
  struct epoll_event event = {.events = writes ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = one};
  epoll_ctl(one->load->poller, EPOLL_CTL_MOD, one->socket, &event);
}

/// Frames what the windows allow and writes what the socket takes.
static void flush(struct proxy *one) {
  while (one->body.count) {
    size_t part = one->body.count < FRAME_LARGEST ? one->body.count : FRAME_LARGEST;
    const int64_t window = one->connection_window < one->stream_window ? one->connection_window
                                                                       : one->stream_window;
    if (window <= 0) break;
    if ((int64_t)part > window) part = window;
    append_frame(&one->frames, FRAME_DATA, 0, 1, one->body.at, part);
    drop(&one->body, part);
    one->connection_window -= part;
    one->stream_window -= part;
  }
  while (one->frames.count) {
    const ssize_t count = send(one->socket, one->frames.at, one->frames.count, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return fail(one, strerror(errno));
    if (count < 0) break;
    drop(&one->frames, count);
  }
  watch(one, one->frames.count > 0);
}

/// An entry of a google.protobuf.Struct.
static void append_entry(struct bytes *to, const char *key, unsigned kind, struct bytes *content) {
  struct bytes entry = {0}, value = {0};
  append_message(&value, kind, content);
  append_text_field(&entry, 1, key);
  append_message(&entry, 2, &value);
  append_message(to, 1, &entry);
}

static void append_text_entry(struct bytes *to, const char *key, const char *value) {
  struct bytes content = {0};
  append_text(&content, value);
  append_entry(to, key, 3, &content);
}

static void append_node(struct bytes *to, const struct proxy *one) {
  const struct load *load = one->load;
  const unsigned at = one->index + 1;
  char id[256];
  snprintf(id, sizeof id, "router~10.%u.%u.%u~gw-%u.%s~%s.svc.cluster.local", at >> 16 & 255,
      at >> 8 & 255, at & 255, one->index, load->namespace, load->namespace);
  struct bytes node = {0}, metadata = {0}, labels = {0};
  char *pairs = strdup(load->labels), *rest = pairs, *pair;
  while ((pair = strsep(&rest, ",")) && *pair) {
    char *value = pair, *key = strsep(&value, "=");
    append_text_entry(&labels, key, value ? value : "");
  }
  free(pairs);
  append_text_entry(&metadata, "NAMESPACE", load->namespace);
  append_text_entry(&metadata, "CLUSTER_ID", "Kubernetes");
  append_text_entry(&metadata, "ISTIO_VERSION", "1.28.0");
  append_entry(&metadata, "LABELS", 5, &labels);
  append_text_field(&node, 1, id);
  append_text_field(&node, 2, load->cluster);
  append_message(&node, 3, &metadata);
  append_text_field(&node, 6, "envoy");
  append_message(to, 2, &node);
}

/// A DiscoveryRequest: a subscription, an acknowledgement with a nonce, a rejection with an error.
static void request(
    struct proxy *one, enum type type, const char *version, const char *nonce, const char *error) {
  struct bytes message = {0}, detail = {0};
  if (*version) append_text_field(&message, 1, version);
  if (!one->asked) append_node(&message, one);  // Envoy sends it once a stream
  append(&message, one->load->names[type].encoded.at, one->load->names[type].encoded.count);
  append_text_field(&message, 4, type_urls[type]);
  if (nonce) append_text_field(&message, 5, nonce);
  if (error) {
    const uint8_t invalid_argument[2] = {1 << 3, 3};
    append(&detail, invalid_argument, sizeof invalid_argument);
    append_text_field(&detail, 2, error);
    append_message(&message, 6, &detail);
  }
  append_grpc_message(&one->body, &message);
  release(&message);
  one->asked |= 1 << type;
}

static void subscribe(struct proxy *one, enum type type) {
  if (one->asked & 1 << type) return;
  request(one, type, "", NULL, NULL);
  if (!one->unanswered) one->load->waiting++;
  one->unanswered |= 1 << type;
}

static void open_stream(struct proxy *one) {
  struct bytes headers = {0};
  append_header(&headers, ":method", "POST");
  append_header(&headers, ":scheme", "http");
  append_header(&headers, ":path", ADS);
  append_header(&headers, ":authority", "skiff");
  append_header(&headers, "te", "trailers");
  append_header(&headers, "content-type", "application/grpc");
  append_text(&one->frames, PREFACE);
  append_windows(&one->frames, one->load->window);
  append_frame(&one->frames, FRAME_HEADERS, FLAG_END_HEADERS, 1, headers.at, headers.count);
  release(&headers);
  for (enum type type = 0; type < TYPES; type++) {
    if (one->load->first_types & 1 << type) subscribe(one, type);
  }
  one->is_connected = true;
  one->load->connected++;
  flush(one);
}

// Reading

static void response_ended(struct proxy *one) {
  struct load *load = one->load;
  enum type type = 0;
  while (type < TYPES && strcmp(type_urls[type], one->url.at)) type++;
  if (type == TYPES || !one->nonce.count) return fail(one, "a response without its type or nonce");
  const bool is_scout = one->index == 0;
  if (is_scout) {
    names_learn(load->names, type, &one->kept);
    release(&one->kept);
  }
  load->responses++;
  if (load->is_pushing) {
    if (!one->answered_at) load->served++;
    one->answered_at = now();
  }
  if (one->rejects && load->is_pushing) {
    load->rejections++;
    request(one, type, load->accepted[type], one->nonce.at, "rejected by the load client");
  } else {
    if (is_scout) strcpy(load->accepted[type], one->version.at);
    request(one, type, one->version.at, one->nonce.at, NULL);
  }
  // Envoy asks for what clusters and listeners refer to when it has them.
  if (type == CDS && load->names[EDS].count) subscribe(one, EDS);
  if (type == LDS && load->names[RDS].count) subscribe(one, RDS);
  if (type == LDS && load->names[ECDS].count) subscribe(one, ECDS);
  if (one->unanswered & 1 << type) {
    one->unanswered &= ~(1 << type);
    if (!one->unanswered) load->waiting--;
  }
}

static void capture(struct proxy *one, const uint8_t *at, size_t count) {
  struct text *text = NULL;
  switch (one->tag >> 3) {
    case 1: text = &one->version; break;
    case 4: text = &one->url; break;
    case 5: text = &one->nonce; break;
    default: return;
  }
  if (text->count + count >= sizeof text->at) return fail(one, "a version or nonce beyond 95 bytes");
  memcpy(text->at + text->count, at, count);
  text->count += count;
  text->at[text->count] = 0;
}

/// Walks over a part of a DiscoveryResponse, wherever it was cut.
static void read_fields(struct proxy *one, const uint8_t *at, size_t count) {
  while (count && !one->has_failed) {
    if (one->field_left) {
      const size_t part = one->field_left < count ? one->field_left : count;
      capture(one, at, part);
      one->field_left -= part;
      if (!one->field_left) one->tag = 0;
      at += part;
      count -= part;
      continue;
    }
    one->varint |= (uint64_t)(*at & 0x7f) << one->shift;
    one->shift += 7;
    count--;
    if (*at++ & 0x80) continue;
    const uint64_t value = one->varint;
    one->varint = one->shift = 0;
    if (!one->tag) {
      one->tag = value;
      if ((value & 7) != 0 && (value & 7) != 2) fail(one, "a response with an unknown field");
    } else {
      if ((one->tag & 7) == 2) one->field_left = value;
      if (!one->field_left) one->tag = 0;
    }
  }
}

static void read_messages(struct proxy *one, const uint8_t *at, size_t count) {
  while (count && !one->has_failed) {
    if (one->prefix_count < GRPC_PREFIX) {
      one->prefix[one->prefix_count++] = *at++;
      count--;
      if (one->prefix_count < GRPC_PREFIX) continue;
      if (one->prefix[0]) return fail(one, "a compressed message");
      one->message_left = read_u32(one->prefix + 1);
      one->version = one->url = one->nonce = (struct text){0};
    }
    const size_t part = one->message_left < count ? one->message_left : count;
    read_fields(one, at, part);
    if (one->index == 0) append(&one->kept, at, part);
    one->message_left -= part;
    at += part;
    count -= part;
    if (one->message_left || one->has_failed) continue;
    one->prefix_count = 0;
    response_ended(one);
  }
}

static void read_settings(struct proxy *one) {
  if (one->head[4] & FLAG_ACK) return;
  for (unsigned at = 0; at + 6 <= one->control_count; at += 6) {
    if (one->control[at] || one->control[at + 1] != SETTING_INITIAL_WINDOW_SIZE) continue;
    const int64_t size = read_u32(one->control + at + 2);
    one->stream_window += size - one->initial_window;
    one->initial_window = size;
  }
  append_frame(&one->frames, FRAME_SETTINGS, FLAG_ACK, 0, NULL, 0);
}

/// A frame has come to its end; those of DATA were read on their way.
static void frame_ended(struct proxy *one) {
  const uint32_t stream = read_u32(one->head + 5);
  switch (one->head[3]) {
    case FRAME_DATA:
    case FRAME_HEADERS:
      if (one->head[4] & FLAG_END_STREAM) fail(one, "the server ended the stream");
      break;
    case FRAME_RST_STREAM: fail(one, "the server reset the stream"); break;
    case FRAME_GOAWAY: fail(one, "the server said GOAWAY"); break;
    case FRAME_SETTINGS: read_settings(one); break;
    case FRAME_PING:
      if (one->head[4] & FLAG_ACK) break;
      append_frame(&one->frames, FRAME_PING, FLAG_ACK, 0, one->control, one->control_count);
      break;
    case FRAME_WINDOW_UPDATE:
      *(stream ? &one->stream_window : &one->connection_window) += read_u32(one->control);
      break;
  }
}

/// Gives window back when half of it is used, as HTTP/2 libraries do.
static void return_window(struct proxy *one) {
  if (one->unreturned < one->load->window / 2) return;
  append_window_update(&one->frames, 0, one->unreturned);
  append_window_update(&one->frames, 1, one->unreturned);
  one->unreturned = 0;
}

static void read_frames(struct proxy *one, const uint8_t *at, size_t count) {
  while (count && !one->has_failed) {
    if (one->head_count < FRAME_HEAD) {
      one->head[one->head_count++] = *at++;
      count--;
      if (one->head_count < FRAME_HEAD) continue;
      one->frame_left = frame_length(one->head);
      one->control_count = 0;
      if (one->head[3] == FRAME_DATA && one->head[4] & FLAG_PADDED) return fail(one, "padding");
    }
    const size_t part = one->frame_left < count ? one->frame_left : count;
    if (one->head[3] == FRAME_DATA) {
      read_messages(one, at, part);
      one->unreturned += part;
      one->load->bytes += part;
    } else {
      const size_t room = sizeof one->control - one->control_count;
      memcpy(one->control + one->control_count, at, part < room ? part : room);
      one->control_count += part < room ? part : room;
    }
    one->frame_left -= part;
    at += part;
    count -= part;
    if (one->frame_left) continue;
    one->head_count = 0;
    frame_ended(one);
  }
}

static void receive(struct proxy *one) {
  static uint8_t buffer[262144];
  const ssize_t count = recv(one->socket, buffer, sizeof buffer, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) return fail(one, strerror(errno));
  if (count == 0) return fail(one, "the server closed the connection");
  one->load->last_byte_at = now();
  read_frames(one, buffer, count);
  if (one->has_failed) return;
  return_window(one);
  flush(one);
}

void proxy_handle(struct proxy *one, uint32_t events) {
  if (one->has_failed) return;
  if (!one->is_connected) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(one->socket, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) return fail(one, strerror(error));
    return open_stream(one);
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(one);
  if (!one->has_failed && events & EPOLLOUT) flush(one);
}

void proxy_connect(struct proxy *one, struct load *load, unsigned index) {
  const int on = 1;
  *one = (struct proxy){
      .load = load,
      .index = index,
      .socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
      .connection_window = DEFAULT_WINDOW,
      .stream_window = DEFAULT_WINDOW,
      .initial_window = DEFAULT_WINDOW,
      .waits_to_write = true,
  };
  if (one->socket < 0) die("xdsload: proxy %u: %m (see ulimit -n)", index);
  setsockopt(one->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(one->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index / 25000);
  if (bind(one->socket, (void *)&source, sizeof source)) die("xdsload: bind: %m");
  if (connect(one->socket, (void *)&load->server, sizeof load->server) && errno != EINPROGRESS) {
    die("xdsload: connect: %m");
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = one};
  epoll_ctl(load->poller, EPOLL_CTL_ADD, one->socket, &event);
}
