// Sends as many datagrams as a request of 8 bytes asks for (count, size), the
// kernel cutting each send of up to 64 KiB into them (UDP_SEGMENT). Answers
// 4 bytes with the count so far. With --each the datagrams are messages of their
// own, 64 a sendmmsg(2).
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "control.h"
#include "datagrams.h"

enum { ASK = 4, REQUEST = 8, MAX_SEND = 65000, MAX_SEGMENTS = 64 };
static unsigned char data[MAX_SEND];

static uint32_t number(const unsigned char* at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t send_all(int fd, const struct msghdr* request) {
  const unsigned char* bytes = request->msg_iov->iov_base;
  uint32_t count = number(bytes), left = count;
  int size = (int)number(bytes + 4);
  uint32_t at_once = MAX_SEND / (uint32_t)size;
  if (at_once > MAX_SEGMENTS) at_once = MAX_SEGMENTS;
  if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof size) != 0) die("UDP_SEGMENT");
  while (left > 0) {
    uint32_t now = left < at_once ? left : at_once;
    if (sendto(fd, data, now * (uint32_t)size, 0, request->msg_name, request->msg_namelen) < 0) {
      if (errno != ECONNREFUSED) die("sendto");
      return count - left;
    }
    left -= now;
  }
  return count;
}

static uint32_t send_each(int fd, const struct msghdr* request) {
  const unsigned char* bytes = request->msg_iov->iov_base;
  uint32_t count = number(bytes);
  struct iovec message = {.iov_base = data, .iov_len = number(bytes + 4)};
  struct mmsghdr batch[MAX_SEGMENTS];
  memset(batch, 0, sizeof batch);
  for (int i = 0; i < MAX_SEGMENTS; i++) {
    batch[i].msg_hdr.msg_iov = &message;
    batch[i].msg_hdr.msg_iovlen = 1;
    batch[i].msg_hdr.msg_name = request->msg_name;
    batch[i].msg_hdr.msg_namelen = request->msg_namelen;
  }
  for (uint32_t left = count; left > 0;) {
    int sent = sendmmsg(fd, batch, left < MAX_SEGMENTS ? left : MAX_SEGMENTS, 0);
    if (sent < 0 && errno != ECONNREFUSED) die("sendmmsg");
    if (sent < 0) return count - left;
    left -= (uint32_t)sent;
  }
  return count;
}

int main(int argc, char** argv) {
  int each = has_flag(argc, argv, "each");
  int fd = bind_udp();
  struct datagrams datagrams = make_datagrams(1, REQUEST, 0);
  uint64_t count = 0;
  memset(data, 'x', sizeof data);
  say_ready(fd);
  for (;;) {
    receive_datagrams(fd, &datagrams);
    const struct mmsghdr* datagram = datagrams.headers;
    if (datagram->msg_len == ASK) answer_count(fd, &datagram->msg_hdr, count);
    if (datagram->msg_len == REQUEST) {
      count += each ? send_each(fd, &datagram->msg_hdr) : send_all(fd, &datagram->msg_hdr);
    }
  }
}
