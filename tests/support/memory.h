/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file memory.h
 * Searches this process's own memory for secrets. A test keeps what it searches for only under a
 * mask, so that it does not find its own copy.
 */
#ifndef KEYHOLD_TEST_MEMORY_H
#define KEYHOLD_TEST_MEMORY_H

#include <stddef.h>

enum { MEMORY_MASK = 0x5a, MEMORY_SECRET_MAX = 64 };

/** Bytes to search for, each XOR MEMORY_MASK. */
struct masked {
  unsigned char bytes[MEMORY_SECRET_MAX];
  size_t len;
};

/** Memory that core dumps include, or leave out. */
enum memory_kind { MEMORY_DUMPED, MEMORY_NOT_DUMPED };

/** Returns in how many places of readable memory of that kind the secret is. */
size_t memory_count(const struct masked *secret, enum memory_kind kind);

/** Returns in how many places of a file, such as a core dump, the secret is. */
size_t memory_count_in_file(const struct masked *secret, const char *path);

/** Reads a part of a file without making another copy. */
struct masked memory_mask_file(const char *path, size_t skip, size_t len);

/** Decodes pairs of hexadecimal digits in small letters. */
struct masked memory_unhex(const struct masked *digits);

#endif
