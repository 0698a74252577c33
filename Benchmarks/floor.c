// SPDX-License-Identifier: Apache-2.0
//
// The floor under every figure: no server, only what the kernel charges for the same bytes on the
// same number of sockets. One ECDS response is framed once per version and written to each socket;
// what arrives is walked frame by frame and otherwise ignored. SIGUSR1 makes the next version.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define ECDS TYPE_PREFIX "envoy.config.core.v3.TypedExtensionConfig"
#define STRING_VALUE TYPE_PREFIX "google.protobuf.StringValue"

/// One version, ready for the wire, freed with its last reader.
struct push {
  struct bytes frames;
  unsigned readers;
};

struct connection {
  int socket;
  bool subscribed;       // its first DATA frame has come
  bool waits_to_write;   // the socket was full
  uint32_t preface;      // bytes of the client's preface still to come
  uint32_t skip;         // bytes of the current frame's payload still to come
  uint8_t head[FRAME_HEAD], head_count;
  struct push *pending;  // half written; a push that meets one is skipped, as by a real server
  size_t written;
  struct connection *next, *previous;
};

static int poller;
static unsigned resources = 10, size = 100, version = 0;
static struct push *current;
static struct bytes greeting, opening;  // what a connection and its stream begin with
static struct connection connections = {.next = &connections, .previous = &connections};

static void forget(struct push *push) {
  if (--push->readers > 0) return;
  release(&push->frames);
  free(push);
}

/// A TypedExtensionConfig named `ext-N` around a StringValue, inside an Any.
static struct bytes resource(unsigned index) {
  char name[32], *text = malloc(size + 64);
  int written = sprintf(text, "version %u of resource %u ", version, index);
  for (; written < (int)size; written++) text[written] = 'x';
  text[written] = 0;
  snprintf(name, sizeof name, "ext-%u", index);

  struct bytes value = {0}, config = {0}, extension = {0}, any = {0};
  append_text_field(&value, 1, text);
  append_text_field(&config, 1, STRING_VALUE);
  append_message(&config, 2, &value);
  append_text_field(&extension, 1, name);
  append_message(&extension, 2, &config);
  append_text_field(&any, 1, ECDS);
  append_message(&any, 2, &extension);
  free(text);
  return any;
}

static void make_version(void) {
  char number[16];
  snprintf(number, sizeof number, "%u", ++version);
  struct bytes response = {0}, message = {0};
  append_text_field(&response, 5, number);
  append_text_field(&response, 1, number);
  append_text_field(&response, 4, ECDS);
  for (unsigned index = 0; index < resources; index++) {
    struct bytes any = resource(index);
    append_message(&response, 2, &any);
  }
  append_grpc_message(&message, &response);
  release(&response);

  if (current) forget(current);
  current = calloc(1, sizeof *current);
  current->readers = 1;
  for (size_t sent = 0; sent < message.count;) {
    size_t part = message.count - sent < FRAME_LARGEST ? message.count - sent : FRAME_LARGEST;
    append_frame(&current->frames, FRAME_DATA, 0, 1, message.at + sent, part);
    sent += part;
  }
  release(&message);
}

/// The server's half of the handshake, and the response headers of stream 1.
static void make_openings(void) {
  const uint8_t status_200 = 0x88;  // static table entry 8 (RFC 7541, appendix A)
  struct bytes headers = {0};
  append(&headers, &status_200, 1);
  append_header(&headers, "content-type", "application/grpc");
  append_windows(&greeting, INT32_MAX);
  append_frame(&greeting, FRAME_SETTINGS, FLAG_ACK, 0, NULL, 0);
  append_frame(&opening, FRAME_HEADERS, FLAG_END_HEADERS, 1, headers.at, headers.count);
  release(&headers);
}

static void watch(struct connection *of, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = of};
  epoll_ctl(poller, EPOLL_CTL_MOD, of->socket, &event);
}

