/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_slot.h
 * A slot: the file key under the key of one passphrase, and the line that it stands in.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_SLOT_H
#define KEYHOLD_KEYFILE_SEALED_SLOT_H

#include "keyhold/aead.h"
#include "sealed_kdf.h"

/** Sizes in bytes. */
enum {
  KH_SEALED_KEY_SIZE = KH_AEAD_KEY_SIZE, /**< of the file key and of a slot's key */
  KH_SEALED_WRAPPED_SIZE = KH_SEALED_KEY_SIZE + KH_AEAD_TAG_SIZE,
  KH_SEALED_LINE_MAX = 320 /**< of a slot's line, line end and NUL included */
};

/** A slot as it stands in a file. */
typedef struct kh_sealed_line {
  kh_bytes text;  /**< the line with its line end */
  kh_bytes bound; /**< the line up to the wrapped key, which is bound to it */
  kh_sealed_slot slot;
  uint8_t salt[KH_SEALED_SALT_SIZE];
  uint8_t nonce[KH_AEAD_NONCE_SIZE];
  uint8_t wrapped[KH_SEALED_WRAPPED_SIZE]; /**< the file key */
} kh_sealed_line;

/** The text of a new line. */
typedef struct kh_sealed_line_text {
  char text[KH_SEALED_LINE_MAX];
  size_t len;
} kh_sealed_line_text;

/** Whether a character may stand in a label. */
bool kh_sealed_is_label(int byte);

/** Whether a slot may have this label. */
bool kh_sealed_label_is_valid(const char *label);

/** The number of the slot with a label, from 0; slots->count: there is none. */
size_t kh_sealed_slots_find(const kh_sealed_slots *slots, const char *label);

/** Whether a file can have so many slots. @return KH_OK, KH_E_SLOT_COUNT. */
KH_MUST_USE kh_status kh_sealed_slots_check_count(const char *path, size_t count,
                                                  kh_fault *ret_fault);

/**
 * Whether these slots could be those of a file: each one, their labels, and what they cost
 * together.
 *
 * @param path  for messages.
 * @return KH_OK, KH_E_SLOT_LABEL, KH_E_SLOT_COST, KH_E_SLOT_EXISTS.
 */
KH_MUST_USE kh_status kh_sealed_slots_validate(const char *path, const kh_sealed_slots *slots,
                                               kh_fault *ret_fault);

/** Fills a fault that is a slot's, and gives its status back. */
kh_status kh_sealed_slot_fail(kh_fault *ret_fault, kh_status status, const char *path,
                              const char *label);

/** Whether a new slot can have this passphrase. @return KH_OK, KH_E_NO_PASSPHRASE,
 * KH_E_SECRET_TOO_LONG. */
KH_MUST_USE kh_status kh_sealed_entry_check_passphrase(const char *path,
                                                       const kh_sealed_entry *entry,
                                                       kh_fault *ret_fault);

/**
 * Wraps the file key for a passphrase, with a new salt and a new nonce.
 *
 * @param entry     a valid slot.
 * @param ret_line  undefined on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_sealed_slot_wrap(const kh_sealed_entry *entry, const kh_secret *file_key,
                                          kh_sealed_line_text *ret_line);

/**
 * Gets the file key out of a slot.
 *
 * @param ret_file_key  room for KH_SEALED_KEY_SIZE bytes; its length is set.
 * @return KH_OK, KH_E_WRONG_PASSPHRASE, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_sealed_slot_unwrap(const kh_sealed_line *line, kh_bytes passphrase,
                                            kh_secret *ret_file_key);

#endif
