// Opens `connections`, lets each echo one message, so that the server has every
// one of them in the state of waiting for the next, says so, and holds them
// until its stdin ends.
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "batch.h"
#include "connect.h"
#include "fail.h"
#include "workloads.h"

static void receive_exactly(int fd, size_t length) {
  unsigned char scratch[4096];
  while (length > 0) {
    ssize_t got = recv(fd, scratch, length < sizeof scratch ? length : sizeof scratch, 0);
    if (got < 0) fail("recv");
    if (got == 0) fail_text("the server closed a connection");
    length -= (size_t)got;
  }
}

void run_tcp_hold(const struct options* options) {
  struct batch batch = make_batch(options);
  for (unsigned i = 0; i < options->connections; i++) {
    int fd = connect_tcp(options, i);
    if (send(fd, batch.data, batch.length, MSG_NOSIGNAL) < 0) fail("send");
    receive_exactly(fd, batch.length);
  }
  printf("{\"workload\":\"tcp-hold\",\"held\":%u}\n", options->connections);
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}
