/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file memory.h
 * Searches this process's own memory for secrets. What is looked for must not itself lie about, so
 * a test holds it only under a mask.
 */
#ifndef KEYHOLD_TEST_MEMORY_H
#define KEYHOLD_TEST_MEMORY_H

#include <stddef.h>

enum { MEMORY_MASK = 0x5a, MEMORY_SECRET_MAX = 64 };

/** Bytes to look for, each XOR MEMORY_MASK. */
struct masked {
  unsigned char bytes[MEMORY_SECRET_MAX];
  size_t len;
};

/** Memory that core dumps take, or leave out. */
enum memory_kind { MEMORY_DUMPED, MEMORY_NOT_DUMPED };

/** Number of places in readable memory of that kind that hold the secret. */
size_t memory_count(const struct masked *secret, enum memory_kind kind);

/** Number of places in a file that hold the secret: in a core dump. */
size_t memory_count_in_file(const struct masked *secret, const char *path);

/** A part of a file, read so that no other copy is made. */
struct masked memory_mask_file(const char *path, size_t skip, size_t len);

/** What pairs of hexadecimal digits in small letters stand for. */
struct masked memory_unhex(const struct masked *digits);

#endif
