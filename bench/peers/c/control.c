#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, UDP_BUFFER = 4 << 20 };

void die(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  _exit(1);
}

static int bind_loopback(int type, unsigned short port) {
  int one = 1;
  struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_port = htons(port),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) die("SO_REUSEPORT");
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0) die("bind");
  return fd;
}

int listen_tcp(unsigned short port) {
  int fd = bind_loopback(SOCK_STREAM | SOCK_NONBLOCK, port);
  if (listen(fd, BACKLOG) != 0) die("listen");
  return fd;
}

int bind_udp(void) {
  int size = UDP_BUFFER, fd = bind_loopback(SOCK_DGRAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return fd;
}

unsigned short port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr*)&address, &length) != 0) die("getsockname");
  return ntohs(address.sin_port);
}

static void* watch_stdin(void* unused) {
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "gc\n") == 0) printf("collected\n");
    fflush(stdout);
  }
  _exit(0);
  return unused;
}

void say_ready(int fd) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, watch_stdin, NULL) != 0) die("pthread_create");
  printf("ready %d\n", port_of(fd));
  fflush(stdout);
}

const char* argument(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; i++) {
    if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) return argv[i + 1];
  }
  return NULL;
}

int has_flag(int argc, char** argv, const char* name) {
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) return 1;
  }
  return 0;
}
