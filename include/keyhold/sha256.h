/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sha256.h
 * SHA-256 (FIPS 180-4; libsodium), for checksums that detect damage.
 */
#ifndef KEYHOLD_SHA256_H
#define KEYHOLD_SHA256_H

#include "keyhold/bytes.h"

/** Bytes of a digest. */
#define KH_SHA256_SIZE 32u

/**
 * Computes the digest of some bytes. Thread-safe.
 *
 * @param ret_digest  KH_SHA256_SIZE bytes.
 */
void kh_sha256(kh_bytes data, uint8_t *ret_digest);

#endif
