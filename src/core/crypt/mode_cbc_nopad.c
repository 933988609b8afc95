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
  size_t made = 0;
  if (ctx->held_len > 0) {
    kh_mode_hold(ctx, &src, (size_t)KH_AES_BLOCK - ctx->held_len);
    if (ctx->held_len < KH_AES_BLOCK)
      return KH_OK;
    kh_status status = kh_mode_blocks(ctx, (kh_bytes){ctx->held, KH_AES_BLOCK}, dst);
    if (status != KH_OK)
      return status;
    ctx->held_len = 0;
    made = KH_AES_BLOCK;
  }
  kh_bytes blocks = {src.data, src.len - src.len % KH_AES_BLOCK};
  kh_bytes rest = {src.data == NULL ? NULL : src.data + blocks.len, src.len - blocks.len};
  /* working in place, the output may overwrite the input up to here, but never what is still to be
   * read */
  kh_mode_hold(ctx, &rest, KH_AES_BLOCK);
  kh_status status = kh_mode_blocks(ctx, blocks, dst + made);
  if (status == KH_OK)
    *ret_len = made + blocks.len;
  return status;
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

const kh_mode kh_mode_cbc_nopad = {cbc_nopad_init, cbc_nopad_update, cbc_nopad_finish};
const kh_mode kh_mode_ecb_nopad = {ecb_nopad_init, cbc_nopad_update, cbc_nopad_finish};
