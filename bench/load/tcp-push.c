// One-way work towards the server. A transfer is one connection: it sends
// `bytes`, or as much as the window's time allows, half-closes, and waits for
// the server to close, so that the server's program has received every byte
// that counts.
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "connect.h"
#include "fail.h"
#include "window.h"
#include "workloads.h"

static void wait_for_close(int fd) {
  char byte;
  shutdown(fd, SHUT_WR);
  ssize_t got = recv(fd, &byte, 1, 0);
  if (got < 0) fail("recv");
  if (got > 0) fail_text("a sink sent something back");
  close(fd);
}

static uint64_t send_until(int fd, const unsigned char* chunk, const struct options* options,
                           uint64_t ends) {
  uint64_t total = 0;
  while (total < options->bytes && now_ns() < ends) {
    size_t rest = options->bytes - total;
    ssize_t sent = send(fd, chunk, rest < options->size ? rest : options->size, MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    total += (uint64_t)sent;
  }
  return total;
}

static void transfer(struct window* window, const unsigned char* chunk, unsigned index) {
  const struct options* options = window->options;
  uint64_t ends = window->measuring ? window->ends : window->warm_until;
  int fd = connect_tcp(options, index);
  uint64_t total = send_until(fd, chunk, options, ends);
  wait_for_close(fd);
  window->last_bytes = total;
  window_count(window, 1, total);
}

void run_tcp_push(const struct options* options) {
  struct window window;
  unsigned char* chunk = malloc(options->size);
  if (chunk == NULL) fail("malloc");
  memset(chunk, 'x', options->size);
  window_open(&window, options);
  for (unsigned i = 0; window_goes_on(&window); i++) transfer(&window, chunk, i);
  window_report(&window);
}
