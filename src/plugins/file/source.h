/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file source.h
 * The key source of file_key_management: the keys that a keeper has in force, each with the cipher
 * of its version.
 */
#ifndef KEYHOLD_PLUGINS_FILE_SOURCE_H
#define KEYHOLD_PLUGINS_FILE_SOURCE_H

#include "keyhold/keeper.h"
#include "server/key_source.h"

/** Its functions are called with a kh_file_keys. */
extern const kh_key_source kh_file_source;

/** What the plugin holds while it runs. */
typedef struct kh_file_keys kh_file_keys;

/**
 * Loads the key file.
 *
 * @param options    as for kh_keeper_new().
 * @param store      likewise.
 * @param ret_keys   kh_file_source.free() frees it; untouched on failure.
 * @param ret_fault  may be NULL.
 * @return as kh_keeper_new().
 */
KH_MUST_USE kh_status kh_file_keys_new(const kh_keeper_options *options, kh_store *store,
                                       kh_file_keys **ret_keys, kh_fault *ret_fault);

/** The keeper of the keys. Owned by them. */
kh_keeper *kh_file_keys_keeper(const kh_file_keys *keys);

/**
 * The inventory of the keys (keyhold/inventory.h).
 *
 * @param ret_text  NUL-terminated, for free(); untouched on failure.
 * @param ret_len   its length in bytes without the NUL; untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY. Thread-safe.
 */
KH_MUST_USE kh_status kh_file_keys_inventory(const kh_file_keys *keys, char **ret_text,
                                             size_t *ret_len);

#endif
