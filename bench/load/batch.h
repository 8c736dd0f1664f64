#pragma once

#include <stddef.h>

#include "options.h"

// The bytes that one connection sends at once: `depth` messages, each with its
// length in front when the work is framed. The echo is the same bytes.
struct batch {
  unsigned char* data;
  size_t length;
};

struct batch make_batch(const struct options* options);
