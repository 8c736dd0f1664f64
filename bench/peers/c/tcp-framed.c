// Framed echo: a 4-byte big-endian length before each message; every complete
// message of a receive is answered, and the answers leave in one send. They are
// copied together: at 64 bytes that is cheaper than an iovec for each part.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control.h"
#include "server.h"

enum { PREFIX = 4, MAX_FRAME = 1 << 20, SCRATCH = PREFIX + MAX_FRAME + (64 << 10) };
static unsigned char in[SCRATCH], out[SCRATCH];

static size_t read_length(const unsigned char* at) {
  return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

static size_t answer(unsigned char* to, const unsigned char* message, size_t length) {
  for (int i = 0; i < PREFIX; i++) to[i] = (unsigned char)(length >> (24 - 8 * i));
  memcpy(to + PREFIX, message, length);
  return PREFIX + length;
}

static bool keep_rest(struct connection* connection, size_t used, size_t length) {
  if (used < length) {
    connection->in = realloc(connection->in, length - used);
    if (connection->in == NULL) die("realloc");
    memcpy(connection->in, in + used, length - used);
  }
  connection->in_length = length - used;
  return true;
}

static bool answer_all(struct connection* connection, size_t length) {
  size_t used = 0, filled = 0;
  while (length - used >= PREFIX) {
    size_t frame = read_length(in + used);
    if (frame > MAX_FRAME) return false;
    if (length - used - PREFIX < frame) break;
    filled += answer(out + filled, in + used + PREFIX, frame);
    used += PREFIX + frame;
  }
  keep_rest(connection, used, length);
  return filled == 0 || send_or_keep(connection, out, filled);
}

static bool receive(struct connection* connection) {
  for (;;) {
    size_t kept = connection->in_length;
    if (kept > 0) memcpy(in, connection->in, kept);
    ssize_t got = recv(connection->fd, in + kept, SCRATCH - kept, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    if (!answer_all(connection, kept + (size_t)got)) return false;
    if (is_blocked(connection)) return true;
    if ((size_t)got < SCRATCH - kept && !connection->ended) return true;
  }
}

int main(int argc, char** argv) {
  const struct role role = {.readable = receive};
  serve_tcp(&role, argc, argv);
}
