#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// A set of buffers for recvmmsg(2) and sendmmsg(2).
struct datagrams {
  unsigned capacity;
  size_t size;
  struct mmsghdr* headers;
};

struct datagrams make_datagrams(unsigned capacity, size_t size, size_t control_size);

// Waits for one datagram and takes what else is there; returns how many.
unsigned receive_datagrams(int fd, struct datagrams* datagrams);

// Sends the first `count`, each with the length that it was received with.
void send_datagrams(int fd, struct datagrams* datagrams, unsigned count);

// Answers a request for the count (4 bytes): 8 bytes, big-endian.
void answer_count(int fd, const struct msghdr* request, uint64_t count);
