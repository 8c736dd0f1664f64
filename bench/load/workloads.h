#pragma once

#include "options.h"

// Each runs one kind of work to its end, prints one line of JSON and returns.
void run_tcp_echo(const struct options* options);
void run_tcp_cycle(const struct options* options);
void run_tcp_push(const struct options* options);
void run_tcp_pull(const struct options* options);
void run_tcp_hold(const struct options* options);
void run_udp_echo(const struct options* options);
void run_udp_push(const struct options* options);
void run_udp_pull(const struct options* options);
