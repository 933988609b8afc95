/* SPDX-License-Identifier: GPL-2.0-only */
/* CTR: the IV is the first counter block, and the carry runs over all 128 bits. */
#include "mode.h"

static kh_status ctr_init(kh_crypt_ctx *ctx, const kh_crypt_key *key)
{
  return kh_mode_start(ctx, KH_EVP_CTR, key->key, key->iv.data);
}

static kh_status ctr_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  (void)ctx;
  (void)dst;
  *ret_len = 0;
  return KH_OK;
}

const kh_mode kh_mode_ctr = {ctr_init, kh_mode_feed, ctr_finish};
