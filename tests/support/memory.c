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

static unsigned char chunk[CHUNK]; /* what is searched; wiped after each search */

static size_t count_in_chunk(ssize_t len, const struct masked *secret)
{
  if (len < (ssize_t)secret->len)
    return 0;
  size_t starts = (size_t)len - secret->len + 1;
  if (starts > CHUNK - MEMORY_SECRET_MAX)
    starts = CHUNK - MEMORY_SECRET_MAX;
  const unsigned char *end = chunk + starts;
  const unsigned char *at = chunk;
  size_t found = 0;
  while ((at = memchr(at, secret->bytes[0] ^ MEMORY_MASK, (size_t)(end - at))) != NULL)
    found += (size_t)is_at(at++, secret);
  return found;
}

/* Returns in how many places of [from, to) the secret is; chunks overlap so that none is cut. */
static size_t count_in(int mem, unsigned long from, unsigned long to, const struct masked *secret)
{
  size_t found = 0;
  for (unsigned long at = from; at < to; at += CHUNK - MEMORY_SECRET_MAX) {
    size_t want = to - at < CHUNK ? to - at : CHUNK;
    if (at <= (uintptr_t)chunk && (uintptr_t)chunk < at + want)
      continue; /* the copy that is being made */
    found += count_in_chunk(pread(mem, chunk, want, (off_t)at), secret);
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

size_t memory_count_in_file(const struct masked *secret, const char *path)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t found = 0;
  ssize_t got;
  assert_true(fd >= 0);
  for (off_t at = 0; (got = pread(fd, chunk, CHUNK, at)) > 0; at += CHUNK - MEMORY_SECRET_MAX)
    found += count_in_chunk(got, secret);
  close(fd);
  kh_wipe(chunk, sizeof chunk);
  return found;
}

/* Reads one byte at a time, so that no buffer of the C library has them. */
struct masked memory_mask_file(const char *path, size_t skip, size_t len)
{
  struct masked masked = {.len = len};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(lseek(fd, (off_t)skip, SEEK_SET), skip);
  for (size_t i = 0; i < len; i++) {
    assert_int_equal(read(fd, &masked.bytes[i], 1), 1);
    masked.bytes[i] ^= MEMORY_MASK;
  }
  close(fd);
  return masked;
}

static unsigned char value_of(unsigned char digit)
{
  return (unsigned char)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

struct masked memory_unhex(const struct masked *digits)
{
  struct masked masked = {.len = digits->len / 2};
  for (size_t i = 0; i < masked.len; i++)
    masked.bytes[i] =
        (unsigned char)(MEMORY_MASK ^ (value_of(digits->bytes[2 * i] ^ MEMORY_MASK) << 4 |
                                       value_of(digits->bytes[2 * i + 1] ^ MEMORY_MASK)));
  return masked;
}
