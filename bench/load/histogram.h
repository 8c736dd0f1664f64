#pragma once

#include <stdint.h>

// Latencies in nanoseconds, kept to within 1/64 of their value: 64 linear steps
// for each power of two, as in HdrHistogram.
enum { HISTOGRAM_STEPS = 64, HISTOGRAM_POWERS = 48 };

struct histogram {
  uint64_t counts[HISTOGRAM_POWERS * HISTOGRAM_STEPS];
  uint64_t total;
  uint64_t max;
};

void histogram_clear(struct histogram* histogram);
void histogram_add(struct histogram* histogram, uint64_t value);

// The value that a share (0 to 1) of all values does not exceed; 0 when empty.
uint64_t histogram_quantile(const struct histogram* histogram, double share);
