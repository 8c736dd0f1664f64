#pragma once

#include <stdint.h>

#include "options.h"

// Monotonic time in nanoseconds.
uint64_t now_ns(void);

// CPU time that the server's processes have used so far, in nanoseconds.
uint64_t server_cpu_ns(const struct options* options);

// CPU time that the generator itself has used so far, in nanoseconds.
uint64_t own_cpu_ns(void);
