/* SPDX-License-Identifier: GPL-2.0-only */
#include "mode.h"

#include <string.h>

kh_status kh_mode_run(const kh_crypt_ctx *ctx, kh_aes_op op, const uint8_t *iv, kh_bytes src,
                      uint8_t *dst)
{
  if (src.len == 0)
    return KH_OK;
  return kh_engines_run(ctx->crypt, op, kh_mode_key(ctx), iv, src, dst);
}

kh_status kh_mode_blocks(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst)
{
  uint8_t next[KH_AES_BLOCK];
  if (src.len == 0)
    return KH_OK;
  if (ctx->unchained)
    return kh_mode_run(ctx, ctx->encrypt ? KH_OP_ECB_ENCRYPT : KH_OP_ECB_DECRYPT, ctx->iv, src,
                       dst);
  if (!ctx->encrypt) /* before dst, which may be the same memory, is written */
    memcpy(next, src.data + src.len - KH_AES_BLOCK, KH_AES_BLOCK);
  kh_status status =
      kh_mode_run(ctx, ctx->encrypt ? KH_OP_CBC_ENCRYPT : KH_OP_CBC_DECRYPT, ctx->chain, src, dst);
  if (status == KH_OK)
    memcpy(ctx->chain, ctx->encrypt ? dst + src.len - KH_AES_BLOCK : next, KH_AES_BLOCK);
  return status;
}

void kh_mode_hold(kh_crypt_ctx *ctx, kh_bytes *src, size_t most)
{
  size_t take = src->len < most ? src->len : most;
  if (take == 0)
    return;
  memcpy(ctx->held + ctx->held_len, src->data, take);
  ctx->held_len = (uint8_t)(ctx->held_len + take);
  src->data += take;
  src->len -= take;
}

kh_status kh_mode_update_blocks(kh_crypt_ctx *ctx, kh_mode_run_blocks run, kh_bytes src,
                                uint8_t *dst, size_t *ret_len)
{
  size_t made = 0;
  if (ctx->held_len > 0) {
    kh_mode_hold(ctx, &src, (size_t)KH_AES_BLOCK - ctx->held_len);
    if (ctx->held_len < KH_AES_BLOCK)
      return KH_OK;
    kh_status status = run(ctx, (kh_bytes){ctx->held, KH_AES_BLOCK}, dst);
    ctx->held_len = 0; /* also on failure: the finish after it takes less than a block */
    if (status != KH_OK)
      return status;
    made = KH_AES_BLOCK;
  }
  kh_bytes blocks = {src.data, src.len - src.len % KH_AES_BLOCK};
  kh_bytes rest = {src.len == 0 ? src.data : src.data + blocks.len, src.len - blocks.len};
  /* working in place, the output may overwrite the input up to here, but never what is still to be
   * read */
  kh_mode_hold(ctx, &rest, KH_AES_BLOCK);
  kh_status status = run(ctx, blocks, dst + made);
  if (status == KH_OK)
    *ret_len = made + blocks.len;
  return status;
}
