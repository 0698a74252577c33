// SPDX-License-Identifier: Apache-2.0
//
// Which EDS, RDS and ECDS resources the clusters and listeners of a response refer to. Field
// numbers are those of envoy/config/{cluster,listener}/v3 and of the HTTP connection manager.
#include "proxy.h"

struct message {
  const uint8_t *at, *end;
};

struct field {
  unsigned number;
  uint64_t value;         // of a varint
  struct message inside;  // of a length-delimited field
};

static uint64_t read_varint(struct message *from) {
  uint64_t value = 0;
  for (unsigned shift = 0; from->at < from->end && shift < 64; shift += 7) {
    const uint8_t byte = *from->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  die("xdsload: a response holds a varint that does not end");
}

static bool next(struct message *from, struct field *field) {
  if (from->at >= from->end) return false;
  const uint64_t tag = read_varint(from);
  uint64_t count = 0;
  *field = (struct field){.number = tag >> 3};
  switch (tag & 7) {
    case 0: field->value = read_varint(from); break;
    case 1: count = 8; break;
    case 2: count = read_varint(from); break;
    case 5: count = 4; break;
    default: die("xdsload: a response holds wire type %u", (unsigned)(tag & 7));
  }
  if (count > (uint64_t)(from->end - from->at)) die("xdsload: a response ends within a field");
  field->inside = (struct message){from->at, from->at + count};
  from->at += count;
  return true;
}

/// The last field of that number, which is the one that counts; empty without one.
static struct message get(struct message from, unsigned number) {
  struct message found = {0};
  for (struct field field; next(&from, &field);) {
    if (field.number == number) found = field.inside;
  }
  return found;
}

static void add(struct names *to, struct message name) {
  if (name.at < name.end) names_add(to, (const char *)name.at, name.end - name.at);
}

void names_add(struct names *to, const char *name, size_t count) {
  for (unsigned index = 0; index < to->count; index++) {
    if (strlen(to->at[index]) == count && memcmp(to->at[index], name, count) == 0) return;
  }
  to->at = realloc(to->at, (to->count + 1) * sizeof *to->at);
  char *copy = strndup(name, count);
  if (!to->at || !copy) die("xdsload: out of memory");
  to->at[to->count++] = copy;
  append_field(&to->encoded, 3, name, count);
}

static void learn_from_cluster(struct names *names, struct message cluster) {
  struct message name = {0}, service = {0}, rest = cluster;
  bool has_endpoints_by_eds = false;
  for (struct field field; next(&rest, &field);) {
    if (field.number == 1) name = field.inside;
    if (field.number == 2) has_endpoints_by_eds = field.value == 3;
    if (field.number == 3) service = get(field.inside, 2);
  }
  if (has_endpoints_by_eds) add(&names[EDS], service.at < service.end ? service : name);
}

static void learn_from_connection_manager(struct names *names, struct message manager) {
  for (struct field field; next(&manager, &field);) {
    if (field.number == 3) add(&names[RDS], get(field.inside, 2));
    if (field.number != 5) continue;
    const struct message discovery = get(field.inside, 5);
    if (discovery.at < discovery.end) add(&names[ECDS], get(field.inside, 1));
  }
}

static void learn_from_listener(struct names *names, struct message listener) {
  static const char manager[] = "http_connection_manager.v3.HttpConnectionManager";
  const size_t length = sizeof manager - 1;
  for (struct field chain; next(&listener, &chain);) {
    if (chain.number != 3 && chain.number != 25) continue;
    for (struct field filter; next(&chain.inside, &filter);) {
      if (filter.number != 3) continue;
      const struct message any = get(filter.inside, 4), url = get(any, 1);
      if ((size_t)(url.end - url.at) < length || memcmp(url.end - length, manager, length)) continue;
      learn_from_connection_manager(names, get(any, 2));
    }
  }
}

void names_learn(struct names *names, enum type type, const struct bytes *response) {
  struct message rest = {response->at, response->at + response->count};
  for (struct field field; next(&rest, &field);) {
    if (field.number != 2) continue;
    const struct message resource = get(field.inside, 2);
    if (type == CDS) learn_from_cluster(names, resource);
    if (type == LDS) learn_from_listener(names, resource);
  }
}
