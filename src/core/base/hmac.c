/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/hmac.h"

#include <sodium.h>

_Static_assert(KH_HMAC_SHA256_SIZE == crypto_auth_hmacsha256_BYTES, "libsodium disagrees");

void kh_hmac_sha256(kh_bytes key, kh_bytes message, uint8_t *ret_mac)
{
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data, key.len);
  crypto_auth_hmacsha256_update(&state, message.data, message.len);
  crypto_auth_hmacsha256_final(&state, ret_mac);
  sodium_memzero(&state, sizeof state);
}
