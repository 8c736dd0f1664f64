// Datagram echo: each peer is a socket of its own with one datagram in flight.
// A datagram without an answer for 200 ms is counted as lost and another sent;
// each begins with its peer and a number, so that an answer to another peer is
// found out and a late one isn't taken for the next.
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "batch.h"
#include "clock.h"
#include "connect.h"
#include "fail.h"
#include "window.h"
#include "workloads.h"

enum { EVENTS = 1024, SCRATCH = 64 << 10 };
static const uint64_t LOST_AFTER_NS = 200 * 1000000;

struct peer {
  int fd;
  struct head {
    uint32_t index, number;
  } head;
  uint64_t started;
};

struct echo {
  const struct options* options;
  struct window window;
  struct batch batch;
  struct peer* peers;
  int epoll;
  uint64_t swept;
  unsigned char scratch[SCRATCH];
};

static void send_message(struct echo* echo, struct peer* peer) {
  peer->head.number++;
  peer->started = now_ns();
  memcpy(echo->batch.data, &peer->head, sizeof peer->head);
  if (send(peer->fd, echo->batch.data, echo->batch.length, 0) < 0) fail("send");
}

static bool is_current(const struct echo* echo, const struct peer* peer, size_t got) {
  struct head head;
  if (got != echo->batch.length) fail_text("an answer has another length");
  memcpy(&head, echo->scratch, sizeof head);
  if (head.index != peer->head.index) fail_text("an answer went to the wrong peer");
  if (head.number != peer->head.number) return false;
  if (echo->window.measuring) return true;
  if (memcmp(echo->scratch + sizeof head, echo->batch.data + sizeof head, got - sizeof head) != 0) {
    fail_text("what came back is not what was sent");
  }
  return true;
}

static void receive(struct echo* echo, struct peer* peer) {
  ssize_t got = recv(peer->fd, echo->scratch, SCRATCH, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got < 0) fail("recv");
  if (!is_current(echo, peer, (size_t)got)) return;
  histogram_add(&echo->window.latencies, now_ns() - peer->started);
  window_count(&echo->window, 1, (uint64_t)got);
  send_message(echo, peer);
}

static void sweep(struct echo* echo) {
  uint64_t now = now_ns();
  if (now - echo->swept < LOST_AFTER_NS) return;
  echo->swept = now;
  for (unsigned i = 0; i < echo->options->connections; i++) {
    if (now - echo->peers[i].started < LOST_AFTER_NS) continue;
    echo->window.lost++;
    send_message(echo, &echo->peers[i]);
  }
}

static void open_peer(struct echo* echo, unsigned index) {
  struct peer* peer = &echo->peers[index];
  peer->fd = connect_udp(echo->options);
  peer->head.index = index;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  if (epoll_ctl(echo->epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0) fail("epoll_ctl");
}

static void run(struct echo* echo) {
  struct epoll_event events[EVENTS];
  while (window_goes_on(&echo->window)) {
    int count = epoll_wait(echo->epoll, events, EVENTS, 100);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) receive(echo, events[i].data.ptr);
    sweep(echo);
  }
}

void run_udp_echo(const struct options* options) {
  struct echo* echo = calloc(1, sizeof *echo);
  echo->options = options;
  echo->batch = make_batch(options);
  if (echo->batch.length < sizeof(struct head)) fail_text("udp-echo: --size is at least 8");
  echo->peers = calloc(options->connections, sizeof *echo->peers);
  echo->epoll = epoll_create1(EPOLL_CLOEXEC);
  for (unsigned i = 0; i < options->connections; i++) open_peer(echo, i);
  window_open(&echo->window, options);
  for (unsigned i = 0; i < options->connections; i++) send_message(echo, &echo->peers[i]);
  run(echo);
  window_report(&echo->window);
}
