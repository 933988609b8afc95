/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file reference.h
 * What MariaDB's ciphers and the key derivation give, computed a second time by another library
 * (Nettle), block by block.
 */
#ifndef KEYHOLD_TEST_REFERENCE_H
#define KEYHOLD_TEST_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/** The forms of a message. */
typedef enum reference_form {
  REFERENCE_CBC,       /**< PKCS#7 padding */
  REFERENCE_CBC_NOPAD, /**< the last part of a block XOR AES-ECB(key, IV) */
  REFERENCE_CTR,       /**< 128-bit counter */
  REFERENCE_ECB,       /**< PKCS#7 padding */
  REFERENCE_ECB_NOPAD, /**< the last part of a block XOR AES-ECB(key, IV) */
  REFERENCE_GCM,       /**< nonce IV[0..11], additional data IV[12..15], tag after the ciphertext */
} reference_form;

/** Encrypts; dst has room for len + 16 bytes. Returns the number of bytes written. */
size_t reference_encrypt(reference_form form, const uint8_t *key, size_t key_len, const uint8_t *iv,
                         const uint8_t *src, size_t len, uint8_t *dst);

/** Encrypts by GCM with any nonce of 12 bytes and any additional data, to check the reference
 * itself with published vectors. */
void reference_gcm(const uint8_t *key, size_t key_len, const uint8_t *nonce, const uint8_t *aad,
                   size_t aad_len, const uint8_t *src, size_t len, uint8_t *dst, uint8_t *tag);

/** Derives `size` bytes by HKDF-SHA-256, a multiple of 32; the salt has at least 16 bytes. */
void reference_hkdf(const uint8_t *ikm, size_t ikm_len, const uint8_t *salt, size_t salt_len,
                    const uint8_t *info, size_t info_len, size_t size, uint8_t *dst);

/** Returns the next number of a small generator, the same in every run; the seed must not be 0. */
uint32_t test_random(uint32_t *seed);

/** Fills memory with numbers of test_random(). */
void test_random_bytes(uint32_t *seed, uint8_t *data, size_t len);

/** Decodes hexadecimal digits. Returns the number of bytes. */
size_t test_unhex(const char *digits, uint8_t *data);

#endif
