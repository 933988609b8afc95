/* SPDX-License-Identifier: GPL-2.0-only */
/* ECB with PKCS#7 padding: EVP does all of it, and the IV plays no part. */
#include "mode.h"

static kh_status ecb_init(kh_crypt_ctx *ctx, const kh_crypt_key *key)
{
  return kh_mode_start(ctx, KH_EVP_ECB, key->key, NULL);
}

static kh_status ecb_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_cbc.finish(ctx, dst, ret_len);
}

const kh_mode kh_mode_ecb = {ecb_init, kh_mode_feed, ecb_finish};
