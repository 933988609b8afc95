/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file crypt.h
 * Encrypts and decrypts messages with AES as MariaDB stores them: CBC, CTR, GCM and ECB, and with
 * the XTS of aes256-xts, over input in pieces of any length.
 *
 * Sources: AES FIPS 197; CBC, CTR and ECB NIST SP 800-38A; GCM NIST SP 800-38D; padding PKCS#7 (RFC
 * 5652, 6.3); the flags and the forms without padding are what MariaDB 10.11 writes to disk
 * (docs/architecture.md, "Ciphers"). XTS IEEE 1619, FF1 NIST SP 800-38G, and how they are used:
 * docs/ciphers.md.
 */
#ifndef KEYHOLD_CRYPT_H
#define KEYHOLD_CRYPT_H

#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/cipher.h"
#include "keyhold/engines.h"
#include "keyhold/limits.h"
#include "keyhold/status.h"

/** The state of one message. In memory of the caller: kh_crypt_ctx_size() bytes, aligned as for a
 * pointer. */
typedef struct kh_crypt_ctx kh_crypt_ctx;

/** Bits of kh_crypt_init(), with the values of ENCRYPTION_FLAG_* in mysql/service_encryption.h. */
enum {
  KH_CRYPT_ENCRYPT = 1, /**< encrypt; without it, decrypt */
  KH_CRYPT_NOPAD = 2,   /**< output as long as the input; without it, padding or, for GCM, a tag */
};

/** A key and an IV. All bytes belong to the caller and are needed during the call only. */
typedef struct kh_crypt_key {
  kh_bytes key; /**< 16, 24 or 32 bytes; aes256-xts without padding: its four keys, 128 bytes */
  kh_bytes iv;  /**< 16 bytes; every value is allowed */
} kh_crypt_key;

/** Returns the size in bytes of the memory for one kh_crypt_ctx. */
size_t kh_crypt_ctx_size(void);

/**
 * Starts a message. Thread-safe for different contexts.
 *
 * @param crypt  must outlive the context.
 * @param ctx    kh_crypt_ctx_size() bytes of any content; after a failure it holds nothing and
 * needs no finish.
 * @param flags  KH_CRYPT_ENCRYPT, KH_CRYPT_NOPAD.
 * @param key    copied as far as needed; the copy is wiped by kh_crypt_finish().
 * @return KH_OK, KH_E_KEY_SIZE, KH_E_IV_SIZE, KH_E_NO_MEMORY, KH_E_CRYPTO (also: two of the four
 * keys of aes256-xts are equal).
 */
KH_MUST_USE kh_status kh_crypt_init(const kh_crypt *crypt, kh_crypt_ctx *ctx, kh_cipher cipher,
                                    unsigned flags, const kh_crypt_key *key);

/** Returns the flags that a message was started with. */
unsigned kh_crypt_flags(const kh_crypt_ctx *ctx);

/**
 * Processes the next bytes of a message.
 *
 * CBC, ECB and XTS write whole blocks and GCM decryption keeps the last 16 bytes back, so the
 * output may be shorter than the input or longer by up to 15 bytes; CTR and GCM encryption write as
 * much as they get.
 *
 * @param src      any number of bytes, 0 included. dst may be the same memory when the whole
 * message is processed in place.
 * @param dst      src.len + 15 bytes at most are written.
 * @param ret_len  bytes written to dst; 0 on failure.
 * @return KH_OK, KH_E_BAD_DATA (longer than GCM allows), KH_E_CRYPTO. After a failure only
 * kh_crypt_finish() may follow.
 */
KH_MUST_USE kh_status kh_crypt_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst,
                                      size_t *ret_len);

/**
 * Ends a message: writes the remaining output and wipes the context, also on failure.
 *
 * @param dst      up to 16 bytes are written: the padded last block, the rest without padding, or
 * the tag.
 * @param ret_len  bytes written to dst; 0 on failure.
 * @return KH_OK, KH_E_BAD_DATA (padding or tag does not fit, or a length that no such message has),
 * KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_crypt_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len);

/**
 * Processes a whole message in one call.
 *
 * @param dst      src.len + 16 bytes.
 * @param ret_len  bytes written; 0 on failure.
 * @return as kh_crypt_init(), kh_crypt_update() and kh_crypt_finish().
 */
KH_MUST_USE kh_status kh_crypt_once(const kh_crypt *crypt, kh_cipher cipher, unsigned flags,
                                    const kh_crypt_key *key, kh_bytes src, uint8_t *dst,
                                    size_t *ret_len);

#endif
