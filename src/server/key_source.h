/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file key_source.h
 * Where the keys of a plugin come from, and how each is used. A plugin fills one `const` table and
 * passes it to kh_encryption_start() (encryption.h), which does the rest.
 *
 * The server calls the functions of the table from any number of threads at once, with locks held.
 * They must not wait: not for a disk or a network, and not for a lock that is held during either.
 */
#ifndef KEYHOLD_SERVER_KEY_SOURCE_H
#define KEYHOLD_SERVER_KEY_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/crypt.h"
#include "keyhold/datakey.h"
#include "keyhold/status.h"

/** A source of keys. `keys` belongs to the plugin, which gave it to kh_encryption_start(). */
typedef struct kh_key_source {
  /**
   * Finds the latest version of a key.
   *
   * @param ret_version  KH_KEY_VERSION_MIN .. KH_KEY_VERSION_MAX; untouched on failure.
   * @return KH_OK, KH_E_KEY_NOT_FOUND: there is no such key id.
   */
  kh_status (*latest)(void *keys, uint32_t id, uint32_t *ret_version);

  /**
   * Copies a key into the server's buffer.
   *
   * @param ret_key  the buffer; untouched when `room` is less than the key's length, and on
   * failure. May be NULL when `room` is 0.
   * @param room     of ret_key in bytes.
   * @param ret_len  of the key in bytes, whether it was copied or not: 16, 24 or 32; untouched on
   * failure.
   * @return KH_OK, KH_E_KEY_NOT_FOUND: there is no such key id, or no such version of it; any other
   * status when the key is not available.
   */
  kh_status (*copy)(void *keys, uint32_t id, uint32_t version, uint8_t *ret_key, size_t room,
                    size_t *ret_len);

  /** Returns the cipher of a key version; KH_CIPHER_UNSET when it is not known, because there is no
   * such version: its messages are refused. NULL when the server encrypts (kh_encryption_keys). */
  kh_cipher (*cipher)(void *keys, uint32_t id, uint32_t version);

  /**
   * Makes the data key of a message. Called for ciphers that derive one; NULL when none does.
   *
   * @param ret_key  kh_datakey_size() bytes, which the caller wipes, also after a failure.
   * @return KH_OK, KH_E_KEY_NOT_FOUND: there is no such key id, or no such version of it; any other
   * status when the data key is not available.
   */
  kh_status (*data_key)(void *keys, const kh_datakey *wanted, uint8_t *ret_key);

  /**
   * Takes note of a key that was not found. Called after a function above has returned
   * KH_E_KEY_NOT_FOUND, so that known keys pay nothing. NULL: there is nothing to note.
   *
   * @param version  0: the latest one, of an unknown key id.
   */
  void (*miss)(void *keys, uint32_t id, uint32_t version);

  /** Wipes and frees `keys`, which may be NULL; NULL when there is nothing to free. */
  void (*free)(void *keys);
} kh_key_source;

#endif
