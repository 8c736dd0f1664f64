#pragma once

#include <stddef.h>

// Ends the process with a sentence on stderr: WHAT: errno's text.
_Noreturn void die(const char* what);

// A listening TCP socket on 127.0.0.1; port 0 is any. Several may share a port.
int listen_tcp(unsigned short port);

// A bound UDP socket on 127.0.0.1, any port.
int bind_udp(void);

// The port that a socket is bound to.
unsigned short port_of(int fd);

// Prints `ready PORT` and leaves stdin to a thread of its own, which answers
// "gc" with "collected" and ends the process at the end of stdin.
void say_ready(int fd);

// The value after --NAME, or NULL.
const char* argument(int argc, char** argv, const char* name);

// Whether --NAME is there.
int has_flag(int argc, char** argv, const char* name);
