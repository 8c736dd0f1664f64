#include <errno.h>
#include <sys/socket.h>

#include "server.h"

enum { SCRATCH = 64 << 10 };
static unsigned char scratch[SCRATCH];

static bool echo(struct connection* connection) {
  for (;;) {
    ssize_t got = recv(connection->fd, scratch, SCRATCH, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    if (!send_or_keep(connection, scratch, (size_t)got)) return false;
    if (is_blocked(connection)) return true;
    if (got < SCRATCH && !connection->ended) return true;
  }
}

int main(int argc, char** argv) {
  const struct role role = {.readable = echo};
  serve_tcp(&role, argc, argv);
}
