// The load generator: one process, one thread, one kind of work against a
// server that is there already. Every loop ends by count or by clock.
#include <signal.h>
#include <string.h>

#include "fail.h"
#include "workloads.h"

static const struct {
  const char* name;
  void (*run)(const struct options*);
} WORKLOADS[] = {
    {"tcp-echo", run_tcp_echo},    // size x depth on each connection, and back
    {"tcp-cycle", run_tcp_cycle},  // connect, one echo, close
    {"tcp-push", run_tcp_push},    // the server receives in bulk
    {"tcp-pull", run_tcp_pull},    // the server sends in bulk
    {"tcp-hold", run_tcp_hold},    // connections that echo once and then idle
    {"udp-echo", run_udp_echo},    // one datagram in flight for each peer
    {"udp-push", run_udp_push},    // the server receives one way
    {"udp-pull", run_udp_pull},    // the server sends one way
};

int main(int argc, char** argv) {
  struct options options = parse_options(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; i < sizeof WORKLOADS / sizeof *WORKLOADS; i++) {
    if (strcmp(WORKLOADS[i].name, options.workload) == 0) {
      WORKLOADS[i].run(&options);
      return 0;
    }
  }
  fail_text("unknown workload");
}
