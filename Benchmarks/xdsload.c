// SPDX-License-Identifier: Apache-2.0
//
// A load client: plays N Envoy proxies of one class against an ADS server, each on a plaintext
// connection of its own, and measures what they and a push cost the server, and when it arrives.
//
// Proxy 0, the scout, comes first and reads its answers in full, for the names that clusters and
// listeners refer to. The others are of the same class, so they ask for the same names.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proxy.h"

static const char usage[] =
    "usage: xdsload --port PORT --server PID [options]\n\n"
    "  --host ADDRESS         of the server, IPv4 (127.0.0.1)\n"
    "  --proxies N            how many (100)\n"
    "  --types LIST           asked for at once: cds,eds,lds,rds,ecds (cds,lds); the names that\n"
    "                         their answers refer to are asked for next, as Envoy does\n"
    "  --names TYPE=LIST      names to ask for, known beforehand (repeatable)\n"
    "  --namespace NAME       of the proxies (bench)\n"
    "  --labels K=V,…         of the proxies (istio=bench)\n"
    "  --pushes N             how many to measure (0)\n"
    "  --push-command TEXT    causes a push: run by the shell, with $PUSH = 1, 2, …\n"
    "  --push-signal          causes a push: SIGUSR1 to the server\n"
    "  --expect-nothing       no proxy is to hear of the pushes\n"
    "  --reject SHARE         share of the proxies that reject every push (0)\n"
    "  --stop N               proxies that stop reading once connected (0)\n"
    "  --settle MS            silence that ends a phase (300)\n"
    "  --timeout S            for a phase (60)\n"
    "  --label TEXT           goes into the report\n\n"
    "Prints a JSON object to stdout and a line for people to stderr. Exit 1: a proxy failed or was\n"
    "not served.\n";

/// One push as it was measured; times in nanoseconds after its trigger.
struct push {
  uint64_t cpu, bytes, responses, first, median, last;
  unsigned served;
};

enum { UNDER_WAY = 256 };  // proxies that connect at the same time

static struct load load = {
    .cluster = "bench",
    .namespace = "bench",
    .labels = "istio=bench",
    .window = 16 << 20,
    .first_types = 1 << CDS | 1 << LDS,
    .server = {.sin_family = AF_INET},
};
static struct proxy *proxies;
static unsigned count = 100, pushes, stopped, settle = 300, timeout = 60;
static double reject_share;
static pid_t server;
static clockid_t server_clock;
static const char *push_command, *label = "";
static bool push_signal, expects_nothing;

// The server, from outside

