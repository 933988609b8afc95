/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed.h
 * The sealed key file: the text of a key file encrypted under a random file key, which is wrapped
 * once for each passphrase, in a slot. docs/format-sealed.md is the format.
 *
 * All functions work on files in memory; `path` is for messages only. Each call that takes a
 * passphrase may take seconds (KH_SEALED_WORK_MAX) and up to KH_ARGON2_MEMORY_MAX of memory.
 */
#ifndef KEYHOLD_SEALED_H
#define KEYHOLD_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/fault.h"
#include "keyhold/limits.h"
#include "keyhold/secret.h"
#include "keyhold/status.h"

/** What makes a key of a passphrase. */
typedef enum kh_sealed_kdf {
  KH_SEALED_ARGON2ID,           /**< "argon2id": RFC 9106, version 0x13, one lane */
  KH_SEALED_PBKDF2_HMAC_SHA512, /**< "pbkdf2-hmac-sha512": RFC 8018, 5.2 */
  KH_SEALED_KDF_COUNT
} kh_sealed_kdf;

/** What is open to read of a slot. Costs that its key derivation does not have are 0. */
typedef struct kh_sealed_slot {
  char label[KH_SEALED_LABEL_MAX + 1]; /**< a to z, A to Z, 0 to 9, '.', '_' and '-'; one at least;
                                          no two slots of a file have the same */
  kh_sealed_kdf kdf;
  uint32_t memory;     /**< of Argon2id, in KiB */
  uint32_t passes;     /**< of Argon2id */
  uint32_t iterations; /**< of PBKDF2 */
} kh_sealed_slot;

/** The slots of a file, in its order. */
typedef struct kh_sealed_slots {
  kh_sealed_slot at[KH_SEALED_SLOTS_MAX];
  size_t count;
} kh_sealed_slots;

/** A slot that is to be made, and the passphrase that will open it: not empty, at most
 * KH_SECRET_LITERAL_MAX bytes. */
typedef struct kh_sealed_entry {
  kh_sealed_slot slot;
  kh_bytes passphrase;
} kh_sealed_entry;

/** The label of the slot in a file that is made without anybody choosing one. */
#define KH_SEALED_LABEL_DEFAULT "main"

/** The name of a key derivation as it stands in a slot; constant. Thread-safe. */
const char *kh_sealed_kdf_name(kh_sealed_kdf kdf);

/** Finds a key derivation by that name; *ret_kdf is untouched when there is none. Thread-safe. */
bool kh_sealed_kdf_by_name(kh_bytes name, kh_sealed_kdf *ret_kdf);

/** A slot with the default costs; a label that is too long becomes "", which is none.
 * Thread-safe. */
kh_sealed_slot kh_sealed_slot_default(const char *label, kh_sealed_kdf kdf);

/**
 * Whether a slot could stand in a file by itself: its label and its costs.
 *
 * @param ret_fault  may be NULL; without a path.
 * @return KH_OK, KH_E_SLOT_LABEL (without the label, which may be something secret),
 * KH_E_SLOT_COST. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_slot_validate(const kh_sealed_slot *slot, kh_fault *ret_fault);

/** Whether a file is sealed, in any version of the format: it begins with "keyhold-sealed ", or its
 * last line is that of a sealed file, whose first bytes are damaged then. */
bool kh_sealed_knows(kh_bytes file);

/**
 * Reads the slots, without a passphrase: so what it says is what the file says, and not proved.
 *
 * @param ret_slots  untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_SEALED_DAMAGED (with the line and the column; without, when only the checksum
 * is wrong), KH_E_SEALED_NEWER, KH_E_SEALED_COST (with the line). Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_list(const char *path, kh_bytes file, kh_sealed_slots *ret_slots,
                                     kh_fault *ret_fault);

/**
 * Makes a sealed file with a new file key.
 *
 * @param entries   1 to KH_SEALED_SLOTS_MAX.
 * @param ret_file  for kh_secret_free(); untouched on failure. It may be longer than
 * KH_KEYFILE_MAX.
 * @param ret_fault may be NULL; `slot` has the label of the entry that is wrong.
 * @return KH_OK; KH_E_SLOT_COUNT, KH_E_SLOT_LABEL, KH_E_SLOT_COST (also when all together cost too
 * much), KH_E_SLOT_EXISTS; KH_E_NO_PASSPHRASE (an empty one), KH_E_SECRET_TOO_LONG;
 * KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_make(const char *path, kh_bytes text,
                                     const kh_sealed_entry *entries, size_t count,
                                     kh_secret **ret_file, kh_fault *ret_fault);

/**
 * Opens a sealed file: tries the passphrase in each slot, in the file's order.
 *
 * @param ret_text   for kh_secret_free(); untouched on failure.
 * @param ret_slot   the number of the slot that opened, from 0; may be NULL; untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_sealed_list(); KH_E_WRONG_PASSPHRASE; KH_E_SEALED_CHANGED;
 * KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_open(const char *path, kh_bytes file, kh_bytes passphrase,
                                     kh_secret **ret_text, size_t *ret_slot, kh_fault *ret_fault);

/**
 * Puts another text into a sealed file. The slots stay, byte for byte, and with them all
 * passphrases.
 *
 * @param passphrase  of any slot.
 * @return as kh_sealed_open(); otherwise as kh_sealed_make(). Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_replace_text(const char *path, kh_bytes file, kh_bytes passphrase,
                                             kh_bytes text, kh_secret **ret_file,
                                             kh_fault *ret_fault);

/**
 * Adds a slot behind the others; text and file key stay.
 *
 * @param passphrase  of any slot that is there.
 * @return the codes of kh_sealed_open() and kh_sealed_make(). Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_add_slot(const char *path, kh_bytes file, kh_bytes passphrase,
                                         const kh_sealed_entry *added, kh_secret **ret_file,
                                         kh_fault *ret_fault);

/**
 * Gives a slot, the one with the label of `changed`, another passphrase, and the key derivation and
 * costs of `changed`. It keeps its place.
 *
 * The only slot of a file gets a new file key with it. With other slots the file key stays, since
 * their passphrases would be needed to wrap a new one: who knows the old passphrase and has an old
 * copy of the file can still work it out, and then read newer copies. kh_sealed_make() makes a file
 * with a new one.
 *
 * @param passphrase  of any slot, the one that is changed or another one.
 * @return the codes of kh_sealed_open() and kh_sealed_make(); KH_E_SLOT_NOT_FOUND. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_change_slot(const char *path, kh_bytes file, kh_bytes passphrase,
                                            const kh_sealed_entry *changed, kh_secret **ret_file,
                                            kh_fault *ret_fault);

/**
 * Removes a slot. The file key becomes a new one if one slot is left, and stays otherwise; see
 * kh_sealed_change_slot().
 *
 * @param passphrase  of a slot that stays, so that nobody locks himself out: that of the slot which
 * is removed is a wrong one.
 * @param label       of the slot.
 * @return the codes of kh_sealed_open(); KH_E_SLOT_LABEL, KH_E_SLOT_NOT_FOUND, KH_E_SLOT_LAST.
 * Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_remove_slot(const char *path, kh_bytes file, kh_bytes passphrase,
                                            const char *label, kh_secret **ret_file,
                                            kh_fault *ret_fault);

#endif
