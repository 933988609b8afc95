/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile_change.h
 * Makes key files, and changes what is in one or how it lies on the disk: all or nothing. What is
 * written was read back from memory before. rotation.h has new versions of keys.
 */
#ifndef KEYHOLD_KEYFILE_CHANGE_H
#define KEYHOLD_KEYFILE_CHANGE_H

#include "keyhold/keyfile.h"
#include "keyhold/keytable.h"
#include "keyhold/sealed.h"

/** How long a change of a key file, a rotation too, waits for another process that is changing it,
 * in milliseconds. */
#define KH_KEYFILE_LOCK_WAIT 10000u

/** How a new key file is to lie on the disk. */
typedef struct kh_keyfile_form {
  const char *format;          /**< "text", "openssl" or "sealed" */
  const kh_secret *passphrase; /**< not empty; NULL for a format that is not encrypted */
  kh_digest digest;            /**< openssl: of the key derivation */
  uint32_t pbkdf2_iterations;  /**< openssl: likewise; 0: no PBKDF2; at most INT_MAX */
  kh_sealed_slot slot;         /**< sealed: of its only slot */
} kh_keyfile_form;

/**
 * Makes a key file by kh_file_create(), after it was read back from memory and has the keys.
 *
 * @param path       at which there is nothing yet.
 * @param keys       key id 1 among them; no version twice.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_NO_PASSPHRASE, KH_E_NOT_ENCRYPTED (the form's passphrase is missing, or is
 * one too many); KH_E_FILE_TOO_LARGE; the codes of kh_keyfile_parse_text(), kh_sealed_make() and
 * kh_file_create(); KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe for different paths. May wait for the
 * disk, and for the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_create(const char *path, const kh_keyfile_form *form,
                                        const kh_crypt *crypt, const kh_keylist *keys,
                                        kh_fault *ret_fault);

/**
 * Writes a key file in another form. Its text stays, byte for byte, and what was written is read
 * back from memory and compared with it, key by key, before it takes the file's place.
 *
 * @param form       "text" and "openssl" take the text as it is; "sealed" makes a new file key and
 * one slot, whatever slots there were.
 * @param to         the path of a new file, for kh_file_create(); NULL: the file itself is
 * replaced, under its lock.
 * @param log        may be NULL.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_load() and kh_keyfile_create(), kh_lockfile_take() and
 * kh_file_replace(). As thread-safe as the log.
 */
KH_MUST_USE kh_status kh_keyfile_convert(const kh_keyfile_options *options, const kh_crypt *crypt,
                                         const kh_keyfile_form *form, const char *to,
                                         const kh_log *log, kh_fault *ret_fault);

/**
 * Takes old versions of keys out of a key file, under its kh_lockfile and by kh_file_replace(). A
 * line in the place of each says that it is retired, so that a server that has them in use
 * (kh_keytable_check_follows()) can tell that from a loss.
 *
 * @param retired    none of them the latest of its key; which keys they are does not matter.
 * @param expected   the stamp of the file for which that was decided.
 * @param log        may be NULL.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_FILE_CHANGED; KH_E_KEY_NOT_FOUND, KH_E_KEY_LATEST; the codes of
 * kh_keyfile_load(), kh_lockfile_take() and kh_file_replace(). As thread-safe as the log.
 */
KH_MUST_USE kh_status kh_keyfile_retire_versions(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, const kh_keytable *retired,
                                                 const kh_file_stamp *expected, const kh_log *log,
                                                 kh_fault *ret_fault);

/** What is done to a slot of a sealed key file. */
typedef enum kh_slot_change {
  KH_SLOT_ADD,    /**< kh_sealed_add_slot() */
  KH_SLOT_CHANGE, /**< kh_sealed_change_slot() */
  KH_SLOT_REMOVE, /**< kh_sealed_remove_slot() */
} kh_slot_change;

/**
 * Whether a change of a slot could be made, as far as that is to be seen without a passphrase.
 *
 * @param path       for messages.
 * @param slots      of the file.
 * @param slot       that is added, or what the slot with its label becomes; of one that is removed
 * only the label.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_SLOT_COUNT, KH_E_SLOT_LABEL, KH_E_SLOT_COST (also when all together would
 * cost too much), KH_E_SLOT_EXISTS, KH_E_SLOT_NOT_FOUND, KH_E_SLOT_LAST. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_check_slot(const char *path, const kh_sealed_slots *slots,
                                            kh_slot_change change, const kh_sealed_slot *slot,
                                            kh_fault *ret_fault);

/**
 * Adds, changes or removes a slot of a sealed key file: under its kh_lockfile, by
 * kh_file_replace(), and only if what is written opens, from memory, with a passphrase that shall
 * open it, to the same text.
 *
 * @param options    its passphrase is that of a slot; of one that stays when one is removed.
 * @param entry      the slot and its new passphrase; of a slot that is removed only the label.
 * @param log        may be NULL.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of the function of sealed.h, KH_E_SEALED_DAMAGED for a file of another
 * format; the codes of kh_keyfile_load(), kh_lockfile_take() and kh_file_replace(). As thread-safe
 * as the log.
 */
KH_MUST_USE kh_status kh_keyfile_change_slot(const kh_keyfile_options *options,
                                             const kh_crypt *crypt, kh_slot_change change,
                                             const kh_sealed_entry *entry, const kh_log *log,
                                             kh_fault *ret_fault);

/** A new key. */
typedef struct kh_keyfile_addition {
  uint32_t id;      /**< 0: one above the highest in the file, and above KH_KEY_ID_TEMPORARY */
  uint32_t len;     /**< in bytes: 16, 24 or 32 */
  kh_policy policy; /**< of its version 1; fits its length */
} kh_keyfile_addition;

/**
 * Makes a new key and writes it into the key file, at the end of its text; otherwise as
 * kh_keyfile_rotate() (rotation.h).
 *
 * @param ret_id  the key's id; untouched on failure.
 * @return KH_OK; KH_E_KEY_EXISTS; KH_E_NO_KEY_ID; otherwise as kh_keyfile_rotate().
 */
KH_MUST_USE kh_status kh_keyfile_add_key(const kh_keyfile_options *options, const kh_crypt *crypt,
                                         const kh_keyfile_addition *addition, const kh_log *log,
                                         uint32_t *ret_id, kh_fault *ret_fault);

#endif
