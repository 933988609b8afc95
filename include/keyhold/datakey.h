/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file datakey.h
 * The data keys of the aes256 ciphers: 256 bits, derived from the stored key of a key version and
 * from the key that the server passes for a table or a log, and cached, so that a message does
 * not need a derivation.
 *
 * data key = HKDF-SHA-256 (RFC 5869), 32 bytes, with
 *   IKM  = the stored key (32 bytes)
 *   salt = the key that the server passes (16 bytes for pages, redo log and temporary files)
 *   info = "Keyhold AES-256 data key" (24 bytes, ASCII, no NUL), key id, key version, each as 4
 *          bytes, big-endian
 */
#ifndef KEYHOLD_DATAKEY_H
#define KEYHOLD_DATAKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/status.h"

/** Bytes of a data key. */
enum { KH_DATAKEY_SIZE = 32 };

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
 * @param passed    16, 24 or 32 bytes.
 * @param ret_key   KH_DATAKEY_SIZE bytes; undefined when it is not found.
 * @return whether it was found.
 */
bool kh_datakeys_find(kh_datakeys *keys, uint32_t id, uint32_t version, kh_bytes passed,
                      uint8_t *ret_key);

/**
 * Derives a data key and caches it in place of an older one; when another thread is writing
 * there, or there is no memory, it is not cached. Never waits. Thread-safe.
 *
 * @param stored    the stored key of that id and version: 32 bytes.
 * @param passed    16, 24 or 32 bytes.
 * @param ret_key   KH_DATAKEY_SIZE bytes; undefined on failure.
 * @return KH_OK, KH_E_KEY_SIZE (of the stored or the passed key), KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_datakeys_derive(kh_datakeys *keys, uint32_t id, uint32_t version,
                                         kh_bytes stored, kh_bytes passed, uint8_t *ret_key);

#endif
