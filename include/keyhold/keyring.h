/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyring.h
 * The table of keys in force, which can be exchanged while any number of threads read.
 *
 * Readers never wait and write nothing that other threads read (read-copy-update, liburcu).
 */
#ifndef KEYHOLD_KEYRING_H
#define KEYHOLD_KEYRING_H

#include "keyhold/keytable.h"
#include "keyhold/status.h"

/** Holds one table at a time. */
typedef struct kh_keyring kh_keyring;

/**
 * Puts the first table in force.
 *
 * @param table     taken over on success.
 * @param ret_ring  for kh_keyring_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_keyring_new(kh_keytable *table, kh_keyring **ret_ring);

/** Wipes and frees the table in force, and the ring; sets the pointer to NULL. Takes NULL and a
 * pointer to NULL. No thread may be reading. */
void kh_keyring_free(kh_keyring **ring);

/** Begins to read: returns the table in force, which stays valid until kh_keyring_end(). In between
 * the thread must not wait for anything that a caller of kh_keyring_exchange() could hold. Pairs
 * may nest. A thread's first call allocates a few bytes, which are freed when the thread ends.
 * Thread-safe. */
const kh_keytable *kh_keyring_begin(const kh_keyring *ring);

/** Ends the reading that the thread's kh_keyring_begin() began. */
void kh_keyring_end(const kh_keyring *ring);

/**
 * Finds the latest version of a key in the table in force: kh_keytable_latest() between begin and
 * end, in one call. Thread-safe; never waits.
 *
 * @param ret_version  untouched on failure.
 * @return KH_OK, KH_E_KEY_NOT_FOUND.
 */
KH_MUST_USE kh_status kh_keyring_latest(const kh_keyring *ring, uint32_t id, uint32_t *ret_version);

/**
 * Copies a key version out of the table in force. Thread-safe; never waits.
 *
 * @param ret_key  where the key goes; untouched when `room` is less than its length, and on
 * failure. May be NULL when `room` is 0.
 * @param room     of ret_key in bytes.
 * @param ret_len  of the key in bytes, whether it was copied or not; untouched on failure.
 * @return KH_OK, KH_E_KEY_NOT_FOUND.
 */
KH_MUST_USE kh_status kh_keyring_copy(const kh_keyring *ring, uint32_t id, uint32_t version,
                                      uint8_t *ret_key, size_t room, size_t *ret_len);

/**
 * Returns the cipher of a key version in force. While no version has one of its own it reads a
 * single word, since each message calls it. Thread-safe; never waits.
 *
 * @param default_cipher  of a version without one of its own.
 * @return KH_CIPHER_UNSET: there is no such version, and versions have had ciphers of their own.
 */
kh_cipher kh_keyring_cipher(const kh_keyring *ring, uint32_t id, uint32_t version,
                            kh_cipher default_cipher);

/**
 * Puts another table in force. Returns when no reader holds the old one. Must not be called by two
 * threads at once, nor between begin and end.
 *
 * @param table  taken over.
 * @return the old table, for kh_keytable_free().
 */
KH_MUST_USE kh_keytable *kh_keyring_exchange(kh_keyring *ring, kh_keytable *table);

#endif
