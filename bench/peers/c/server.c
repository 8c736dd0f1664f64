// Edge-triggered with every direction registered once: a connection costs one
// epoll_ctl in its life. A receive that leaves room in its buffer has drained
// the socket, except where the FIN came with the data: EPOLLRDHUP tells.
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

enum { EVENTS = 512 };

struct server {
  const struct role* role;
  int epoll, listener;
};

bool is_blocked(const struct connection* connection) {
  return connection->out_sent < connection->out_length;
}

static bool keep(struct connection* connection, const unsigned char* data, size_t length) {
  connection->out = realloc(connection->out, length);
  if (connection->out == NULL) die("realloc");
  memcpy(connection->out, data, length);
  connection->out_length = length;
  connection->out_sent = 0;
  return true;
}

bool send_or_keep(struct connection* connection, const unsigned char* data, size_t length) {
  ssize_t sent = send(connection->fd, data, length, MSG_NOSIGNAL);
  if (sent == (ssize_t)length) return true;
  if (sent < 0 && errno != EAGAIN) return false;
  size_t taken = sent < 0 ? 0 : (size_t)sent;
  return keep(connection, data + taken, length - taken);
}

static bool flush(struct connection* connection) {
  ssize_t sent = send(connection->fd, connection->out + connection->out_sent,
                      connection->out_length - connection->out_sent, MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN;
  connection->out_sent += (size_t)sent;
  return true;
}

static void close_connection(const struct server* server, struct connection* connection) {
  if (server->role->closed != NULL) server->role->closed(connection);
  close(connection->fd);
  free(connection->in);
  free(connection->out);
  free(connection);
}

static void open_connection(const struct server* server, int fd) {
  int one = 1;
  struct connection* connection = calloc(1, sizeof *connection);
  if (connection == NULL) die("calloc");
  connection->fd = fd;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {
      .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
      .data.ptr = connection,
  };
  bool stays = server->role->opened == NULL || server->role->opened(connection);
  if (!stays) return close_connection(server, connection);
  if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

static void accept_all(const struct server* server) {
  int fd;
  while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    open_connection(server, fd);
  }
  if (errno != EAGAIN && errno != ECONNABORTED) die("accept4");
}

static bool advance(const struct role* role, struct connection* connection, unsigned events) {
  bool was_blocked = is_blocked(connection);
  if (was_blocked && (events & EPOLLOUT) && !flush(connection)) return false;
  if (is_blocked(connection)) return true;
  if (role->writable != NULL && (events & EPOLLOUT) && !role->writable(connection)) return false;
  bool may_read = was_blocked || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR));
  return !may_read || role->readable(connection);
}

static void handle(const struct server* server, const struct epoll_event* event) {
  struct connection* connection = event->data.ptr;
  if (connection == NULL) return accept_all(server);
  if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) connection->ended = true;
  if (!advance(server->role, connection, event->events)) close_connection(server, connection);
}

_Noreturn static void serve(const struct role* role, int listener) {
  struct server server = {.role = role, .epoll = epoll_create1(0), .listener = listener};
  struct epoll_event listening = {.events = EPOLLIN}, events[EVENTS];
  if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, listener, &listening) != 0) die("epoll_ctl");
  for (;;) {
    int count = epoll_wait(server.epoll, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) handle(&server, &events[i]);
  }
}

// The listener is made before the fork, so that it is there once the parent is ready.
static void fork_one(const struct role* role, unsigned short port) {
  int listener = listen_tcp(port);
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(role, listener);
  }
  close(listener);
}

struct shard {
  const struct role* role;
  int listener;
};

static void* serve_shard(void* argument) {
  struct shard shard = *(struct shard*)argument;
  free(argument);
  serve(shard.role, shard.listener);
}

static void start_thread(const struct role* role, unsigned short port) {
  pthread_t thread;
  struct shard* shard = malloc(sizeof *shard);
  if (shard == NULL) die("malloc");
  *shard = (struct shard){.role = role, .listener = listen_tcp(port)};
  if (pthread_create(&thread, NULL, serve_shard, shard) != 0) die("pthread_create");
}

static int count_of(int argc, char** argv, const char* name) {
  const char* text = argument(argc, argv, name);
  return text == NULL ? 1 : atoi(text);
}

void serve_tcp(const struct role* role, int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // sendfile(2) knows no MSG_NOSIGNAL
  int listener = listen_tcp(0), processes = count_of(argc, argv, "processes"),
      threads = count_of(argc, argv, "threads");
  for (int i = 1; i < processes; i++) fork_one(role, port_of(listener));
  for (int i = 1; i < threads; i++) start_thread(role, port_of(listener));
  say_ready(listener);
  serve(role, listener);
}
