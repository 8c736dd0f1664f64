#define _GNU_SOURCE
#include "datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "control.h"

enum { ANSWER = 8 };

static void* allocate(size_t size) {
  void* memory = calloc(1, size > 0 ? size : 1);
  if (memory == NULL) die("calloc");
  return memory;
}

struct datagrams make_datagrams(unsigned capacity, size_t size, size_t control_size) {
  struct datagrams datagrams = {
      .capacity = capacity,
      .size = size,
      .headers = allocate(capacity * sizeof(struct mmsghdr)),
  };
  for (unsigned i = 0; i < capacity; i++) {
    struct msghdr* header = &datagrams.headers[i].msg_hdr;
    header->msg_iov = allocate(sizeof(struct iovec));
    header->msg_iov->iov_base = allocate(size);
    header->msg_iovlen = 1;
    header->msg_name = allocate(sizeof(struct sockaddr_in));
    if (control_size > 0) header->msg_control = allocate(control_size);
    header->msg_controllen = control_size;
  }
  return datagrams;
}

static void reset(struct datagrams* datagrams, unsigned count, size_t control_size) {
  for (unsigned i = 0; i < count; i++) {
    struct msghdr* header = &datagrams->headers[i].msg_hdr;
    header->msg_namelen = sizeof(struct sockaddr_in);
    header->msg_iov->iov_len = datagrams->size;
    header->msg_controllen = header->msg_control == NULL ? 0 : control_size;
  }
}

unsigned receive_datagrams(int fd, struct datagrams* datagrams) {
  reset(datagrams, datagrams->capacity, CMSG_SPACE(sizeof(int)));
  int count;
  do {
    count = recvmmsg(fd, datagrams->headers, datagrams->capacity, MSG_WAITFORONE, NULL);
  } while (count < 0 && (errno == EINTR || errno == ECONNREFUSED));
  if (count < 0) die("recvmmsg");
  return (unsigned)count;
}

void send_datagrams(int fd, struct datagrams* datagrams, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    datagrams->headers[i].msg_hdr.msg_iov->iov_len = datagrams->headers[i].msg_len;
  }
  unsigned sent = 0;
  while (sent < count) {
    int done = sendmmsg(fd, datagrams->headers + sent, count - sent, 0);
    if (done < 0 && errno != EINTR && errno != ECONNREFUSED) die("sendmmsg");
    sent += done > 0 ? (unsigned)done : 0;
  }
}

void answer_count(int fd, const struct msghdr* request, uint64_t count) {
  unsigned char answer[ANSWER];
  for (int i = 0; i < ANSWER; i++) answer[i] = (unsigned char)(count >> (56 - 8 * i));
  sendto(fd, answer, sizeof answer, 0, request->msg_name, request->msg_namelen);
}
