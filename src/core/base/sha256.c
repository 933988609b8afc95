/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/sha256.h"

#include <sodium.h>

_Static_assert(KH_SHA256_SIZE == crypto_hash_sha256_BYTES, "libsodium disagrees");

void kh_sha256(kh_bytes data, uint8_t *ret_digest)
{
  crypto_hash_sha256(ret_digest, data.data, data.len);
}
