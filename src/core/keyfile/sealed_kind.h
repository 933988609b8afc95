/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_kind.h
 * The kinds of a slot: how the file key is wrapped, and what of that is in the slot's line. A kind
 * is a const table in a file of its own, a line in the array of sealed_kind.c, and its declaration.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_KIND_H
#define KEYHOLD_KEYFILE_SEALED_KIND_H

#include "keyhold/aead.h"
#include "keyhold/sealed.h"

/** Sizes in bytes. */
enum {
  KH_SEALED_KEY_SIZE = KH_AEAD_KEY_SIZE, /**< of the file key */
  KH_SEALED_FIELDS_MAX = 128,            /**< of all fields of a slot */
  KH_SEALED_LINE_MAX = 320               /**< of a slot's line, line end and NUL included */
};

/** Bytes that are written as "name=digits" in a slot. */
typedef struct kh_sealed_field {
  const char *name; /**< NULL after the last one */
  size_t size;      /**< in bytes */
} kh_sealed_field;

/** A slot as it is in a file: "slot LABEL KIND name=number... name=digits..." and a line end. */
typedef struct kh_sealed_line {
  kh_sealed_slot slot;
  uint8_t fields[KH_SEALED_FIELDS_MAX]; /**< the kind's, one after the other */
  char text[KH_SEALED_LINE_MAX];
  size_t len;       /**< of the text, with its line end */
  size_t bound_len; /**< of the text up to the digits of the last field, which is bound to it */
} kh_sealed_line;

/** What src/core/keyfile knows of a kind. */
typedef struct kh_sealed_kind_functions {
  const kh_sealed_field *fields; /**< in the order of the slot; the last one is the wrapped key */

  /** What it costs to try a passphrase, by the measure of KH_SEALED_WORK_MAX. */
  uint64_t (*work)(const kh_sealed_slot *slot);

  /**
   * Wraps the file key: writes the kind's fields after what the line has.
   *
   * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
   */
  kh_status (*wrap)(kh_sealed_line *line, kh_bytes passphrase, const kh_secret *file_key);

  /**
   * Gets the file key out of a slot.
   *
   * @param ret_file_key  room for KH_SEALED_KEY_SIZE bytes; its length is set.
   * @return KH_OK, KH_E_WRONG_PASSPHRASE, KH_E_NO_MEMORY, KH_E_CRYPTO.
   */
  kh_status (*unwrap)(const kh_sealed_line *line, kh_bytes passphrase, kh_secret *ret_file_key);
} kh_sealed_kind_functions;

/** Writes " name=digits" at the end of the line. */
void kh_sealed_line_put_field(kh_sealed_line *line, const char *name, kh_bytes bytes);

/** The two halves of that for the last field: " name=", to which it is bound, and the digits. */
void kh_sealed_line_begin_field(kh_sealed_line *line, const char *name);
void kh_sealed_line_put_digits(kh_sealed_line *line, kh_bytes bytes);

/** What the last field is bound to: all of the line before its digits. */
kh_bytes kh_sealed_line_bound(const kh_sealed_line *line);

#endif
