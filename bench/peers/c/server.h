#pragma once

#include <stdbool.h>
#include <stddef.h>

// A single-threaded, edge-triggered epoll server of one TCP role.
struct connection {
  int fd;
  bool ended;         // the peer's FIN is here: read to the end, don't wait for an edge
  unsigned char* in;  // an incomplete frame
  size_t in_length;
  unsigned char* out;  // what the send buffer had no room for
  size_t out_length, out_sent;
  int file;     // the file roles'
  long offset;  // of the next byte of the file
  int pipe[2];  // between socket and file
};

struct role {
  // Each returns false to close the connection.
  bool (*opened)(struct connection* connection);
  bool (*readable)(struct connection* connection);  // not while `out` holds something
  bool (*writable)(struct connection* connection);  // `out` is empty again
  void (*closed)(struct connection* connection);
};

// With --processes N it runs N times, each with a listener of its own on the port.
_Noreturn void serve_tcp(const struct role* role, int argc, char** argv);

// Sends now what the kernel takes and keeps the rest; false on an error.
bool send_or_keep(struct connection* connection, const unsigned char* data, size_t length);

// Whether something is kept.
bool is_blocked(const struct connection* connection);
