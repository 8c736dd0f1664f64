#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MAX_SERVER_PIDS = 64 };

struct options {
  const char* workload;
  struct sockaddr_in server;
  size_t size;             // payload bytes of a message
  unsigned connections;    // or UDP peers
  unsigned depth;          // messages in flight on a connection
  unsigned long messages;  // stop after so many; 0: the clock decides
  size_t bytes;            // of one transfer (bulk and file workloads)
  double seconds;          // measured window
  double warmup_seconds;   // before it; replies are compared byte by byte here
  bool framed;             // 4-byte big-endian length before each message
  bool segmented;          // UDP_SEGMENT in what the generator sends
  pid_t server_pids[MAX_SERVER_PIDS];
  unsigned server_pid_count;
};

struct options parse_options(int argc, char** argv);
