/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file ff1.h
 * FF1 (NIST SP 800-38G, 5.1) for the last part of a message: radix 2, 1 to 15 bytes, of which the
 * most significant bit is the first digit, and a tweak of 32 bytes.
 *
 * Below 20 bits (messages of 1 and 2 bytes) the number of strings is less than SP 800-38G Rev. 1
 * asks for: docs/ciphers.md has the reason.
 */
#ifndef KEYHOLD_CRYPT_FF1_H
#define KEYHOLD_CRYPT_FF1_H

#include <stdbool.h>

#include "keyhold/bytes.h"
#include "keyhold/limits.h"
#include "keyhold/status.h"

/** Bytes of the tweak, and of the longest message. */
enum { KH_FF1_TWEAK = 32, KH_FF1_MAX = KH_AES_BLOCK - 1 };

/** AES with FF1's key. */
typedef struct kh_ff1_cipher {
  /** Encrypts one block of 16 bytes; src and dst may be the same. Returns KH_OK, or what kh_ff1()
   * then returns. */
  kh_status (*encrypt)(const void *argument, const uint8_t *src, uint8_t *dst);
  const void *argument;
} kh_ff1_cipher;

/**
 * Encrypts or decrypts 1 to KH_FF1_MAX bytes, in time that does not depend on them. Thread-safe if
 * the cipher is.
 *
 * @param tweak  KH_FF1_TWEAK bytes.
 * @param dst    src.len bytes; may be src. Untouched on failure.
 * @return KH_OK, or the cipher's status.
 */
KH_MUST_USE kh_status kh_ff1(const kh_ff1_cipher *cipher, bool encrypt, const uint8_t *tweak,
                             kh_bytes src, uint8_t *dst);

#endif
