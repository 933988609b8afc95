/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_slot.h
 * A slot: the file key wrapped for one passphrase, and the line that it is in.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_SLOT_H
#define KEYHOLD_KEYFILE_SEALED_SLOT_H

#include "sealed_kind.h"

/** Return whether a character may be in a label, or in a text parameter. */
bool kh_sealed_is_label(int byte);
bool kh_sealed_is_text(int byte);

/** Returns the index of the slot with a label, or slots->count. */
size_t kh_sealed_slots_find(const kh_sealed_slots *slots, const char *label);

/**
 * Checks whether a file could have these slots: their number, each one, their labels, and their
 * total cost.
 *
 * @param path  for messages.
 * @return KH_OK, KH_E_SLOT_COUNT, KH_E_SLOT_LABEL, KH_E_SLOT_COST, KH_E_SLOT_TEXT,
 * KH_E_SLOT_EXISTS.
 */
KH_MUST_USE kh_status kh_sealed_slots_validate(const char *path, const kh_sealed_slots *slots,
                                               kh_fault *ret_fault);

/** Checks whether a new slot can have this passphrase. @return KH_OK, KH_E_NO_PASSPHRASE,
 * KH_E_SECRET_TOO_LONG. */
KH_MUST_USE kh_status kh_sealed_entry_check_passphrase(const char *path,
                                                       const kh_sealed_entry *entry,
                                                       kh_fault *ret_fault);

/**
 * Wraps the file key for a passphrase, with new random bytes. One derivation. Writes no field that
 * is longer than the line has room for.
 *
 * @param entry     a valid slot.
 * @param ret_line  its text; the fields are not set. Undefined on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO, the codes of the kind.
 */
KH_MUST_USE kh_status kh_sealed_slot_wrap(const kh_sealed_entry *entry, const kh_secret *file_key,
                                          kh_sealed_line *ret_line);

/**
 * Proves that a passphrase unwraps the file key of a slot. One derivation.
 *
 * @return KH_OK, KH_E_WRONG_PASSPHRASE, KH_E_NO_MEMORY, KH_E_CRYPTO, the codes of the kind.
 */
KH_MUST_USE kh_status kh_sealed_slot_prove(const kh_sealed_line *line, kh_bytes passphrase,
                                           const kh_secret *file_key);

#endif
