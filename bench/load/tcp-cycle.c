// Connect, send one message, wait for its echo, half-close, wait for the
// server's end of stream, close: the whole life of a short connection, in
// `connections` slots at once. Latency is from connect(2) to the server's FIN.
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "batch.h"
#include "clock.h"
#include "connect.h"
#include "fail.h"
#include "window.h"
#include "workloads.h"

enum { EVENTS = 1024, SCRATCH = 64 << 10 };

struct slot {
  int fd;
  bool sent;
  size_t received;
  uint64_t started;
};

struct cycle {
  const struct options* options;
  struct window window;
  struct batch batch;
  struct slot* slots;
  unsigned opened;
  int epoll;
};

static void open_slot(struct cycle* cycle, struct slot* slot) {
  slot->started = now_ns();
  slot->sent = false;
  slot->received = 0;
  slot->fd = begin_tcp(cycle->options, cycle->opened++);
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = slot};
  if (epoll_ctl(cycle->epoll, EPOLL_CTL_ADD, slot->fd, &event) != 0) fail("epoll_ctl");
}

static void close_slot(struct cycle* cycle, struct slot* slot) {
  if (slot->received != cycle->batch.length) fail_text("the server closed before its echo");
  close(slot->fd);
  histogram_add(&cycle->window.latencies, now_ns() - slot->started);
  window_count(&cycle->window, 1, slot->received);
  open_slot(cycle, slot);
}

static void send_message(struct cycle* cycle, struct slot* slot) {
  ssize_t sent = send(slot->fd, cycle->batch.data, cycle->batch.length, MSG_NOSIGNAL);
  if (sent < 0) fail("connect or send");
  if ((size_t)sent != cycle->batch.length) fail_text("tcp-cycle: the message is too large");
  slot->sent = true;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
  if (epoll_ctl(cycle->epoll, EPOLL_CTL_MOD, slot->fd, &event) != 0) fail("epoll_ctl");
}

static void receive(struct cycle* cycle, struct slot* slot) {
  unsigned char scratch[SCRATCH];
  ssize_t got = recv(slot->fd, scratch, sizeof scratch, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got < 0) fail("recv");
  if (got == 0) return close_slot(cycle, slot);
  slot->received += (size_t)got;
  if (slot->received == cycle->batch.length) shutdown(slot->fd, SHUT_WR);
}

static void run(struct cycle* cycle) {
  struct epoll_event events[EVENTS];
  while (window_goes_on(&cycle->window)) {
    int count = epoll_wait(cycle->epoll, events, EVENTS, 100);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
      struct slot* slot = events[i].data.ptr;
      if (slot->sent) {
        receive(cycle, slot);
      } else {
        send_message(cycle, slot);
      }
    }
  }
}

void run_tcp_cycle(const struct options* options) {
  struct cycle* cycle = calloc(1, sizeof *cycle);
  cycle->options = options;
  cycle->batch = make_batch(options);
  cycle->slots = calloc(options->connections, sizeof *cycle->slots);
  cycle->epoll = epoll_create1(EPOLL_CLOEXEC);
  window_open(&cycle->window, options);
  for (unsigned i = 0; i < options->connections; i++) open_slot(cycle, &cycle->slots[i]);
  run(cycle);
  window_report(&cycle->window);
}
