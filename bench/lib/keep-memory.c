// Keeps this machine's free memory backed by its host until its stdin ends: keep-memory MIB.
//
// A virtual machine with free page reporting gives blocks of 2 MiB that were free for two seconds
// back to its host; whoever writes them next pays for fetching them again, 2 us a page on ours, six
// times what the write itself costs. One locked page in each block keeps it: what is free around it
// is no whole block. Needs CAP_SYS_ADMIN for the physical addresses in /proc/self/pagemap
// (proc_pid_pagemap(5)).
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES_PER_BLOCK = 512, MOST_BLOCKS = 1 << 22, CHUNK = 4096 };

// The frame's number in an entry of the map.
static const uint64_t FRAME = (1ULL << 55) - 1;

static uint8_t is_kept[MOST_BLOCKS];

static int failed(const char* what) {
  perror(what);
  return 1;
}

static int no_addresses(void) {
  fprintf(stderr, "no physical addresses: that needs CAP_SYS_ADMIN\n");
  return 1;
}

int main(int argc, char** argv) {
  size_t pages = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) * (1 << 20) / PAGE;
  char* memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return failed("mmap");
  madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < pages; i++) memory[i * PAGE] = 1;

  int map = open("/proc/self/pagemap", O_RDONLY);
  if (map < 0) return failed("pagemap");
  size_t kept = 0;
  static uint64_t entries[CHUNK];
  for (size_t first = 0; first < pages; first += CHUNK) {
    size_t count = pages - first < CHUNK ? pages - first : CHUNK;
    off_t at = ((uintptr_t)memory / PAGE + first) * sizeof entries[0];
    ssize_t wanted = count * sizeof entries[0];
    if (pread(map, entries, wanted, at) != wanted) return failed("pagemap");
    size_t free_from = 0;
    for (size_t i = 0; i <= count; i++) {
      uint64_t block = i == count ? 0 : (entries[i] & FRAME) / PAGES_PER_BLOCK;
      if (i < count && (block == 0 || block >= MOST_BLOCKS)) return no_addresses();
      if (i < count && is_kept[block]) continue;
      char* free_memory = memory + (first + free_from) * PAGE;
      if (i > free_from) madvise(free_memory, (i - free_from) * PAGE, MADV_DONTNEED);
      free_from = i + 1;
      if (i == count) break;
      if (mlock(memory + (first + i) * PAGE, PAGE) != 0) return failed("mlock");
      is_kept[block] = 1;
      kept++;
    }
  }
  printf("ready %zu\n", kept);
  fflush(stdout);
  while (getchar() != EOF)
    ;
  return 0;
}
