// Echo with a fixed number of batches in flight: each connection sends its
// batch, waits until all of it has come back, and sends the next. One message a
// batch is ping-pong; sixteen is a pipeline.
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

enum { EVENTS = 1024, SCRATCH = 256 << 10 };

struct connection {
  int fd;
  size_t sent, received;  // of the batch in flight
  bool blocked;           // the send buffer is full: EPOLLOUT is asked for
  uint64_t started;
};

struct echo {
  const struct options* options;
  struct window window;
  struct batch batch;
  struct connection* connections;
  int epoll;
  unsigned char scratch[SCRATCH];
};

static void watch(struct echo* echo, struct connection* connection, int operation) {
  struct epoll_event event = {
      .events = EPOLLIN | (connection->blocked ? EPOLLOUT : 0),
      .data.ptr = connection,
  };
  if (epoll_ctl(echo->epoll, operation, connection->fd, &event) != 0) fail("epoll_ctl");
}

static void set_blocked(struct echo* echo, struct connection* connection, bool blocked) {
  if (connection->blocked == blocked) return;
  connection->blocked = blocked;
  watch(echo, connection, EPOLL_CTL_MOD);
}

static void send_rest(struct echo* echo, struct connection* connection) {
  while (connection->sent < echo->batch.length) {
    ssize_t sent = send(connection->fd, echo->batch.data + connection->sent,
                        echo->batch.length - connection->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return set_blocked(echo, connection, true);
    if (sent < 0) fail("send");
    connection->sent += (size_t)sent;
  }
  set_blocked(echo, connection, false);
}

static void start_batch(struct echo* echo, struct connection* connection) {
  connection->sent = connection->received = 0;
  connection->started = now_ns();
  send_rest(echo, connection);
}

static void finish_batch(struct echo* echo, struct connection* connection) {
  struct window* window = &echo->window;
  histogram_add(&window->latencies, now_ns() - connection->started);
  window_count(window, echo->options->depth, echo->batch.length);
  start_batch(echo, connection);
}

static void check_echo(struct echo* echo, struct connection* connection, size_t length) {
  if (connection->received + length > connection->sent) fail_text("more came back than was sent");
  if (echo->window.measuring) return;
  if (memcmp(echo->scratch, echo->batch.data + connection->received, length) != 0) {
    fail_text("what came back is not what was sent");
  }
}

// One receive for each event: the set is level-triggered, so what is left over
// is reported again.
static void receive(struct echo* echo, struct connection* connection) {
  ssize_t got = recv(connection->fd, echo->scratch, SCRATCH, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got < 0) fail("recv");
  if (got == 0) fail_text("the server closed a connection");
  check_echo(echo, connection, (size_t)got);
  connection->received += (size_t)got;
  if (connection->received == echo->batch.length) finish_batch(echo, connection);
}

static void open_connection(struct echo* echo, unsigned index) {
  struct connection* connection = &echo->connections[index];
  connection->fd = connect_tcp(echo->options, index);
  set_nonblocking(connection->fd);
  watch(echo, connection, EPOLL_CTL_ADD);
}

static void handle(struct echo* echo, const struct epoll_event* event) {
  struct connection* connection = event->data.ptr;
  if (event->events & EPOLLOUT) send_rest(echo, connection);
  if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(echo, connection);
}

static void run(struct echo* echo) {
  struct epoll_event events[EVENTS];
  while (window_goes_on(&echo->window)) {
    int count = epoll_wait(echo->epoll, events, EVENTS, 100);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) handle(echo, &events[i]);
  }
}

static void count_starved(struct echo* echo) {
  for (unsigned i = 0; i < echo->options->connections; i++) {
    if (echo->connections[i].started < echo->window.began) echo->window.starved++;
  }
}

void run_tcp_echo(const struct options* options) {
  struct echo* echo = calloc(1, sizeof *echo);
  echo->options = options;
  echo->batch = make_batch(options);
  echo->connections = calloc(options->connections, sizeof *echo->connections);
  echo->epoll = epoll_create1(EPOLL_CLOEXEC);
  for (unsigned i = 0; i < options->connections; i++) open_connection(echo, i);
  window_open(&echo->window, options);
  for (unsigned i = 0; i < options->connections; i++) start_batch(echo, &echo->connections[i]);
  run(echo);
  count_starved(echo);
  window_report(&echo->window);
}
