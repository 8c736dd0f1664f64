#pragma once

#include "options.h"

// A blocking TCP connection with TCP_NODELAY. `index` chooses the source among
// 127.0.0.1-127.0.0.32 so that no pair of addresses runs out of ports.
int connect_tcp(const struct options* options, unsigned index);

// The same without waiting for the handshake: non-blocking, EINPROGRESS is fine.
int begin_tcp(const struct options* options, unsigned index);

// A UDP socket connected to the server, non-blocking, with large buffers.
int connect_udp(const struct options* options);

void set_nonblocking(int fd);
