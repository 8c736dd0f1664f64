#include "histogram.h"

#include <string.h>

static unsigned slot_of(uint64_t value) {
  if (value < HISTOGRAM_STEPS) return (unsigned)value;
  unsigned power = 63 - (unsigned)__builtin_clzll(value);  // >= 6
  unsigned step = (unsigned)(value >> (power - 6)) & (HISTOGRAM_STEPS - 1);
  unsigned slot = (power - 5) * HISTOGRAM_STEPS + step;
  unsigned last = HISTOGRAM_POWERS * HISTOGRAM_STEPS - 1;
  return slot < last ? slot : last;
}

static uint64_t value_of(unsigned slot) {
  if (slot < HISTOGRAM_STEPS) return slot;
  unsigned power = slot / HISTOGRAM_STEPS + 5;
  uint64_t step = slot % HISTOGRAM_STEPS;
  return (HISTOGRAM_STEPS + step) << (power - 6);
}

void histogram_clear(struct histogram* histogram) { memset(histogram, 0, sizeof *histogram); }

void histogram_add(struct histogram* histogram, uint64_t value) {
  histogram->counts[slot_of(value)]++;
  histogram->total++;
  if (value > histogram->max) histogram->max = value;
}

uint64_t histogram_quantile(const struct histogram* histogram, double share) {
  uint64_t wanted = (uint64_t)(share * (double)histogram->total);
  uint64_t seen = 0;
  for (unsigned slot = 0; slot < HISTOGRAM_POWERS * HISTOGRAM_STEPS; slot++) {
    seen += histogram->counts[slot];
    if (seen > wanted) return value_of(slot);
  }
  return histogram->max;
}
