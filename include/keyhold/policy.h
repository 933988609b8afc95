/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file policy.h
 * The attributes of a key version in a key file (docs/key-file.md).
 */
#ifndef KEYHOLD_POLICY_H
#define KEYHOLD_POLICY_H

#include <stdint.h>

#include "keyhold/cipher.h"

/** The attributes of one key version. All zero: none is given. */
typedef struct kh_policy {
  uint32_t created; /**< UNIX time; 0: unknown */
  uint32_t rotate;  /**< the interval of rotation in seconds; 0: no automatic rotation */
  uint16_t bits;    /**< length of new versions: 128, 192 or 256; 0: as this version */
  uint8_t cipher;   /**< a kh_cipher; KH_CIPHER_UNSET: not given */
} kh_policy;

/** What kh_policy_due() returns for a key without automatic rotation: later than any time. */
#define KH_POLICY_NEVER UINT64_MAX

/**
 * Returns when the key is due for rotation, going by its latest version. Thread-safe.
 *
 * A version whose time of creation is unknown counts as old: with an interval it is due
 * immediately.
 *
 * @return UNIX time, or KH_POLICY_NEVER.
 */
uint64_t kh_policy_due(const kh_policy *policy);

#endif
