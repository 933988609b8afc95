/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file hkdf.h
 * HKDF with SHA-256 (RFC 5869), of up to four blocks of 32 bytes.
 */
#ifndef KEYHOLD_CRYPT_HKDF_H
#define KEYHOLD_CRYPT_HKDF_H

#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/status.h"

/** Bytes of a block, the most that are derived, and the most of an info. */
enum { KH_HKDF_SIZE = 32, KH_HKDF_MAX = 4 * KH_HKDF_SIZE, KH_HKDF_INFO_MAX = 160 };

/** HMAC-SHA-256, made ready once: OpenSSL's EVP_MAC_CTX, which is copied for each derivation. */
typedef struct evp_mac_ctx_st kh_hkdf;

/** What a key is derived from, by the names of the RFC. */
typedef struct kh_hkdf_input {
  kh_bytes ikm;
  kh_bytes salt; /**< not empty: without a salt the RFC uses 32 zero bytes */
  kh_bytes info; /**< KH_HKDF_INFO_MAX bytes at most */
} kh_hkdf_input;

/**
 * Makes HMAC ready.
 *
 * @return KH_OK, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_hkdf_new(kh_hkdf **ret_hkdf);

/** Frees; sets the pointer to NULL. Takes a pointer to NULL. */
void kh_hkdf_free(kh_hkdf **hkdf);

/**
 * Derives a key, and wipes all copies of it and of its input. Where OpenSSL has no memory for its
 * copy of the context, libsodium derives the key. Thread-safe.
 *
 * @param len      bytes to derive: a multiple of KH_HKDF_SIZE, at most KH_HKDF_MAX.
 * @param ret_key  `len` bytes; undefined on failure.
 * @return KH_OK, KH_E_CRYPTO (the info is too long).
 */
KH_MUST_USE kh_status kh_hkdf_derive(const kh_hkdf *hkdf, const kh_hkdf_input *input, size_t len,
                                     uint8_t *ret_key);

#endif
