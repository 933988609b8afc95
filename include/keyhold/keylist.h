/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keylist.h
 * A list of keys in the order of a key file. A reader fills it, and a keytable is made from it.
 */
#ifndef KEYHOLD_KEYLIST_H
#define KEYHOLD_KEYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/limits.h"
#include "keyhold/policy.h"
#include "keyhold/status.h"

/** One version of one key. */
typedef struct kh_key {
  uint32_t id;               /**< KH_KEY_ID_MIN .. KH_KEY_ID_MAX */
  uint32_t version;          /**< KH_KEY_VERSION_MIN .. KH_KEY_VERSION_MAX */
  uint32_t line;             /**< of the key file, from 1; 0 when it comes from elsewhere */
  uint32_t len;              /**< of the key in bytes: 16, 24 or 32 */
  kh_policy policy;          /**< its attributes */
  uint8_t bytes[KH_KEY_MAX]; /**< the first `len` are the key */
} kh_key;

/** A version of a key that was removed from a key file on purpose. */
typedef struct kh_retired {
  uint32_t id;      /**< of the key */
  uint32_t version; /**< that was removed */
  uint32_t line;    /**< as in kh_key */
} kh_retired;

/**
 * A list of keys with a fixed capacity, in secret memory, and of retired versions. Not thread-safe.
 */
typedef struct kh_keylist kh_keylist;

/**
 * Makes an empty list.
 *
 * @param capacity  in keys.
 * @param ret_list  for kh_keylist_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keylist_new(size_t capacity, kh_keylist **ret_list);

/** Wipes and frees; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_keylist_free(kh_keylist **list);

/**
 * Returns the place for the next key, zeroed; it is added only by kh_keylist_commit(). The caller
 * writes a key directly into it, so that no copy stays on a stack.
 *
 * @return NULL when the list is full.
 */
kh_key *kh_keylist_next(kh_keylist *list);

/** Adds the key that was written into kh_keylist_next(). Its numbers and length must be within
 * the limits. */
void kh_keylist_commit(kh_keylist *list);

/**
 * Adds a version of a key with random bytes (kh_random_bytes()).
 *
 * @param list    has room.
 * @param len     of the key in bytes: 16, 24 or 32.
 * @param policy  copied.
 */
void kh_keylist_add_random(kh_keylist *list, uint32_t id, uint32_t version, uint32_t len,
                           const kh_policy *policy);

/**
 * Adds a retired version. It does not count towards the capacity, and may be added more than once.
 *
 * @param retired  copied; its numbers are within the limits.
 * @return KH_OK, KH_E_NO_MEMORY (nothing was added).
 */
KH_MUST_USE kh_status kh_keylist_retire(kh_keylist *list, const kh_retired *retired);

/** Returns the number of retired versions that were added. */
size_t kh_keylist_retired_count(const kh_keylist *list);

/** Returns the retired version at `index` < kh_keylist_retired_count(). Owned by the list, until
 * one more is added. */
const kh_retired *kh_keylist_retired_at(const kh_keylist *list, size_t index);

/** Returns the number of keys. */
size_t kh_keylist_count(const kh_keylist *list);

/** Returns whether the list's memory is locked into RAM. */
bool kh_keylist_is_locked(const kh_keylist *list);

/** Returns the key at `index` < kh_keylist_count(). Owned by the list. */
const kh_key *kh_keylist_at(const kh_keylist *list, size_t index);

/**
 * Sorts the indices of the list by key id, then by version, then by place in the list.
 *
 * @param ret_order  kh_keylist_count() numbers. It sorts indices and not keys, since a sort
 * may copy its elements to memory that is not wiped.
 */
void kh_keylist_sort(const kh_keylist *list, uint32_t *ret_order);

/** Returns whether two keys have the same id and version. */
bool kh_key_is_same_version(const kh_key *a, const kh_key *b);

/** Returns whether two keys have the same bytes; takes the same time wherever they differ. */
bool kh_key_is_same_secret(const kh_key *a, const kh_key *b);

/** For `__attribute__((cleanup))`: frees the list when the scope ends. */
static inline void kh_keylist_cleanup(kh_keylist **list)
{
  kh_keylist_free(list);
}
/** A pointer to a list, freed when its scope ends. */
#define KH_AUTO_KEYLIST __attribute__((cleanup(kh_keylist_cleanup))) kh_keylist *

#endif
