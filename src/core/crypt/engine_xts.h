/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engine_xts.h
 * AES for the cipher aes256-xts: an engine (engine.h) that offers none of the common operations,
 * but the four keys of a data key, each with its schedule in the thread's area.
 */
#ifndef KEYHOLD_CRYPT_ENGINE_XTS_H
#define KEYHOLD_CRYPT_ENGINE_XTS_H

#include "engine.h"

/** Four keys of 32 bytes, in this order. */
enum { KH_XTS_KEY = 32, KH_XTS_KEYS = 4 * KH_XTS_KEY };

/** What is done with one of them: AES, block by block (ECB). */
typedef enum kh_xts_op {
  KH_XTS_ENCRYPT, /**< with K1 */
  KH_XTS_DECRYPT, /**< with K1 */
  KH_XTS_TWEAK,   /**< encrypts with K2 */
  KH_XTS_FF1,     /**< encrypts with K3 */
  KH_XTS_BIND,    /**< encrypts with K4 */
  KH_XTS_OPS
} kh_xts_op;

/** The schedules of a data key in a thread's area. */
typedef struct kh_xts_set kh_xts_set;

/** The schedules of a data key, until the thread's next call for another one. */
typedef struct kh_xts {
  void *engine;
  kh_xts_set *set; /* NULL: the thread got no memory for any */
  const uint8_t *keys;
} kh_xts;

/**
 * Finds or makes the schedules of a data key. Two equal keys among the four are refused (SP
 * 800-38E asks for K1 and K2), in constant time.
 *
 * @param engine  from open().
 * @param area    this thread's; NULL: there is no memory for it. The functions below use contexts
 * that all threads share then, and wait for each other.
 * @param keys    KH_XTS_KEYS bytes, needed as long as the result.
 * @return KH_OK, KH_E_CRYPTO (equal keys).
 */
KH_MUST_USE kh_status kh_xts_find(void *engine, kh_area *area, const uint8_t *keys,
                                  kh_xts *ret_xts);

/**
 * Encrypts or decrypts whole blocks, each on its own.
 *
 * @param dst  may be src.data.
 * @return KH_OK, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_xts_blocks(const kh_xts *xts, kh_xts_op op, kh_bytes src, uint8_t *dst);

/**
 * Encrypts or decrypts the beginning of a data unit of XTS-AES-256 (IEEE 1619) with K1 and K2.
 *
 * @param tweak  16 bytes: the tweak value of the unit.
 * @param src    1 to 2^20 whole blocks.
 * @param dst    may be src.data.
 * @return KH_OK, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_xts_unit(const kh_xts *xts, bool encrypt, const uint8_t *tweak,
                                  kh_bytes src, uint8_t *dst);

extern const kh_engine kh_engine_xts; /* engine_xts.c */

#endif
