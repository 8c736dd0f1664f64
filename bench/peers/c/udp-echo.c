#define _GNU_SOURCE
#include "control.h"
#include "datagrams.h"

enum { BATCH = 64, SIZE = 2048 };

int main(void) {
  int fd = bind_udp();
  struct datagrams datagrams = make_datagrams(BATCH, SIZE, 0);
  say_ready(fd);
  for (;;) send_datagrams(fd, &datagrams, receive_datagrams(fd, &datagrams));
}
