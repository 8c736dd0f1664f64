#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "options.h"

// The measured window: a warm-up, then the time in which messages count.
struct window {
  const struct options* options;
  bool measuring;
  uint64_t warm_until, ends;             // monotonic, ns
  uint64_t began, cpu_began, own_began;  // at the window's first moment
  uint64_t messages, bytes, lost;
  uint64_t last_bytes;  // of the last transfer
  uint64_t starved;     // connections that got no answer in the window
  uint64_t progressed;  // the last moment at which anything was counted
  uint64_t progress_seen;
  struct histogram latencies;
};

void window_open(struct window* window, const struct options* options);

// Moves from the warm-up to the window, notices a stall; false once it is over.
bool window_goes_on(struct window* window);

// Starts to count now, whatever the warm-up's clock says.
void window_measure(struct window* window);

void window_count(struct window* window, uint64_t messages, uint64_t bytes);

// Prints the result as one line of JSON on stdout.
void window_report(const struct window* window);
