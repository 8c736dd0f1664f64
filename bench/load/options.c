#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

// Upper bounds, so that a slip of the keyboard ends here and not in an hour.
enum { MAX_CONNECTIONS = 100000, MAX_DEPTH = 65536, MAX_MESSAGE = 64 << 20 };
static const double MAX_SECONDS = 600;

static const struct option LONG_OPTIONS[] = {
    {"host", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"size", required_argument, NULL, 's'},
    {"connections", required_argument, NULL, 'c'},
    {"depth", required_argument, NULL, 'd'},
    {"messages", required_argument, NULL, 'n'},
    {"bytes", required_argument, NULL, 'b'},
    {"seconds", required_argument, NULL, 't'},
    {"warmup", required_argument, NULL, 'w'},
    {"pid", required_argument, NULL, 'P'},
    {"framed", no_argument, NULL, 'f'},
    {"segmented", no_argument, NULL, 'g'},
    {NULL, 0, NULL, 0},
};

static double number(const char* text, double least, double most) {
  char* end;
  double value = strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(value >= least && value <= most)) {
    fail_text("a number on the command line is malformed or out of range");
  }
  return value;
}

static void add_pid(struct options* options, const char* text) {
  if (options->server_pid_count == MAX_SERVER_PIDS) fail_text("too many --pid");
  options->server_pids[options->server_pid_count++] = (pid_t)number(text, 1, 1 << 22);
}

static void apply(struct options* options, int letter, const char* text) {
  switch (letter) {
    case 'h':
      if (inet_pton(AF_INET, text, &options->server.sin_addr) != 1) fail_text("bad --host");
      break;
    case 'p':
      options->server.sin_port = htons((uint16_t)number(text, 1, 65535));
      break;
    case 's':
      options->size = (size_t)number(text, 1, MAX_MESSAGE);
      break;
    case 'c':
      options->connections = (unsigned)number(text, 1, MAX_CONNECTIONS);
      break;
    case 'd':
      options->depth = (unsigned)number(text, 1, MAX_DEPTH);
      break;
    case 'n':
      options->messages = (unsigned long)number(text, 0, 1e12);
      break;
    case 'b':
      options->bytes = (size_t)number(text, 1, 1e13);
      break;
    case 't':
      options->seconds = number(text, 0.01, MAX_SECONDS);
      break;
    case 'w':
      options->warmup_seconds = number(text, 0, MAX_SECONDS);
      break;
    case 'P':
      add_pid(options, text);
      break;
    case 'f':
      options->framed = true;
      break;
    case 'g':
      options->segmented = true;
      break;
    default:
      fail_text("unknown option");
  }
}

struct options parse_options(int argc, char** argv) {
  struct options options = {
      .server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
      .size = 64,
      .connections = 1,
      .depth = 1,
      .bytes = 256 << 20,
      .seconds = 2,
      .warmup_seconds = 0.5,
  };
  if (argc < 2) fail_text("usage: load WORKLOAD --port PORT [options]");
  options.workload = argv[1];
  int letter;
  optind = 2;
  while ((letter = getopt_long(argc, argv, "", LONG_OPTIONS, NULL)) != -1) {
    apply(&options, letter, optarg);
  }
  if (options.server.sin_port == 0) fail_text("--port is missing");
  return options;
}
