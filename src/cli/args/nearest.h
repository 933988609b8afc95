/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file nearest.h
 * Finds the known name that is most like a mistyped one.
 */
#ifndef KEYHOLD_CLI_NEAREST_H
#define KEYHOLD_CLI_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of a name with its NUL; longer names are not compared. */
enum { KH_CLI_NAME_MAX = 32 };

/** The search for one word. Starts with the word, and all else zero. */
typedef struct kh_cli_nearest {
  const char *word;           /**< what was typed */
  char name[KH_CLI_NAME_MAX]; /**< the nearest name so far; "": none is near */
  size_t distance;            /**< between the two */
} kh_cli_nearest;

/**
 * Compares the word with a known name, and remembers the name if it is near and nearer than those
 * before. A name is near if the word is its beginning (two letters at least), or if one mistake in
 * three letters, at most two, turns it into the word: a letter that is missing, too many or wrong,
 * or two neighbours that are swapped.
 *
 * @param name  of `len` bytes; need not end with a NUL.
 */
void kh_cli_nearest_try(kh_cli_nearest *nearest, const char *name, size_t len);

/** Returns the number of such mistakes between two words of fewer than KH_CLI_NAME_MAX bytes. */
size_t kh_cli_distance(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
