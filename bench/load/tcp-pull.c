// One-way work from the server: read a connection to its end (or to the end of
// the window's time), then open the next. Bytes count as they arrive; what is
// still in the socket buffers at the window's ends, some MB, is not counted. A
// connection that the server ends must have brought exactly `bytes`.
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect.h"
#include "fail.h"
#include "window.h"
#include "workloads.h"

enum { CHUNK = 256 << 10 };

static void transfer(struct window* window, unsigned char* chunk, unsigned index) {
  int fd = connect_tcp(window->options, index);
  size_t total = 0;
  ssize_t got = 1;
  while (got != 0 && window_goes_on(window)) {
    got = recv(fd, chunk, CHUNK, 0);
    if (got < 0) fail("recv");
    total += (size_t)got;
    window_count(window, 0, (uint64_t)got);
  }
  if (got == 0 && total != window->options->bytes) fail_text("the server sent another length");
  window_count(window, 1, 0);
  close(fd);
}

void run_tcp_pull(const struct options* options) {
  struct window window;
  unsigned char* chunk = malloc(CHUNK);
  if (chunk == NULL) fail("malloc");
  window_open(&window, options);
  for (unsigned i = 0; window_goes_on(&window); i++) transfer(&window, chunk, i);
  window_report(&window);
}
