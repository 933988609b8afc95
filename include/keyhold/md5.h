/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file md5.h
 * MD5 (RFC 1321), which is not secure: only for the keys of example_key_management, which the
 * server's own plugin makes in this way.
 */
#ifndef KEYHOLD_MD5_H
#define KEYHOLD_MD5_H

#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/status.h"

/** Bytes of an MD5 digest. */
#define KH_MD5_SIZE 16u

/**
 * Digests some bytes. Thread-safe.
 *
 * @param ret_digest  KH_MD5_SIZE bytes; undefined on failure.
 * @return KH_OK, KH_E_CRYPTO (OpenSSL offers no MD5: FIPS mode).
 */
KH_MUST_USE kh_status kh_md5(kh_bytes data, uint8_t *ret_digest);

#endif