static void write_pending(struct connection *to) {
  const struct bytes *frames = &to->pending->frames;
  ssize_t count = send(
      to->socket, frames->at + to->written, frames->count - to->written, MSG_NOSIGNAL);
  if (count > 0) to->written += count;
  const bool is_done = to->written == frames->count;
  if (is_done == to->waits_to_write) {
    to->waits_to_write = !is_done;
    watch(to, is_done ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }
  if (!is_done) return;
  forget(to->pending);
  to->pending = NULL;
}

static void push(struct connection *to) {
  if (to->pending) return;
  to->pending = current;
  current->readers++;
  to->written = 0;
  write_pending(to);
}

static void close_connection(struct connection *one) {
  close(one->socket);
  if (one->pending) forget(one->pending);
  one->next->previous = one->previous;
  one->previous->next = one->next;
  free(one);
}

static void receive(struct connection *from) {
  static uint8_t buffer[65536];
  const ssize_t count = recv(from->socket, buffer, sizeof buffer, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close_connection(from);
  for (size_t at = 0; at < (size_t)count;) {
    const size_t left = count - at;
    uint32_t *skip = from->preface ? &from->preface : &from->skip;
    if (*skip) {
      const size_t part = *skip < left ? *skip : left;
      *skip -= part;
      at += part;
      continue;
    }
    from->head[from->head_count++] = buffer[at++];
    if (from->head_count < FRAME_HEAD) continue;
    from->head_count = 0;
    from->skip = frame_length(from->head);
    if (from->head[3] == FRAME_SETTINGS && !(from->head[4] & FLAG_ACK)) {
      if (send(from->socket, greeting.at, greeting.count, MSG_NOSIGNAL) < 0) return;
    }
    if (from->head[3] == FRAME_DATA && !from->subscribed) {
      from->subscribed = true;
      if (send(from->socket, opening.at, opening.count, MSG_NOSIGNAL) < 0) return;
      push(from);
    }
  }
}

static void accept_all(int listener) {
  int socket, on = 1;
  while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *one = calloc(1, sizeof *one);
    if (!one) die("floor: out of memory");
    one->socket = socket;
    one->preface = sizeof PREFACE - 1;
    one->next = connections.next;
    one->previous = &connections;
    connections.next->previous = one;
    connections.next = one;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
  }
}

static int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener, (void *)&address, length) || listen(listener, 4096)) die("floor: %m");
  getsockname(listener, (void *)&address, &length);
  printf("floor ready grpc=127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static const char usage[] =
    "usage: floor [--port 0] [--resources 10] [--size 100]\n\n"
    "Serves that many ECDS resources of that many bytes; SIGUSR1 pushes a new version.\n";

int main(int count, char **arguments) {
  const struct option options[] = {
      {"port", 1, 0, 'p'}, {"resources", 1, 0, 'r'}, {"size", 1, 0, 's'}, {"help", 0, 0, 'h'}, {0},
  };
  int port = 0;
  for (int option; (option = getopt_long(count, arguments, "h", options, NULL)) != -1;) {
    switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'r': resources = atoi(optarg); break;
      case 's': size = atoi(optarg); break;
      case 'h': return fputs(usage, stdout) < 0;
      default: return fputs(usage, stderr), 64;
    }
  }
  allow_many_files();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  const int pushes = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  make_version();
  make_openings();
  poller = epoll_create1(EPOLL_CLOEXEC);
  const int listener = listen_on(port);
  // Two of the events are no connections; their addresses tell them apart.
  struct connection is_listener, is_push;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &is_listener}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  event.data.ptr = &is_push;
  epoll_ctl(poller, EPOLL_CTL_ADD, pushes, &event);

  for (;;) {
    const int ready = epoll_wait(poller, events, 256, -1);
    for (int index = 0; index < ready; index++) {
      struct connection *one = events[index].data.ptr;
      struct signalfd_siginfo signal;
      if (one == &is_listener) {
        accept_all(listener);
      } else if (one == &is_push) {
        while (read(pushes, &signal, sizeof signal) == sizeof signal) make_version();
        for (one = connections.next; one != &connections; one = one->next) {
          if (one->subscribed) push(one);
        }
      } else if (events[index].events & EPOLLIN) {
        receive(one);  // what is to be written gets its turn in the next round
      } else if (one->pending) {
        write_pending(one);
      } else {
        close_connection(one);
      }
    }
  }
}
