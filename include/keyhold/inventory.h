/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file inventory.h
 * The list of keys, without their bytes, as JSON.
 */
#ifndef KEYHOLD_INVENTORY_H
#define KEYHOLD_INVENTORY_H

#include <stddef.h>

#include "keyhold/keytable.h"
#include "keyhold/status.h"

/**
 * Writes the inventory as a JSON array with an object for each key id, in the order of ids:
 *
 *     {"key_id":1,"latest_version":3,"next_rotation":"2026-12-22T00:00:00Z","versions":[
 *       {"version":1,"bits":256,"cipher":"aes-cbc","created":null,"fingerprint":"0123456789abcdef"},
 *       ...]}
 *
 * Times are ISO 8601 in UTC, or null for an unknown time and for never (also for a rotation after
 * the end of 32-bit UNIX time). A rotation of an interval after an unknown time of creation is that
 * interval after the 1st of January 1970 (kh_policy_due()). A version without a cipher of its own
 * has the default one. Without white space. Thread-safe.
 *
 * @param default_cipher  KH_CIPHER_UNSET when unknown: the cipher of such a version is then null.
 * @param ret_text  NUL-terminated, for free(); untouched on failure.
 * @param ret_len   its length in bytes without the NUL; untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_inventory_json(const kh_keytable *table, kh_cipher default_cipher,
                                        char **ret_text, size_t *ret_len);

#endif
