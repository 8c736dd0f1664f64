#include <errno.h>
#include <sys/socket.h>

#include "server.h"

enum { SCRATCH = 64 << 10 };
static unsigned char scratch[SCRATCH];

static bool receive(struct connection* connection) {
  for (;;) {
    ssize_t got = recv(connection->fd, scratch, SCRATCH, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    if (got < SCRATCH && !connection->ended) return true;
  }
}

int main(int argc, char** argv) {
  const struct role role = {.readable = receive};
  serve_tcp(&role, argc, argv);
}
