/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file hmac.h
 * HMAC-SHA-256, a keyed hash (libsodium).
 */
#ifndef KEYHOLD_HMAC_H
#define KEYHOLD_HMAC_H

#include <stdint.h>

#include "keyhold/bytes.h"

/** Bytes of an HMAC-SHA-256. */
#define KH_HMAC_SHA256_SIZE 32u

/**
 * Computes HMAC-SHA-256 (RFC 2104). Wipes its copies of the key. Thread-safe.
 *
 * @param key      of any length.
 * @param ret_mac  KH_HMAC_SHA256_SIZE bytes.
 */
void kh_hmac_sha256(kh_bytes key, kh_bytes message, uint8_t *ret_mac);

#endif
