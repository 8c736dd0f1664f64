// Socket to file through a pipe, by splice(2): the bytes don't pass through
// this process.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "control.h"
#include "server.h"

enum { AT_ONCE = 1 << 20 };  // Linux's limit for pipes of users without privileges
static const char* path;

static bool opened(struct connection* connection) {
  connection->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (connection->file < 0) die(path);
  if (pipe2(connection->pipe, O_CLOEXEC) != 0) die("pipe2");
  fcntl(connection->pipe[1], F_SETPIPE_SZ, AT_ONCE);
  return true;
}

static bool write_out(struct connection* connection, ssize_t length) {
  while (length > 0) {
    ssize_t written =
        splice(connection->pipe[0], NULL, connection->file, NULL, (size_t)length, SPLICE_F_MOVE);
    if (written <= 0) die("splice to the file");
    length -= written;
  }
  return true;
}

static bool receive(struct connection* connection) {
  for (;;) {
    ssize_t got = splice(connection->fd, NULL, connection->pipe[1], NULL, AT_ONCE,
                         SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    write_out(connection, got);
  }
}

static void closed(struct connection* connection) {
  close(connection->file);
  close(connection->pipe[0]);
  close(connection->pipe[1]);
}

int main(int argc, char** argv) {
  path = argument(argc, argv, "path");
  if (path == NULL) return fprintf(stderr, "usage: file-receive --path FILE\n"), 2;
  const struct role role = {.opened = opened, .readable = receive, .closed = closed};
  serve_tcp(&role, argc, argv);
}
