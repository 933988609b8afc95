/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keeper_source.h
 * The key source over a keeper: the keys that it has in force, each with the cipher of its version.
 * The keeper notes keys that are missing.
 */
#ifndef KEYHOLD_SERVER_KEEPER_SOURCE_H
#define KEYHOLD_SERVER_KEEPER_SOURCE_H

#include "keyhold/keeper.h"
#include "server/key_source.h"

/** Its functions are called with a kh_keeper_keys. */
extern const kh_key_source kh_keeper_source;

/** A keeper, and the data keys that were derived from its keys. */
typedef struct kh_keeper_keys kh_keeper_keys;

/**
 * Loads the keys.
 *
 * @param options    as for kh_keeper_new().
 * @param store      as for kh_keeper_new().
 * @param ret_keys   for kh_keeper_source.free(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return as kh_keeper_new().
 */
KH_MUST_USE kh_status kh_keeper_keys_new(const kh_keeper_options *options, kh_store *store,
                                         kh_keeper_keys **ret_keys, kh_fault *ret_fault);

/** Returns the keeper of the keys, which they own. Thread-safe. */
kh_keeper *kh_keeper_keys_keeper(const kh_keeper_keys *keys);

/**
 * Writes the inventory of the keys in force, as JSON (keyhold/inventory.h).
 *
 * @param ret_text  NUL-terminated, for free(); untouched on failure.
 * @param ret_len   its length in bytes without the NUL; untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY. Thread-safe.
 */
KH_MUST_USE kh_status kh_keeper_keys_inventory(const kh_keeper_keys *keys, char **ret_text,
                                               size_t *ret_len);

#endif
