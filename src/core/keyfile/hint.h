/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file hint.h
 * What stands where a line of a key file was expected: how editors, templates and other tools spoil
 * one. A hint never has a byte of the file: at most the kind of a character, and how many digits
 * there are. Looks at no more than the first bytes of a file and of a line.
 */
#ifndef KEYHOLD_KEYFILE_HINT_H
#define KEYHOLD_KEYFILE_HINT_H

#include <stdbool.h>

#include "keyhold/bytes.h"
#include "keyhold/limits.h"
#include "keyhold/status.h"

/** Where the reader of a text stopped. */
typedef struct kh_hint_place {
  kh_status status;
  kh_bytes text; /**< all of it, also what is after a NUL */
  kh_bytes line; /**< without its line end; empty for KH_E_NO_SYSTEM_KEY */
  size_t field;  /**< where in the line the wrong id or key begins */
  size_t at;     /**< where in the line the error is; not before `field` */
  bool has_keys; /**< a key was read before */
} kh_hint_place;

/** What was expected and what is there. */
typedef struct kh_hint {
  char text[KH_QUOTE_MAX]; /**< "": nothing is known about it */
  bool is_of_file;         /**< it is about the whole file: what other lines have does not matter */
} kh_hint;

/** Returns the hint for KH_E_SYNTAX, KH_E_KEY_ID, KH_E_KEY_HEX or KH_E_NO_SYSTEM_KEY; for another
 * status an empty one. Thread-safe. */
kh_hint kh_hint_for(const kh_hint_place *place);

/** Returns whether a text is of a kind that random bytes, such as a wrong passphrase gives, are
 * not: UTF-16, or compressed. Thread-safe. */
bool kh_hint_is_known_binary(kh_bytes text);

/** Returns what a file is that was to be an encrypted one, "the file is ...", if its beginning
 * tells; else NULL. Thread-safe. */
const char *kh_hint_of_file(kh_bytes text);

/** Returns what the ignored rest of a line, after its key, looks like if it is a key; else NULL.
 * Thread-safe. */
const char *kh_hint_of_rest(kh_bytes rest);

#endif
