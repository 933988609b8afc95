/* SPDX-License-Identifier: GPL-2.0-only */
#include "memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyhold/secret.h"
#include "unit.h"

enum { CHUNK = 1 << 16 };

static int is_at(const unsigned char *memory, const struct masked *secret)
{
  for (size_t i = 0; i < secret->len; i++)
    if ((memory[i] ^ MEMORY_MASK) != secret->bytes[i])
      return 0;
  return 1;
}

/* Number of places in [from, to) that hold the secret; chunks overlap so that none is cut. */
static size_t count_in(int mem, unsigned long from, unsigned long to, const struct masked *secret)
{
  static unsigned char chunk[CHUNK];
  size_t found = 0;
  for (unsigned long at = from; at < to; at += CHUNK - MEMORY_SECRET_MAX) {
    size_t want = to - at < CHUNK ? to - at : CHUNK;
    if (at <= (uintptr_t)chunk && (uintptr_t)chunk < at + want)
      continue; /* the copy that is being made */
    ssize_t got = pread(mem, chunk, want, (off_t)at);
    for (size_t i = 0; got > 0 && i + secret->len <= (size_t)got && i < CHUNK - MEMORY_SECRET_MAX;
         i++)
      found += (size_t)is_at(chunk + i, secret);
  }
  kh_wipe(chunk, sizeof chunk);
  return found;
}

size_t memory_count(const struct masked *secret, enum memory_kind kind)
{
  FILE *maps = fopen("/proc/self/smaps", "r");
  int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  char line[1024];
  unsigned long from = 0, to = 0, next_from, next_to;
  char mode[8] = "", next_mode[8];
  size_t found = 0;
  assert_non_null(maps);
  assert_true(mem >= 0);
  while (fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%lx-%lx %7s", &next_from, &next_to, next_mode) == 3) {
      from = next_from;
      to = next_to;
      memcpy(mode, next_mode, sizeof mode);
    } else if (strncmp(line, "VmFlags:", 8) == 0 && mode[0] == 'r') {
      enum memory_kind its = strstr(line, " dd") == NULL ? MEMORY_DUMPED : MEMORY_NOT_DUMPED;
      if (its == kind &&
          to - from < 1UL << 32) /* the sanitizers' shadows are larger, and not dumped */
        found += count_in(mem, from, to, secret);
    }
  }
  close(mem);
  fclose(maps);
  return found;
}
