/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file rotation.h
 * Opens a key file with the engines of engines.h, rotates and saves it, and checks the result.
 * Every failed check ends the test.
 */
#ifndef KEYHOLD_TEST_ROTATION_H
#define KEYHOLD_TEST_ROTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "engines.h"
#include "keyhold/keyfile.h"

/** One rotation: its inputs, then its results. */
typedef struct rotation_run {
  const char *path;
  const char *filekey;
  uint32_t iterations; /**< of PBKDF2; the digest is sha512 */
  kh_keytable *known;
  kh_rotation what; /**< `known` apart */

  kh_keyfile *file;       /**< NULL after a failure */
  const kh_keylist *list; /**< its keys; NULL after a failure */
  kh_rotated rotated;
  kh_fault fault;
} rotation_run;

/** A key in digits. */
typedef struct rotation_digits {
  char text[2 * KH_KEY_MAX + 1];
} rotation_digits;

/** Returns the table of a text, which need not have key id 1. */
kh_keytable *rotation_table_of(const char *text);

/** Rotates. Asserts that a failure leaves the outputs untouched and sets the status of the fault.
 */
kh_status rotation_run_it(rotation_run *run);

/** Frees the results. */
void rotation_free(rotation_run *run);

/** Returns a key version of the new list; it must exist. */
const kh_key *rotation_key(const rotation_run *run, uint32_t id, uint32_t version);

/** Returns a key's digits as the key file has them. */
rotation_digits rotation_hex(const kh_key *key);

/** Returns whether an unfinished new file is next to the key file. */
bool rotation_has_temporary(const char *path);

#endif
