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
 * Builds a table. Where the list names one (id, version) more than once, the last one counts. What
 * the list says is retired, the table knows to be retired. Thread-safe.
 *
 * @param list       copied; may be freed afterwards.
 * @param ret_table  for kh_keytable_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keytable_new(const kh_keylist *list, kh_keytable **ret_table);

/**
 * Builds the table that takes the place of another one while a server runs: as kh_keytable_new(),
 * and with those key versions of the other one that the list says are retired. The server's
 * temporary files may be encrypted with a version that was the latest when it started.
 *
 * @param known  the other one; NULL: there is none.
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
 * Looks a key version up. Lock-free, thread-safe.
 *
 * @return the key, owned by the table; NULL when there is none.
 */
const kh_key *kh_keytable_find(const kh_keytable *table, uint32_t id, uint32_t version);

/**
 * Returns the key version at a place, in the order of key id and version. Lock-free, thread-safe.
 *
 * @param index  < kh_keytable_version_count().
 * @return the key, owned by the table.
 */
const kh_key *kh_keytable_at(const kh_keytable *table, size_t index);

/** Returns whether the key version at a place is the latest one of its key id. Thread-safe. */
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

/** Returns whether any key version has a cipher of its own (kh_policy). Thread-safe. */
bool kh_keytable_has_ciphers(const kh_keytable *table);

/**
 * Checks whether a table may take the place of another one that was in use: it has every key
 * version of that, with the same key and the same cipher, or knows it to be retired and has a later
 * one. Its latest versions are then no lower. Thread-safe.
 *
 * @param default_cipher  what a version without a cipher of its own is used with.
 * @param ret_fault  may be NULL; names the first key version that is wrong, and its line; the path
 * is left empty.
 * @return KH_OK, KH_E_KEY_LOST, KH_E_KEY_CHANGED, KH_E_CIPHER_CHANGED.
 */
KH_MUST_USE kh_status kh_keytable_check_follows(const kh_keytable *table, const kh_keytable *old,
                                                kh_cipher default_cipher, kh_fault *ret_fault);

/** Returns whether a key version was taken out of the key file on purpose. Thread-safe. */
bool kh_keytable_is_retired(const kh_keytable *table, uint32_t id, uint32_t version);

/** Returns the number of key versions that were taken out of the key file on purpose. */
size_t kh_keytable_retired_count(const kh_keytable *table);

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
