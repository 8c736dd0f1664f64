// packet-flood PORT RATE SECONDS: sends UDP datagrams of 22 bytes, 64-byte frames with their
// Ethernet, IPv4 and UDP headers, over loopback at RATE a second (0: as fast as it goes), in
// batches, and prints
// {"sent":N,"seconds":S}. It receives them itself, by a socket that nobody reads: a datagram
// without a receiver costs an ICMP message, and one that is read the reader's CPU.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, PAYLOAD = 22 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void sleep_until(double when) {
  struct timespec time = {.tv_sec = (time_t)when,
                          .tv_nsec = (long)((when - (double)(time_t)when) * 1e9)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) continue;
}

static int udp(const struct sockaddr_in* address,
               int (*attach)(int, const struct sockaddr*, socklen_t)) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || attach(fd, (const struct sockaddr*)address, sizeof *address) != 0) {
    perror("packet-flood");
    exit(1);
  }
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fputs("usage: packet-flood PORT RATE SECONDS\n", stderr);
    return 2;
  }
  const double rate = atof(argv[2]);
  const double seconds = atof(argv[3]);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  udp(&address, bind);
  const int fd = udp(&address, connect);
  // The first eight bytes number the datagram, so that a gap in a capture can be found.
  static unsigned char payload[BATCH][PAYLOAD];
  struct iovec pieces[BATCH];
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < BATCH; i++) {
    pieces[i] = (struct iovec){payload[i], PAYLOAD};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const double start = now();
  unsigned long long sent = 0;
  while (now() - start < seconds) {
    for (unsigned long long i = 0; i < BATCH; i++) {
      const unsigned long long number = sent + i;
      memcpy(payload[i], &number, sizeof number);
    }
    const int count = sendmmsg(fd, messages, BATCH, 0);
    if (count < 0) {
      perror("packet-flood: sendmmsg");
      return 1;
    }
    sent += (unsigned long long)count;
    if (rate > 0) sleep_until(start + (double)sent / rate);
  }
  printf("{\"sent\":%llu,\"seconds\":%.6f}\n", sent, now() - start);
  return 0;
}
