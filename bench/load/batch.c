#include "batch.h"

#include <stdlib.h>

#include "fail.h"

enum { PREFIX = 4 };

static unsigned char* put_length(unsigned char* at, size_t length) {
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = (unsigned char)(length >> shift);
  return at;
}

struct batch make_batch(const struct options* options) {
  size_t prefix = options->framed ? PREFIX : 0;
  struct batch batch = {.length = options->depth * (options->size + prefix)};
  unsigned char* at = batch.data = malloc(batch.length);
  if (at == NULL) fail("malloc");
  for (unsigned message = 0; message < options->depth; message++) {
    if (options->framed) at = put_length(at, options->size);
    // 31 and 7 are arbitrary and odd, so that neighbours differ.
    for (size_t i = 0; i < options->size; i++) *at++ = (unsigned char)(i * 31 + message * 7);
  }
  return batch;
}
