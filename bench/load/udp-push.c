// One-way datagrams to the server, as fast as this thread can send them, more
// than most servers can take: what counts is what the server says it received,
// asked for at both ends of the window while nothing else is under way.
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "connect.h"
#include "fail.h"
#include "udp-count.h"
#include "window.h"
#include "workloads.h"

// The kernel takes at most UDP_MAX_SEGMENTS = 64 segments (128 since 6.7) and 64 KiB a send.
enum { SEGMENTS = 64, MAX_SEND = 65000 };

struct flood {
  int fd;
  unsigned segments;
  size_t length;
  unsigned char* data;
};

static struct flood make_flood(const struct options* options) {
  struct flood flood = {.fd = connect_udp(options), .segments = 1};
  if (options->segmented) {
    int size = (int)options->size;
    if (setsockopt(flood.fd, SOL_UDP, UDP_SEGMENT, &size, sizeof size) != 0) fail("UDP_SEGMENT");
    flood.segments = MAX_SEND / (unsigned)options->size;
    if (flood.segments > SEGMENTS) flood.segments = SEGMENTS;
  }
  flood.length = flood.segments * options->size;
  flood.data = malloc(flood.length);
  memset(flood.data, 'x', flood.length);
  return flood;
}

static void send_once(const struct flood* flood) {
  if (send(flood->fd, flood->data, flood->length, 0) >= 0) return;
  if (errno != EAGAIN && errno != ENOBUFS) fail("send");
  struct pollfd wait = {.fd = flood->fd, .events = POLLOUT};
  poll(&wait, 1, 10);
}

static uint64_t send_for(const struct flood* flood, double seconds) {
  uint64_t ends = now_ns() + (uint64_t)(seconds * 1e9);
  uint64_t sent = 0;
  while (now_ns() < ends) {
    send_once(flood);
    sent += flood->segments;
  }
  return sent;
}

void run_udp_push(const struct options* options) {
  struct window window;
  struct flood flood = make_flood(options);
  window_open(&window, options);
  send_for(&flood, options->warmup_seconds);
  uint64_t before = udp_count(flood.fd);
  window_measure(&window);
  uint64_t sent = send_for(&flood, options->seconds);
  uint64_t received = udp_count(flood.fd) - before;
  window_count(&window, received, received * options->size);
  window.lost = sent - received;
  window_report(&window);
}
