/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file datakey.h
 * The data keys of the aes256 ciphers: keys of 256 bits, derived from the stored key of a key
 * version and from the key that the server passes for a table or a log, and cached, so that a
 * message does not need a derivation.
 *
 * data key = HKDF-SHA-256 (RFC 5869), 32 bytes, or 128 for XTS (K1 to K4), with
 *   IKM  = the stored key (32 bytes)
 *   salt = the key that the server passes (16 bytes for pages, redo log and temporary files)
 *   info = "Keyhold AES-256 data key", "Keyhold AES-256-XTS keys" or "Keyhold AES-256-GCM keys" (24
 *          bytes, ASCII, no NUL), key id, key version, each as 4 bytes, big-endian
 */
#ifndef KEYHOLD_DATAKEY_H
#define KEYHOLD_DATAKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/cipher.h"
#include "keyhold/status.h"

/** Bytes of the stored key, and of the longest data key. */
enum { KH_DATAKEY_STORED = 32, KH_DATAKEY_MAX = 128 };

/** Which data key. */
typedef struct kh_datakey {
  kh_datakey_kind kind; /**< not KH_DATAKEY_NONE */
  uint32_t id;          /**< key id */
  uint32_t version;     /**< key version */
  kh_bytes passed;      /**< by the server: 16, 24 or 32 bytes */
} kh_datakey;

/** Returns the length in bytes of the data keys of a kind. Thread-safe. */
size_t kh_datakey_size(kh_datakey_kind kind);

/** A cache of derived data keys in secret memory, which is allocated for the first one;
 * KH_DATAKEYS_MAX (limits.h). */
typedef struct kh_datakeys kh_datakeys;

/**
 * Makes an empty cache. Its memory for keys is allocated when the first one is derived.
 *
 * @param ret_keys  for kh_datakeys_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO (OpenSSL has no HMAC with SHA-256).
 */
KH_MUST_USE kh_status kh_datakeys_new(kh_datakeys **ret_keys);

/** Wipes and frees; sets the pointer to NULL. Takes NULL and a pointer to NULL. No thread may be
 * inside a call. */
void kh_datakeys_free(kh_datakeys **keys);

/**
 * Looks for a data key that was derived before. Writes nothing that other threads read and never
 * waits. Thread-safe.
 *
 * @param ret_key   kh_datakey_size() bytes; undefined when it is not found.
 * @return whether it was found.
 */
bool kh_datakeys_find(kh_datakeys *keys, const kh_datakey *wanted, uint8_t *ret_key);

/**
 * Derives a data key and caches it in place of an older one; when another thread is writing
 * there, or there is no memory, it is not cached. Never waits. Thread-safe.
 *
 * @param stored    the stored key of that id and version: 32 bytes.
 * @param ret_key   kh_datakey_size() bytes; undefined on failure.
 * @return KH_OK, KH_E_KEY_SIZE (of the stored or the passed key), KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_datakeys_derive(kh_datakeys *keys, const kh_datakey *wanted,
                                         kh_bytes stored, uint8_t *ret_key);

#endif
