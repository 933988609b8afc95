/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keytable.h
 * The keys in memory: an immutable table from (key id, key version) to key, in secret memory that
 * is made read-only once it is built. Any number of threads look up without a lock; a look-up, hit
 * or miss, writes nothing.
 */
#ifndef KEYHOLD_KEYTABLE_H
#define KEYHOLD_KEYTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/fault.h"
#include "keyhold/keylist.h"
#include "keyhold/status.h"

/** An immutable table of keys. */
typedef struct kh_keytable kh_keytable;

/**
 * Builds a table. If the list has one (id, version) more than once, the last one is used. Retired
 * versions of the list are retired in the table. Thread-safe.
 *
 * @param list       copied; may be freed afterwards.
 * @param ret_table  for kh_keytable_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keytable_new(const kh_keylist *list, kh_keytable **ret_table);

/**
 * Builds the table that replaces another one while a server runs: as kh_keytable_new(), with those
 * key versions of the other one that are retired in the list. The server's
 * temporary files may be encrypted with a version that was the latest when it started.
 *
 * @param known  the other one, or NULL.
 * @return as kh_keytable_new().
 */
KH_MUST_USE kh_status kh_keytable_new_after(const kh_keylist *list, const kh_keytable *known,
                                            kh_keytable **ret_table);

/** Wipes and frees; sets the pointer to NULL. Takes NULL and a pointer to NULL. No other thread may
 * be looking up. */
void kh_keytable_free(kh_keytable **table);

/**
 * Finds the latest version of a key. Lock-free, thread-safe.
 *
 * @param ret_version  untouched on failure.
 * @return KH_OK, KH_E_KEY_NOT_FOUND.
 */
KH_MUST_USE kh_status kh_keytable_latest(const kh_keytable *table, uint32_t id,
                                         uint32_t *ret_version);

/**
 * Looks up a key version. Lock-free, thread-safe.
 *
 * @return the key, owned by the table; NULL when it is not found.
 */
const kh_key *kh_keytable_find(const kh_keytable *table, uint32_t id, uint32_t version);

/**
 * Returns the key version at an index, in the order of key id and version. Lock-free, thread-safe.
 *
 * @param index  < kh_keytable_version_count().
 * @return the key, owned by the table.
 */
const kh_key *kh_keytable_at(const kh_keytable *table, size_t index);

/** Returns whether the key version at an index is the latest one of its key id. Thread-safe. */
bool kh_keytable_is_latest(const kh_keytable *table, size_t index);

/**
 * Returns when the first key is due for rotation: the earliest kh_policy_due() of the latest
 * versions. Lock-free, thread-safe.
 *
 * @param ret_interval  may be NULL; the interval of rotation of that key in seconds; untouched when
 * no key is ever due.
 * @return UNIX time; KH_POLICY_NEVER: no key is rotated automatically.
 */
uint64_t kh_keytable_first_due(const kh_keytable *table, uint32_t *ret_interval);

/**
 * Returns how many key ids are due for rotation at a time: those whose latest version has a
 * kh_policy_due() that is not after it. Lock-free, thread-safe; looks at every key version.
 *
 * @param now  UNIX time.
 */
size_t kh_keytable_count_due(const kh_keytable *table, uint64_t now);

/**
 * Returns when the oldest of the latest versions was created. Versions whose time of creation is
 * unknown do not count. Lock-free, thread-safe; looks at every key version.
 *
 * @return UNIX time; 0: no latest version has a time of creation.
 */
uint32_t kh_keytable_oldest_latest(const kh_keytable *table);

/** Returns the highest version number that a key id has, retired versions included: new versions
 * are above it. 0: there is no such key id. Thread-safe. */
uint32_t kh_keytable_highest(const kh_keytable *table, uint32_t id);

/** What is known of versions that a table may lack. All zero: nothing. */
typedef struct kh_version_floor {
  uint32_t (*of)(const void *user, uint32_t id); /**< the highest version of a key id; 0: none */
  const void *user;                              /**< its first argument */
} kh_version_floor;

/** Returns the floor of a key id if it is above every version that a table has or had of it
 * (kh_keytable_highest()), so that the table is from an old copy; 0: it is not. As thread-safe as
 * the floor. */
uint32_t kh_keytable_lacks(const kh_keytable *table, const kh_version_floor *floor, uint32_t id);

