#include "window.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fail.h"

// Arbitrary; longer than any pause of a garbage collector.
static const uint64_t STALL_NS = 10ull * 1000000000;

static uint64_t nanoseconds(double seconds) { return (uint64_t)(seconds * 1e9); }

void window_open(struct window* window, const struct options* options) {
  memset(window, 0, sizeof *window);
  window->options = options;
  window->progressed = now_ns();
  window->warm_until = window->progressed + nanoseconds(options->warmup_seconds);
}

void window_measure(struct window* window) {
  histogram_clear(&window->latencies);
  window->messages = window->bytes = window->lost = 0;
  window->measuring = true;
  window->cpu_began = server_cpu_ns(window->options);
  window->own_began = own_cpu_ns();
  window->began = window->progressed = now_ns();
  window->ends = window->began + nanoseconds(window->options->seconds);
}

static void check_progress(struct window* window, uint64_t now) {
  if (window->bytes != window->progress_seen) {
    window->progress_seen = window->bytes;
    window->progressed = now;
  } else if (now - window->progressed > STALL_NS) {
    fail_text("stalled: nothing came back for 10 s");
  }
}

bool window_goes_on(struct window* window) {
  uint64_t now = now_ns();
  check_progress(window, now);
  if (!window->measuring) {
    if (now >= window->warm_until) window_measure(window);
    return true;
  }
  unsigned long limit = window->options->messages;
  return now < window->ends && (limit == 0 || window->messages < limit);
}

void window_count(struct window* window, uint64_t messages, uint64_t bytes) {
  window->messages += messages;
  window->bytes += bytes;
}

static double microseconds(uint64_t ns) { return (double)ns / 1e3; }

void window_report(const struct window* window) {
  uint64_t cpu = server_cpu_ns(window->options) - window->cpu_began;
  uint64_t own = own_cpu_ns() - window->own_began;
  uint64_t elapsed = now_ns() - window->began;
  const struct histogram* latencies = &window->latencies;
  printf(
      "{\"workload\":\"%s\",\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.6f,"
      "\"serverCpuSeconds\":%.6f,\"clientCpuSeconds\":%.6f,\"lost\":%lld,\"starved\":%llu,"
      "\"lastBytes\":%llu",
      window->options->workload, (unsigned long long)window->messages,
      (unsigned long long)window->bytes, (double)elapsed / 1e9, (double)cpu / 1e9,
      (double)own / 1e9, (long long)window->lost, (unsigned long long)window->starved,
      (unsigned long long)window->last_bytes);
  if (latencies->total > 0) {
    printf(",\"p50Us\":%.2f,\"p99Us\":%.2f,\"maxUs\":%.2f",
           microseconds(histogram_quantile(latencies, 0.5)),
           microseconds(histogram_quantile(latencies, 0.99)), microseconds(latencies->max));
  }
  printf("}\n");
}
