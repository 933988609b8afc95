/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CBC and ECB without padding: the output is as long as the input. A last part of a block, n < 16
 * bytes, is combined by XOR with the first n bytes of AES-ECB(key, IV), IV being the message's own,
 * in both directions; in ECB the IV plays no other part.
 */
#include <string.h>

#include "mode.h"

static kh_status cbc_nopad_init(kh_crypt_ctx *ctx)
{
  memcpy(ctx->chain, ctx->iv, KH_AES_BLOCK);
  return KH_OK;
}

static kh_status ecb_nopad_init(kh_crypt_ctx *ctx)
{
  ctx->unchained = true;
  return KH_OK;
}

static kh_status cbc_nopad_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_update_blocks(ctx, kh_mode_blocks, src, dst, ret_len);
}

/* XOR with AES-ECB(key, IV) is CTR with the IV as its only counter block. */
static kh_status cbc_nopad_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  kh_status status =
      kh_mode_run(ctx, KH_OP_CTR, ctx->iv, (kh_bytes){ctx->held, ctx->held_len}, dst);
  if (status == KH_OK)
    *ret_len = ctx->held_len;
  return status;
}

const kh_mode kh_mode_cbc_nopad = {
    .init = cbc_nopad_init, .update = cbc_nopad_update, .finish = cbc_nopad_finish};
const kh_mode kh_mode_ecb_nopad = {
    .init = ecb_nopad_init, .update = cbc_nopad_update, .finish = cbc_nopad_finish};
