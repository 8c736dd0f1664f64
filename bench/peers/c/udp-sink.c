// Counts datagrams; with --gro the kernel may hand over several as one, with
// the size of each beside it. Answers 4 bytes with the count.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "control.h"
#include "datagrams.h"

enum { BATCH = 64, REQUEST = 4, SIZE = 2048, GRO_BATCH = 16, GRO_SIZE = 64 << 10 };

static uint64_t segments(struct mmsghdr* received) {
  struct msghdr* header = &received->msg_hdr;
  for (struct cmsghdr* control = CMSG_FIRSTHDR(header); control != NULL;
       control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int size;
    memcpy(&size, CMSG_DATA(control), sizeof size);
    return (received->msg_len + (unsigned)size - 1) / (unsigned)size;
  }
  return 1;
}

int main(int argc, char** argv) {
  int one = 1, fd = bind_udp(), gro = has_flag(argc, argv, "gro");
  if (gro && setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one) != 0) die("UDP_GRO");
  struct datagrams datagrams = gro ? make_datagrams(GRO_BATCH, GRO_SIZE, CMSG_SPACE(sizeof(int)))
                                   : make_datagrams(BATCH, SIZE, 0);
  uint64_t count = 0;
  say_ready(fd);
  for (;;) {
    unsigned received = receive_datagrams(fd, &datagrams);
    for (unsigned i = 0; i < received; i++) {
      struct mmsghdr* datagram = &datagrams.headers[i];
      if (datagram->msg_len == REQUEST) {
        answer_count(fd, &datagram->msg_hdr, count);
      } else {
        count += gro ? segments(datagram) : 1;
      }
    }
  }
}