/**
 * Names what will make a later rotation fail, or hold it up, although the keys can be used now: a
 * latest version at the last possible number or near it (KH_E_VERSION_ENDS), or far above the one
 * before (KH_E_VERSION_JUMP), and a time of creation in the future of a key with an interval of
 * rotation (KH_E_CREATED_LATER). Thread-safe.
 *
 * @param now     UNIX time.
 * @param faults  takes a fault for each; the path is left empty.
 */
void kh_keytable_foresee(const kh_keytable *table, uint32_t now, kh_faults *faults);

/**
 * Checks the ciphers of key id 1, with which a server encrypts its redo log, if it does. The server
 * repeats IVs there, and only aes256-xts shows no text then: CTR shows the XOR of messages, CBC
 * that of their last 1 to 15 bytes (docs/ciphers.md). A redo log has the version that was the
 * latest when the log was made, so versions before the latest count until they are retired. The
 * fault has the last version with another cipher. Thread-safe.
 *
 * @param default_cipher  of a version without one of its own; KH_CIPHER_UNSET: not known.
 * @param ret_fault       may be NULL; the path is left empty.
 * @return KH_OK, KH_E_CIPHER_REDO_LOG.
 */
KH_MUST_USE kh_status kh_keytable_check_redo_log(const kh_keytable *table, kh_cipher default_cipher,
                                                 kh_fault *ret_fault);

/** Returns whether any key version has a cipher of its own (kh_policy). Thread-safe. */
bool kh_keytable_has_ciphers(const kh_keytable *table);

/**
 * Checks whether a table may replace another one that was in use: it must have every key version of
 * that, with the same key and the same cipher, or mark it as retired and have a later one. So no
 * latest version becomes lower. Thread-safe.
 *
 * @param default_cipher  the cipher of versions without one of their own.
 * @param ret_fault  may be NULL; has the first key version that is wrong, and its line; the path
 * is left empty.
 * @return KH_OK, KH_E_KEY_LOST, KH_E_KEY_CHANGED, KH_E_CIPHER_CHANGED.
 */
KH_MUST_USE kh_status kh_keytable_check_follows(const kh_keytable *table, const kh_keytable *old,
                                                kh_cipher default_cipher, kh_fault *ret_fault);

/** Returns how many key versions of `old` kh_keytable_check_follows() finds missing or different.
 * Thread-safe. */
size_t kh_keytable_count_lost(const kh_keytable *table, const kh_keytable *old,
                              kh_cipher default_cipher);

/**
 * Checks whether two tables can be merged: a key version that both have must have the same key and
 * the same cipher in both. Thread-safe.
 *
 * @param default_cipher  the cipher of versions without one of their own.
 * @param ret_fault  may be NULL; has the first key version that differs, and its line in `table`;
 * the path is left empty.
 * @return KH_OK, KH_E_KEY_CHANGED, KH_E_CIPHER_CHANGED.
 */
KH_MUST_USE kh_status kh_keytable_check_agrees(const kh_keytable *table, const kh_keytable *other,
                                               kh_cipher default_cipher, kh_fault *ret_fault);

/** Returns whether a key version was removed from the key file on purpose. Thread-safe. */
bool kh_keytable_is_retired(const kh_keytable *table, uint32_t id, uint32_t version);

/** Returns the number of key versions that were removed from the key file on purpose. */
size_t kh_keytable_retired_count(const kh_keytable *table);

/** Returns the retired version at `index` < kh_keytable_retired_count(), in the order of ids and
 * versions. Owned by the table. */
const kh_retired *kh_keytable_retired_at(const kh_keytable *table, size_t index);

/** Returns the number of key ids. */
size_t kh_keytable_id_count(const kh_keytable *table);

/** Returns the number of key versions over all key ids. */
size_t kh_keytable_version_count(const kh_keytable *table);

/** Returns whether the table's memory is locked into RAM. */
bool kh_keytable_is_locked(const kh_keytable *table);

/** For `__attribute__((cleanup))`: frees the table when the scope ends. */
static inline void kh_keytable_cleanup(kh_keytable **table)
{
  kh_keytable_free(table);
}
/** A pointer to a table, freed when its scope ends. */
#define KH_AUTO_KEYTABLE __attribute__((cleanup(kh_keytable_cleanup))) kh_keytable *

#endif
