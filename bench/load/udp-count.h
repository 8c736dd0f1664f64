#pragma once

#include <stdint.h>

// Datagram servers of one-way work answer a datagram of 4 bytes with their
// count of the other datagrams so far, 8 bytes big-endian. Returns that count;
// asks again every 50 ms and gives up after 10 s.
uint64_t udp_count(int fd);

// The big-endian number of 8 bytes at `at`.
uint64_t read_count(const unsigned char* at);
