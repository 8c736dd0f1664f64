// A wire between two network namespaces that takes its time: every packet comes out DELAY after it
// went in, in order.
//
//   delay-wire NAMESPACE-A NAMESPACE-B DELAY-MICROSECONDS
//
// Each namespace gets a TUN device `wire0`, 10.86.7.1/24 in the first, 10.86.7.2/24 in the second.
// Prints "ready", runs until stdin ends. Linux only (netem, which does this in the kernel, is often
// not built).
//
// Theory of operation. A direction is two threads and a ring of slots between them: one reads
// packets from its device and stamps them, the other sleeps until the first is due and writes it to
// the other device. The devices take packets as TCP hands them down, up to 64 KiB before
// segmentation (IFF_VNET_HDR, TSO): one read and one write for forty-four segments, so that the
// wire itself carries gigabytes a second. TCP still counts in segments of the MTU, and its windows
// and congestion control are those of the kernel.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// A packet before segmentation with its head.
#define SLOT_BYTES (64 * 1024 + 4096)
// What may be on the way in one direction: 64 MiB and more of large packets, as many of small ones.
#define SLOTS 4096

struct slot {
  uint64_t due;
  uint32_t length;
  char bytes[SLOT_BYTES];
};

struct direction {
  int from, to;
  uint64_t delay;
  struct slot* slots;
  unsigned head, tail;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
};

static void fail(const char* what) {
  fprintf(stderr, "delay-wire: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static void* take(void* argument) {
  struct direction* way = argument;
  for (;;) {
    pthread_mutex_lock(&way->mutex);
    while (way->head - way->tail == SLOTS) pthread_cond_wait(&way->changed, &way->mutex);
    pthread_mutex_unlock(&way->mutex);
    struct slot* slot = &way->slots[way->head % SLOTS];
    const ssize_t length = read(way->from, slot->bytes, SLOT_BYTES);
    if (length < 0 && errno != EINTR && errno != EAGAIN) fail("read");
    if (length <= 0) continue;
    slot->length = length;
    slot->due = now() + way->delay;
    pthread_mutex_lock(&way->mutex);
    way->head++;
    pthread_cond_broadcast(&way->changed);
    pthread_mutex_unlock(&way->mutex);
  }
  return NULL;
}

static void* give(void* argument) {
  struct direction* way = argument;
  for (;;) {
    pthread_mutex_lock(&way->mutex);
    while (way->head == way->tail) pthread_cond_wait(&way->changed, &way->mutex);
    pthread_mutex_unlock(&way->mutex);
    struct slot* slot = &way->slots[way->tail % SLOTS];
    const struct timespec due = {slot->due / 1000000000, slot->due % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
    // A packet that the other side's device doesn't take is lost, as on any wire.
    while (write(way->to, slot->bytes, slot->length) < 0 && errno == EINTR) continue;
    pthread_mutex_lock(&way->mutex);
    way->tail++;
    pthread_cond_broadcast(&way->changed);
    pthread_mutex_unlock(&way->mutex);
  }
  return NULL;
}

static void control(int fd, unsigned long request, void* argument, const char* what) {
  if (ioctl(fd, request, argument) < 0) fail(what);
}

static void address(struct sockaddr* to, const char* text) {
  struct sockaddr_in in = {.sin_family = AF_INET};
  inet_pton(AF_INET, text, &in.sin_addr);
  memcpy(to, &in, sizeof in);
}

/** A TUN device in a namespace, up, with an address. */
static int device(const char* namespace, const char* own) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  const int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) fail(path);
  close(space);
  const int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (tun < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_name = "wire0"};
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  control(tun, TUNSETIFF, &request, "TUNSETIFF");
  const unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  if (ioctl(tun, TUNSETOFFLOAD, offloads) < 0) fail("TUNSETOFFLOAD");
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0) fail("socket");
  request.ifr_qlen = 10000;
  control(any, SIOCSIFTXQLEN, &request, "SIOCSIFTXQLEN");
  address(&request.ifr_addr, own);
  control(any, SIOCSIFADDR, &request, "SIOCSIFADDR");
  address(&request.ifr_netmask, "255.255.255.0");
  control(any, SIOCSIFNETMASK, &request, "SIOCSIFNETMASK");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  control(any, SIOCSIFFLAGS, &request, "SIOCSIFFLAGS");
  close(any);
  return tun;
}

static void start(int from, int to, uint64_t delay) {
  struct direction* way = calloc(1, sizeof *way);
  const size_t bytes = sizeof(struct slot) * SLOTS;
  // Only slots that are used take memory.
  struct slot* slots =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (way == NULL || slots == MAP_FAILED) fail("memory");
  *way = (struct direction){.from = from, .to = to, .delay = delay, .slots = slots};
  pthread_mutex_init(&way->mutex, NULL);
  pthread_cond_init(&way->changed, NULL);
  pthread_t thread;
  if (pthread_create(&thread, NULL, take, way) != 0) fail("thread");
  if (pthread_create(&thread, NULL, give, way) != 0) fail("thread");
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "delay-wire NAMESPACE-A NAMESPACE-B DELAY-MICROSECONDS\n");
    return 2;
  }
  // Sleeps end when they are due, not up to 50 µs later.
  prctl(PR_SET_TIMERSLACK, 1);
  const uint64_t delay = strtoull(argv[3], NULL, 10) * 1000;
  const int a = device(argv[1], "10.86.7.1");
  const int b = device(argv[2], "10.86.7.2");
  start(a, b, delay);
  start(b, a, delay);
  printf("ready\n");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}
