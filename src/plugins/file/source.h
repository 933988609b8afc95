/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file source.h
 * The key source of file_key_management: a keytable, and one cipher for all keys.
 */
#ifndef KEYHOLD_PLUGINS_FILE_SOURCE_H
#define KEYHOLD_PLUGINS_FILE_SOURCE_H

#include "keyhold/keytable.h"
#include "server/key_source.h"

/** Its functions are called with a kh_file_keys. */
extern const kh_key_source kh_file_source;

/** What the plugin holds while it runs. */
typedef struct kh_file_keys kh_file_keys;

/**
 * Puts a table and a cipher together.
 *
 * @param table     taken over on success; kh_file_source.free() frees it.
 * @param ret_keys  untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_file_keys_new(kh_keytable *table, kh_cipher cipher,
                                       kh_file_keys **ret_keys);

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
