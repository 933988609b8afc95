/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file kdf.h
 * Key derivation from passphrases: that of `openssl enc`, and PBKDF2. A derivation that has begun
 * is not given up: OpenSSL's state ends with exit(), whatever thread uses it. None begins in a
 * thread whose stop is set (stop.h).
 */
#ifndef KEYHOLD_KDF_H
#define KEYHOLD_KDF_H

#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/secret.h"
#include "keyhold/status.h"

/** Hash of the `openssl enc` key derivation. */
typedef enum kh_digest {
  KH_DIGEST_SHA1,
  KH_DIGEST_SHA224,
  KH_DIGEST_SHA256,
  KH_DIGEST_SHA384,
  KH_DIGEST_SHA512,
  KH_DIGEST_MD5, /**< for reading old files only: it is not secure, and no file is written with it
                  */
  KH_DIGEST_COUNT
} kh_digest;

/** Bytes of the salt of `openssl enc` (enc(1ssl)). */
#define KH_KDF_SALT_SIZE 8u

/** Bytes that kh_kdf_openssl_enc() derives: an AES-256 key and a CBC IV. */
#define KH_KDF_OPENSSL_ENC_SIZE 48u

/**
 * Derives key and IV as `openssl enc -aes-256-cbc` does. Thread-safe.
 *
 * @param passphrase  any length, 0 included.
 * @param salt        KH_KDF_SALT_SIZE bytes; NULL: none, as with its option -nosalt.
 * @param iterations  0: EVP_BytesToKey with one iteration; else PBKDF2-HMAC (RFC 8018, 5.2) with
 * that many, at most INT_MAX.
 * @param ret_derived secret memory of at least KH_KDF_OPENSSL_ENC_SIZE bytes; 32 bytes key, then 16
 * bytes IV; its length is set.
 * @return KH_OK, KH_E_CRYPTO (also: OpenSSL offers no MD5: FIPS mode), KH_E_GIVEN_UP.
 */
KH_MUST_USE kh_status kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                         uint32_t iterations, kh_secret *ret_derived);

/**
 * Derives a key by PBKDF2-HMAC (RFC 8018, 5.2). Thread-safe.
 *
 * @param passphrase   any length, 0 included.
 * @param salt         any length.
 * @param iterations   1 to INT_MAX.
 * @param ret_derived  filled to its capacity; its length is set.
 * @return KH_OK, KH_E_CRYPTO, KH_E_GIVEN_UP.
 */
KH_MUST_USE kh_status kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived);

/** Returns the name of a digest as for `openssl enc -md`. Thread-safe. */
const char *kh_digest_name(kh_digest digest);

#endif
