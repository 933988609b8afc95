/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file key_source.h
 * The part in which key management plugins differ: where keys come from and how each is used. A
 * plugin fills one `const` table and passes it to kh_encryption_start() (encryption.h), which does
 * the rest.
 *
 * The server calls from any number of threads at once, and with locks held: a function of the table
 * may wait for nothing, neither for a disk or a network nor for a lock that is held during such.
 */
#ifndef KEYHOLD_SERVER_KEY_SOURCE_H
#define KEYHOLD_SERVER_KEY_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/crypt.h"
#include "keyhold/datakey.h"
#include "keyhold/status.h"

/** A source of keys. `keys` is what kh_encryption_start() was given: the plugin's own. */
typedef struct kh_key_source {
  /**
   * Finds the latest version of a key.
   *
   * @param ret_version  KH_KEY_VERSION_MIN .. KH_KEY_VERSION_MAX; untouched on failure.
   * @return KH_OK, KH_E_KEY_NOT_FOUND: there is no such key id.
   */
  kh_status (*latest)(void *keys, uint32_t id, uint32_t *ret_version);

  /**
   * Copies a key to the server's buffer.
   *
   * @param ret_key  where the key goes; untouched when `room` is less than its length, and on
   * failure. May be NULL when `room` is 0.
   * @param room     of ret_key in bytes.
   * @param ret_len  of the key in bytes, whether it was copied or not: 16, 24 or 32; untouched on
   * failure.
   * @return KH_OK, KH_E_KEY_NOT_FOUND: there is no such key id, or no such version of it; any other
   * status when the key is not available.
   */
  kh_status (*copy)(void *keys, uint32_t id, uint32_t version, uint8_t *ret_key, size_t room,
                    size_t *ret_len);

  /** Returns the cipher of a key version, also of one that does not exist: not KH_CIPHER_UNSET.
   * NULL when the server does the encryption (kh_encryption_keys). */
  kh_cipher (*cipher)(void *keys, uint32_t id, uint32_t version);

  /**
   * Gets the data key of a message, for a cipher that derives one; NULL when no cipher does.
   *
   * @param passed   the key that the server passes: 16, 24 or 32 bytes.
   * @param ret_key  KH_DATAKEY_SIZE bytes, which the caller wipes, also after a failure.
   * @return KH_OK, KH_E_KEY_NOT_FOUND: there is no such key id, or no such version of it; any other
   * status when the data key is not available.
   */
  kh_status (*data_key)(void *keys, uint32_t id, uint32_t version, kh_bytes passed,
                        uint8_t *ret_key);

  /**
   * Notes a missing key. Called after one of the functions above has returned KH_E_KEY_NOT_FOUND,
   * so that keys that exist cost nothing more. NULL: misses are not noted.
   *
   * @param version  0: the latest one, of an unknown key id.
   */
  void (*miss)(void *keys, uint32_t id, uint32_t version);

  /** Wipes and frees `keys`, which may be NULL; NULL when there is nothing to free. */
  void (*free)(void *keys);
} kh_key_source;

#endif
