#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "server.h"

enum { AT_ONCE = 1 << 20 };
static const char* path;

static bool opened(struct connection* connection) {
  connection->file = open(path, O_RDONLY | O_CLOEXEC);
  if (connection->file < 0) die(path);
  return true;
}

static bool send_on(struct connection* connection) {
  ssize_t sent;
  do {
    sent = sendfile(connection->fd, connection->file, &connection->offset, AT_ONCE);
  } while (sent > 0);
  return sent < 0 && errno == EAGAIN;
}

static bool ended(struct connection* connection) {
  unsigned char byte;
  return recv(connection->fd, &byte, 1, 0) < 0 && errno == EAGAIN;
}

static void closed(struct connection* connection) { close(connection->file); }

int main(int argc, char** argv) {
  path = argument(argc, argv, "path");
  if (path == NULL) return fprintf(stderr, "usage: file-send --path FILE\n"), 2;
  const struct role role = {
      .opened = opened, .readable = ended, .writable = send_on, .closed = closed};
  serve_tcp(&role, argc, argv);
}
