#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "server.h"

enum { CHUNK = 64 << 10 };
static unsigned char chunk[CHUNK];

static bool send_on(struct connection* connection) {
  ssize_t sent;
  while ((sent = send(connection->fd, chunk, CHUNK, MSG_NOSIGNAL)) >= 0) {
  }
  return errno == EAGAIN;
}

// Nothing is expected from the peer but its end.
static bool ended(struct connection* connection) {
  unsigned char byte;
  return recv(connection->fd, &byte, 1, 0) < 0 && errno == EAGAIN;
}

int main(int argc, char** argv) {
  memset(chunk, 'x', CHUNK);
  const struct role role = {.readable = ended, .writable = send_on};
  serve_tcp(&role, argc, argv);
}
