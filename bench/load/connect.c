#define _GNU_SOURCE
#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "fail.h"

enum { SOURCES = 32, UDP_BUFFER = 4 << 20 };

static void bind_source(int fd, unsigned index) {
  int one = 1;
  struct sockaddr_in source = {
      .sin_family = AF_INET,
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + index % SOURCES),
  };
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd, (struct sockaddr*)&source, sizeof source) != 0) fail("bind");
}

static int open_tcp(unsigned index, int flags) {
  int one = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) fail("socket");
  bind_source(fd, index);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static const struct sockaddr* server_of(const struct options* options) {
  return (const struct sockaddr*)&options->server;
}

int connect_tcp(const struct options* options, unsigned index) {
  int fd = open_tcp(index, 0);
  if (connect(fd, server_of(options), sizeof options->server) != 0) fail("connect");
  return fd;
}

int begin_tcp(const struct options* options, unsigned index) {
  int fd = open_tcp(index, SOCK_NONBLOCK);
  if (connect(fd, server_of(options), sizeof options->server) != 0 && errno != EINPROGRESS) {
    fail("connect");
  }
  return fd;
}

int connect_udp(const struct options* options) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  int size = UDP_BUFFER;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (connect(fd, server_of(options), sizeof options->server) != 0) fail("connect");
  return fd;
}

void set_nonblocking(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) fail("fcntl");
}
