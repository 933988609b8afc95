/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file argon2.h
 * Key derivation from passphrases, at a cost in memory: Argon2id version 0x13 with one lane (RFC
 * 9106; libsodium).
 */
#ifndef KEYHOLD_ARGON2_H
#define KEYHOLD_ARGON2_H

#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/secret.h"
#include "keyhold/status.h"

/** Bytes of a salt. */
#define KH_ARGON2_SALT_SIZE 16u

/** The cost of a derivation: at least KH_ARGON2_MEMORY_MIN and KH_ARGON2_PASSES_MIN. */
typedef struct kh_argon2_cost {
  uint32_t memory; /**< in KiB */
  uint32_t passes; /**< over that memory */
} kh_argon2_cost;

/**
 * Derives a key. Its working memory is returned to the system without being locked or wiped: the
 * passphrase is not in it. Thread-safe.
 *
 * In a thread that follows a stop (stop.h), the derivation is given up when that is set: it goes on
 * in a thread of its own, with copies of the passphrase and the key in secret memory, which it
 * wipes when it ends.
 *
 * @param passphrase   any length, 0 included.
 * @param salt         KH_ARGON2_SALT_SIZE bytes.
 * @param ret_derived  filled to its capacity, at least 16 bytes; its length is set.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO, KH_E_GIVEN_UP.
 */
KH_MUST_USE kh_status kh_argon2id(kh_bytes passphrase, const uint8_t *salt,
                                  const kh_argon2_cost *cost, kh_secret *ret_derived);

#endif
