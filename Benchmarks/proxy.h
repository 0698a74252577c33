// SPDX-License-Identifier: Apache-2.0
//
// One Envoy, as the ADS server sees it: a connection, a stream, subscriptions, acknowledgements.
#ifndef PROXY_H
#define PROXY_H

#include <netinet/in.h>
#include <stdbool.h>

#include "wire.h"

enum type { CDS, EDS, LDS, RDS, ECDS, TYPES };
extern const char *const type_names[TYPES];

/// The resource names that a proxy asks for; none means all, as for clusters and listeners.
struct names {
  char **at;
  unsigned count;
  struct bytes encoded;  // `resource_names` of a DiscoveryRequest, ready to append
};

/// What all proxies of a run have in common, and what they count together; `bytes` are of DATA.
struct load {
  struct sockaddr_in server;
  const char *cluster, *namespace, *labels;  // labels: `key=value,…`
  uint32_t window;                           // of a stream, and of its connection
  uint8_t first_types;                       // bit set of `enum type`, asked at once
  struct names names[TYPES];
  char accepted[TYPES][96];  // the version that a proxy which rejects goes on with
  int poller;

  uint64_t bytes, responses, rejections, last_byte_at;
  unsigned connected, waiting, failed, served;
  bool is_pushing;
};

/// A short field of a response.
struct text {
  char at[96];
  uint8_t count;
};

struct proxy {
  struct load *load;
  unsigned index;
  int socket;
  bool is_connected, has_failed, rejects, waits_to_write;
  uint8_t asked, unanswered;  // bit sets of `enum type`
  uint64_t answered_at;       // nanoseconds; the last response of this push, 0 before the first

  // Writing. `body` waits for the windows, `frames` for the socket.
  struct bytes body, frames;
  int64_t connection_window, stream_window, initial_window;

  // Reading: frame, gRPC message, field of a DiscoveryResponse.
  uint8_t head[FRAME_HEAD], head_count, control[64], control_count;
  uint32_t frame_left, message_left, field_left, unreturned;
  uint8_t prefix[GRPC_PREFIX], prefix_count, shift;
  uint64_t varint, tag;
  struct text version, url, nonce;
  struct bytes kept;  // the scout's message
};

uint64_t now(void);

/// Starts to connect, from a source address that leaves ports to all (25,000 to each 127.0.0.x).
void proxy_connect(struct proxy *one, struct load *load, unsigned index);

/// Answers an event of epoll.
void proxy_handle(struct proxy *one, uint32_t events);

void names_add(struct names *to, const char *name, size_t count);

/// Adds what a response about clusters or listeners refers to: EDS, RDS and ECDS names.
void names_learn(struct names *names, enum type type, const struct bytes *response);

#endif
