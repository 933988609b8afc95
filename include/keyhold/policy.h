/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file policy.h
 * What a key file says of a key version beside its bytes: its attributes (docs/key-file.md).
 */
#ifndef KEYHOLD_POLICY_H
#define KEYHOLD_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "keyhold/bytes.h"

/** The attribute `cipher`. */
typedef enum kh_key_cipher {
  KH_KEY_CIPHER_UNSET,      /**< not given: what the plugin's option says */
  KH_KEY_CIPHER_AES_CBC,    /**< "aes-cbc": as `encryption_algorithm` = aes_cbc */
  KH_KEY_CIPHER_AES_CTR,    /**< "aes-ctr": as `encryption_algorithm` = aes_ctr */
  KH_KEY_CIPHER_AES256_CBC, /**< "aes256-cbc": AES-CBC with a data key of 256 bits (datakey.h) */
  KH_KEY_CIPHER_AES256_CTR, /**< "aes256-ctr": AES-CTR and GCM likewise */
  KH_KEY_CIPHER_COUNT
} kh_key_cipher;

/** The attributes of one key version. All zero: none is given. */
typedef struct kh_policy {
  uint32_t created; /**< UNIX time; 0: unknown */
  uint32_t rotate;  /**< the interval of rotation in seconds; 0: the key is not rotated by itself */
  uint16_t bits;    /**< length of new versions: 128, 192 or 256; 0: as this version */
  uint8_t cipher;   /**< a kh_key_cipher */
} kh_policy;

/** What kh_policy_due() answers for a key that is not rotated by itself: later than any time. */
#define KH_POLICY_NEVER UINT64_MAX

/** The name of a cipher, as the key file has it; "" for KH_KEY_CIPHER_UNSET. A constant.
 * Thread-safe. */
const char *kh_key_cipher_name(kh_key_cipher cipher);

/**
 * Finds a cipher by its name.
 *
 * @param ret_cipher  untouched when there is none.
 * @return false: no cipher has that name. Thread-safe.
 */
bool kh_key_cipher_by_name(kh_bytes name, kh_key_cipher *ret_cipher);

/** Whether data is encrypted with a data key of 256 bits that is derived from the stored one. */
bool kh_key_cipher_is_derived(kh_key_cipher cipher);

/**
 * When the key is due for rotation, going by its latest version.
 *
 * A version whose time of creation is unknown counts as old: with an interval it is due at once.
 *
 * @return UNIX time, or KH_POLICY_NEVER. Thread-safe.
 */
uint64_t kh_policy_due(const kh_policy *policy);

#endif
