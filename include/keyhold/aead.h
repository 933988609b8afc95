/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file aead.h
 * Encryption that notices every change: XChaCha20-Poly1305-IETF (draft-irtf-cfrg-xchacha-03;
 * libsodium). Nonces are long enough to be random.
 */
#ifndef KEYHOLD_AEAD_H
#define KEYHOLD_AEAD_H

#include <stdbool.h>

#include "keyhold/bytes.h"

/** Bytes of a key, of a nonce, and of the tag after a ciphertext. */
#define KH_AEAD_KEY_SIZE   32u
#define KH_AEAD_NONCE_SIZE 24u /**< of a nonce */
#define KH_AEAD_TAG_SIZE   16u /**< of a tag */

/** What a message is encrypted under. */
typedef struct kh_aead_input {
  const uint8_t *key;   /**< KH_AEAD_KEY_SIZE bytes */
  const uint8_t *nonce; /**< KH_AEAD_NONCE_SIZE bytes; never the same twice with one key */
  kh_bytes bound;       /**< additional data: not encrypted, and as safe from changes */
} kh_aead_input;

/**
 * Encrypts and authenticates. Thread-safe.
 *
 * @param ret_sealed  text.len + KH_AEAD_TAG_SIZE bytes: ciphertext, then tag; may be
 * where the text is.
 */
void kh_aead_seal(const kh_aead_input *input, kh_bytes text, uint8_t *ret_sealed);

/**
 * Decrypts. Thread-safe.
 *
 * @param ret_text  sealed.len - KH_AEAD_TAG_SIZE bytes; may be where `sealed` is. All zero when it
 * does not open.
 * @return false when anything was changed, or is another's.
 */
bool kh_aead_open(const kh_aead_input *input, kh_bytes sealed, uint8_t *ret_text);

#endif