static uint64_t server_cpu(void) {
  struct timespec time;
  if (clock_gettime(server_clock, &time)) die("xdsload: the server is gone");
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static long server_memory(void) {
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/status", server);
  FILE *status = fopen(path, "r");
  if (!status) die("xdsload: the server is gone");
  while (fgets(line, sizeof line, status)) {
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
  }
  fclose(status);
  return kib;
}

// Phases

static void poll_once(int milliseconds) {
  struct epoll_event events[256];
  const int ready = epoll_wait(load.poller, events, 256, milliseconds);
  for (int index = 0; index < ready; index++) {
    proxy_handle(events[index].data.ptr, events[index].events);
  }
}

/// Waits until nothing has arrived for the settle time.
static void wait_for_silence(void) {
  load.last_byte_at = now();
  while (now() - load.last_byte_at < settle * 1000000ull) poll_once(settle / 4 + 1);
}

static void connect_all(void) {
  const uint64_t deadline = now() + timeout * 1000000000ull;
  unsigned begun = 0;
  for (;;) {
    // The scout alone first: the others need its names.
    const bool scout_is_done = load.connected && !proxies[0].unanswered;
    const unsigned limit = scout_is_done ? count : 1;
    while (begun < limit && begun - load.connected + load.waiting < UNDER_WAY) {
      proxy_connect(&proxies[begun], &load, begun);
      begun++;
    }
    if (load.failed) die("xdsload: %u proxies failed while connecting", load.failed);
    if (begun == count && load.connected == count && !load.waiting) break;
    if (now() > deadline) {
      fprintf(stderr, "xdsload: %u of %u connected, %u without", load.connected, count, load.waiting);
      for (enum type type = 0; type < TYPES; type++) {
        if (proxies[0].unanswered & 1 << type) fprintf(stderr, " %s", type_names[type]);
      }
      die(" after %u s", timeout);
    }
    poll_once(100);
  }
}

static pid_t trigger(unsigned number) {
  if (push_signal && kill(server, SIGUSR1)) die("xdsload: the server is gone");
  if (!push_command) return 0;
  const pid_t child = fork();
  if (child) return child;
  char text[16];
  snprintf(text, sizeof text, "%u", number);
  setenv("PUSH", text, 1);
  execl("/bin/sh", "sh", "-c", push_command, NULL);
  _exit(127);
}

static int by_time(const void *left, const void *right) {
  const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

static struct push measure_push(unsigned number) {
  const unsigned expected = expects_nothing ? 0 : count - stopped;
  const uint64_t cpu = server_cpu(), bytes = load.bytes, responses = load.responses;
  for (unsigned index = 0; index < count; index++) proxies[index].answered_at = 0;
  load.served = 0;
  load.is_pushing = true;

  const uint64_t start = now(), deadline = start + timeout * 1000000000ull;
  const pid_t child = trigger(number);
  while (load.served < expected && !load.failed && now() < deadline) poll_once(100);
  wait_for_silence();
  int status = 0;
  if (child && (waitpid(child, &status, 0) < 0 || status)) die("xdsload: the push command failed");
  load.is_pushing = false;

  struct push push = {
      .cpu = server_cpu() - cpu,
      .bytes = load.bytes - bytes,
      .responses = load.responses - responses,
      .served = load.served,
  };
  uint64_t *times = calloc(count, sizeof *times);
  unsigned served = 0;
  for (unsigned index = 0; index < count; index++) {
    if (proxies[index].answered_at) times[served++] = proxies[index].answered_at - start;
  }
  qsort(times, served, sizeof *times, by_time);
  if (served) push.first = times[0], push.median = times[served / 2], push.last = times[served - 1];
  free(times);
  return push;
}

// Report

static uint64_t median(const struct push *all, size_t offset) {
  uint64_t *values = calloc(pushes, sizeof *values);
  for (unsigned index = 0; index < pushes; index++) {
    values[index] = *(const uint64_t *)((const char *)&all[index] + offset);
  }
  qsort(values, pushes, sizeof *values, by_time);
  const uint64_t middle = values[pushes / 2];
  free(values);
  return middle;
}

static void print_push(const struct push *push) {
  printf("{\"cpu_us_per_proxy\":%.3f,\"first_ms\":%.2f,\"median_ms\":%.2f,\"last_ms\":%.2f,"
         "\"bytes\":%lu,\"responses\":%lu,\"served\":%u}",
      push->cpu / 1e3 / count, push->first / 1e6, push->median / 1e6, push->last / 1e6, push->bytes,
      push->responses, push->served);
}

static void report(
    const struct push *all, uint64_t connect_cpu, uint64_t connect_time, const long memory[3]) {
  printf("{\"label\":\"%s\",\"proxies\":%u,\"stopped\":%u,\"failed\":%u,\"rejections\":%lu,", label,
      count, stopped, load.failed, load.rejections);
  printf("\"connect\":{\"seconds\":%.3f,\"cpu_us_per_proxy\":%.2f},", connect_time / 1e9,
      connect_cpu / 1e3 / count);
  printf("\"memory\":{\"before_kib\":%ld,\"connected_kib\":%ld,\"after_kib\":%ld,"
         "\"kib_per_proxy\":%.2f},",
      memory[0], memory[1], memory[2], (double)(memory[1] - memory[0]) / count);
  printf("\"names\":{\"eds\":%u,\"rds\":%u,\"ecds\":%u}", load.names[EDS].count,
      load.names[RDS].count, load.names[ECDS].count);
  if (pushes) {
    const struct push typical = {
        .cpu = median(all, offsetof(struct push, cpu)),
        .bytes = median(all, offsetof(struct push, bytes)),
        .responses = median(all, offsetof(struct push, responses)),
        .first = median(all, offsetof(struct push, first)),
        .median = median(all, offsetof(struct push, median)),
        .last = median(all, offsetof(struct push, last)),
        .served = load.served,
    };
    printf(",\"push\":");
    print_push(&typical);
    printf(",\"pushes\":[");
    for (unsigned index = 0; index < pushes; index++) {
      if (index) printf(",");
      print_push(&all[index]);
    }
    printf("]");
    fprintf(stderr,
        "%s: %u proxies, %.1f us/proxy/push, first %.1f median %.1f last %.1f ms, %.2f MB a push\n",
        label, count, typical.cpu / 1e3 / count, typical.first / 1e6, typical.median / 1e6,
        typical.last / 1e6, typical.bytes / 1e6);
  }
  printf("}\n");
  fprintf(stderr, "%s: connecting %.1f us/proxy, %.1f KiB/proxy, %u failed\n", label,
      connect_cpu / 1e3 / count, (double)(memory[1] - memory[0]) / count, load.failed);
}

// Options

static enum type type_named(const char *name, size_t length) {
  for (enum type type = 0; type < TYPES; type++) {
    if (strlen(type_names[type]) == length && !memcmp(name, type_names[type], length)) return type;
  }
  die("xdsload: expected one of cds, eds, lds, rds, ecds, found %s", name);
}

static void parse_types(char *list) {
  load.first_types = 0;
  for (char *name; (name = strsep(&list, ","));) {
    load.first_types |= 1 << type_named(name, strlen(name));
  }
}

static void parse_names(char *list) {
  const char *type = strsep(&list, "=");
  struct names *to = &load.names[type_named(type, strlen(type))];
  for (char *name; (name = strsep(&list, ","));) names_add(to, name, strlen(name));
}

enum { HOST = 256, PORT, SERVER, PROXIES, TYPE_LIST, NAMES, NAMESPACE, LABELS, PUSHES, COMMAND,
       SIGNAL, NOTHING, REJECT, STOP, SETTLE, TIMEOUT, LABEL };
static const struct option options[] = {
    {"host", 1, 0, HOST}, {"port", 1, 0, PORT}, {"server", 1, 0, SERVER},
    {"proxies", 1, 0, PROXIES}, {"types", 1, 0, TYPE_LIST}, {"names", 1, 0, NAMES},
    {"namespace", 1, 0, NAMESPACE}, {"labels", 1, 0, LABELS}, {"pushes", 1, 0, PUSHES},
    {"push-command", 1, 0, COMMAND}, {"push-signal", 0, 0, SIGNAL},
    {"expect-nothing", 0, 0, NOTHING}, {"reject", 1, 0, REJECT}, {"stop", 1, 0, STOP},
    {"settle", 1, 0, SETTLE}, {"timeout", 1, 0, TIMEOUT}, {"label", 1, 0, LABEL},
    {"help", 0, 0, 'h'}, {0},
};

static void parse(int argc, char **argv) {
  load.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    switch (option) {
      case HOST:
        if (inet_pton(AF_INET, optarg, &load.server.sin_addr) != 1) die("xdsload: %s?", optarg);
        break;
      case PORT: load.server.sin_port = htons(atoi(optarg)); break;
      case SERVER: server = atoi(optarg); break;
      case PROXIES: count = atoi(optarg); break;
      case TYPE_LIST: parse_types(optarg); break;
      case NAMES: parse_names(optarg); break;
      case NAMESPACE: load.namespace = optarg; break;
      case LABELS: load.labels = optarg; break;
      case PUSHES: pushes = atoi(optarg); break;
      case COMMAND: push_command = optarg; break;
      case SIGNAL: push_signal = true; break;
      case NOTHING: expects_nothing = true; break;
      case REJECT: reject_share = atof(optarg); break;
      case STOP: stopped = atoi(optarg); break;
      case SETTLE: settle = atoi(optarg); break;
      case TIMEOUT: timeout = atoi(optarg); break;
      case LABEL: label = optarg; break;
      case 'h': fputs(usage, stdout); exit(0);
      default: fputs(usage, stderr); exit(64);
    }
  }
  if (!load.server.sin_port || !server || !count || stopped >= count) {
    fputs(usage, stderr);
    exit(64);
  }
}

int main(int argc, char **argv) {
  parse(argc, argv);
  allow_many_files();
  if (clock_getcpuclockid(server, &server_clock)) die("xdsload: no process %d", server);
  load.poller = epoll_create1(EPOLL_CLOEXEC);
  proxies = calloc(count, sizeof *proxies);
  if (!proxies || load.poller < 0) die("xdsload: %m");

  long memory[3] = {server_memory(), 0, 0};
  const uint64_t cpu = server_cpu(), start = now();
  connect_all();
  const uint64_t connect_time = now() - start;
  wait_for_silence();
  const uint64_t connect_cpu = server_cpu() - cpu;
  memory[1] = server_memory();

  for (unsigned index = 0; index < count; index++) {
    proxies[index].rejects = index < reject_share * count;
    if (index >= count - stopped) {
      epoll_ctl(load.poller, EPOLL_CTL_DEL, proxies[index].socket, NULL);
    }
  }
  struct push *all = calloc(pushes + 1, sizeof *all);
  bool is_complete = true;
  for (unsigned index = 0; index < pushes; index++) {
    all[index] = measure_push(index + 1);
    is_complete &= all[index].served == (expects_nothing ? 0 : count - stopped);
  }
  memory[2] = server_memory();
  report(all, connect_cpu, connect_time, memory);
  return load.failed || !is_complete;
}
