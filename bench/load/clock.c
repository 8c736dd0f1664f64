// The server's CPU time is read from outside, through its process's CPU clock
// (clock_getcpuclockid(3)): user and system time of all threads, ended ones
// included, from the scheduler's own nanosecond counters. /proc/PID/stat holds
// the same in ticks of 10 ms, and /proc/PID/schedstat holds the main thread
// only. A running thread's counter moves at the scheduler tick at the latest,
// so a window has an error of at most one tick (1-10 ms) a thread.
#include "clock.h"

#include <errno.h>
#include <time.h>

#include "fail.h"

static uint64_t read_clock(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) fail("clock_gettime");
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t now_ns(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t own_cpu_ns(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t server_cpu_ns(const struct options* options) {
  uint64_t total = 0;
  for (unsigned i = 0; i < options->server_pid_count; i++) {
    clockid_t clock;
    int error = clock_getcpuclockid(options->server_pids[i], &clock);
    if (error != 0) {
      errno = error;
      fail("clock_getcpuclockid (did the server end?)");
    }
    total += read_clock(clock);
  }
  return total;
}
