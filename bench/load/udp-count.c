#include "udp-count.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "fail.h"

enum { ANSWER = 8, ATTEMPTS = 200, PATIENCE_MS = 50 };

uint64_t read_count(const unsigned char* at) {
  uint64_t count = 0;
  for (int i = 0; i < ANSWER; i++) count = count << 8 | at[i];
  return count;
}

static void drain(int fd) {
  unsigned char answer[ANSWER];
  for (int i = 0; i < ATTEMPTS && recv(fd, answer, sizeof answer, MSG_DONTWAIT) >= 0; i++) {
  }
}

uint64_t udp_count(int fd) {
  drain(fd);
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    unsigned char answer[ANSWER];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (send(fd, "ask", 4, 0) < 0 && errno != EAGAIN) fail("send");
    if (poll(&wait, 1, PATIENCE_MS) == 0) continue;
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got == ANSWER) return read_count(answer);
    if (got < 0 && errno != EAGAIN) fail("recv");
  }
  fail_text("the server doesn't answer with its count");
}
