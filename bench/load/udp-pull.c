// One-way datagrams from the server: ask for ROUND datagrams of `size`, count
// them here until the server says that it has sent them all, ask for the next.
// What counts is what the server sent; what this thread's receive buffer had no
// room for is reported as lost.
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "clock.h"
#include "connect.h"
#include "fail.h"
#include "udp-count.h"
#include "window.h"
#include "workloads.h"

enum { ROUND = 65536, SCRATCH = 64 << 10, REQUEST = 8, ANSWER = 8, QUIET_MS = 20 };

static void put_number(unsigned char* at, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = (unsigned char)(number >> shift);
}

static void request_round(int fd, size_t size) {
  unsigned char request[REQUEST];
  put_number(request, ROUND);
  put_number(request + 4, (uint32_t)size);
  if (send(fd, request, REQUEST, 0) < 0) fail("send");
}

// UDP_GRO hands several datagrams over at once; an answer of 8 bytes is a count.
static void run_round(struct window* window, int fd, uint64_t goal) {
  unsigned char scratch[SCRATCH];
  size_t size = window->options->size;
  uint64_t count = 0, ends = now_ns() + 10ull * 1000000000;
  request_round(fd, size);
  while (count < goal) {
    if (now_ns() > ends) fail_text("a round of datagrams took more than 10 s");
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, QUIET_MS) == 0 && send(fd, "ask", 4, 0) < 0) fail("send");
    ssize_t got;
    while ((got = recv(fd, scratch, SCRATCH, 0)) > 0) {
      if (got == ANSWER) {
        count = read_count(scratch);
        break;
      }
      window->lost -= (uint64_t)got / size;
      window_count(window, 0, (uint64_t)got);
    }
    if (got < 0 && errno != EAGAIN) fail("recv");
  }
}

void run_udp_pull(const struct options* options) {
  struct window window;
  int one = 1, fd = connect_udp(options);
  setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one);
  if (options->size == ANSWER) fail_text("udp-pull: --size 8 is the size of the count");
  uint64_t sent = udp_count(fd);
  window_open(&window, options);
  while (window_goes_on(&window)) {
    sent += ROUND;
    run_round(&window, fd, sent);
    window.lost += ROUND;
    window_count(&window, ROUND, 0);
  }
  window_report(&window);
}
