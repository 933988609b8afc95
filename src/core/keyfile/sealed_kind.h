/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_kind.h
 * The kinds of slots: how the file key is wrapped, and which fields the slot's line has. A kind
 * is a const table in a file of its own, a line in the array of sealed_kind.c, and its declaration.
 *
 * A kind gets no context. Besides the passphrase it reads all it needs from the slot's parameters,
 * such as the name of a key and the address of the service that holds it, and credentials from the
 * environment of the process. A kind that is not in version 1 files has the next version of the
 * format. A file has the highest version of its slots' kinds, so that an older Keyhold reports it
 * as newer, not as damaged.
 *
 * A slot does not prove its origin. An attacker who can write the file could name a key of their
 * own in a slot that needs no passphrase, and so make a file that opens. Such a kind must accept
 * only keys that the user of the process trusts, not any key that the parameters name.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_KIND_H
#define KEYHOLD_KEYFILE_SEALED_KIND_H

#include "keyhold/aead.h"
#include "keyhold/sealed.h"

/** Most fields that a kind of slot has. */
#define KH_SEALED_FIELD_COUNT_MAX 4u

/** Longest name of a kind, of a parameter and of a field in bytes. */
#define KH_SEALED_NAME_MAX 32u

/** Sizes in bytes. The words of a line are "slot", a label, a kind, the parameters and the fields.
 */
enum {
  KH_SEALED_KEY_SIZE = KH_AEAD_KEY_SIZE,            /**< of the file key */
  KH_SEALED_FIELDS_MAX = KH_SEALED_FIELD_MAX + 128, /**< of all fields of a slot */
  KH_SEALED_WORDS_MAX = 3 + KH_SEALED_PARAMETERS_MAX + KH_SEALED_FIELD_COUNT_MAX,
  KH_SEALED_LINE_MAX = KH_SEALED_WORDS_MAX * (KH_SEALED_NAME_MAX + 2) +
                       KH_SEALED_PARAMETERS_MAX * KH_SEALED_TEXT_MAX + 2 * KH_SEALED_FIELDS_MAX +
                       2 /**< of a slot's line, its end and NUL included */
};

/** Bytes that are written as "name=digits" in a slot. */
typedef struct kh_sealed_field {
  const char *name; /**< NULL after the last one */
  size_t least;     /**< in bytes, 1 at least */
  size_t most;      /**< in bytes; of all fields together KH_SEALED_FIELDS_MAX */
} kh_sealed_field;

/** A slot as it is in a file: "slot LABEL KIND name=value... name=digits..." and a line end. Large:
 * not for the stack. */
typedef struct kh_sealed_line {
  kh_sealed_slot slot;
  uint8_t fields[KH_SEALED_FIELDS_MAX]; /**< the kind's, one after the other */
  size_t field_lens[KH_SEALED_FIELD_COUNT_MAX];
  char text[KH_SEALED_LINE_MAX];
  size_t len;       /**< of the text, with its line end */
  size_t bound_len; /**< of the text up to the digits of the last field, which is bound to it */
} kh_sealed_line;

/** The functions of a kind, for src/core/keyfile only. */
typedef struct kh_sealed_kind_functions {
  const kh_sealed_field *fields; /**< in the order of the slot; the last one is the wrapped key */

  /** Returns the cost of trying a passphrase, in the unit of KH_SEALED_WORK_MAX; 0: negligible.
   */
  uint64_t (*work)(const kh_sealed_slot *slot);

  /**
   * Wraps the file key: appends the kind's fields to the line.
   *
   * @param passphrase  may be empty if the kind needs none.
   * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO; codes of its own if it needs no passphrase.
   */
  kh_status (*wrap)(kh_sealed_line *line, kh_bytes passphrase, const kh_secret *file_key);

  /**
   * Unwraps the file key of a slot.
   *
   * @param passphrase    may be empty if the kind needs none, and may be meant for another slot.
   * @param ret_file_key  room for KH_SEALED_KEY_SIZE bytes; its length is set.
   * @return KH_OK, KH_E_WRONG_PASSPHRASE (the slot does not open), KH_E_NO_MEMORY, KH_E_CRYPTO;
   * codes of its own if it needs no passphrase.
   */
  kh_status (*unwrap)(const kh_sealed_line *line, kh_bytes passphrase, kh_secret *ret_file_key);
} kh_sealed_kind_functions;

/** Returns a field of a line that was read, by its index in the kind's table. */
kh_bytes kh_sealed_line_field(const kh_sealed_line *line, size_t index);

/** Writes " name=digits" at the end of the line. Digits that the line has no room for are left out,
 * and reading it back finds it damaged. */
void kh_sealed_line_put_field(kh_sealed_line *line, const char *name, kh_bytes bytes);

/** Write the last field in two parts: " name=", to which it is bound, and the digits. */
void kh_sealed_line_begin_field(kh_sealed_line *line, const char *name);
void kh_sealed_line_put_digits(kh_sealed_line *line, kh_bytes bytes);

/** Returns what the last field is bound to: all of the line before its digits. */
kh_bytes kh_sealed_line_bound(const kh_sealed_line *line);

#endif
