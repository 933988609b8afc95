/* SPDX-License-Identifier: GPL-2.0-only */
/* CTR: the IV is the first counter block, and the carry runs over all 128 bits. The number of bytes
 * done is all the state. */
#include <string.h>

#include "mode.h"

static kh_status ctr_init(kh_crypt_ctx *ctx)
{
  (void)ctx;
  return KH_OK;
}

/* the counter block of the next byte */
static void counter_here(const kh_crypt_ctx *ctx, uint8_t *counter)
{
  uint64_t carry = ctx->done / KH_AES_BLOCK;
  memcpy(counter, ctx->iv, KH_AES_BLOCK);
  for (int i = KH_AES_BLOCK - 1; i >= 0 && carry != 0; i--) {
    carry += counter[i];
    counter[i] = (uint8_t)carry;
    carry >>= 8;
  }
}

/* Ends the block that an earlier update left unfinished; src becomes what is left. */
static kh_status finish_block(kh_crypt_ctx *ctx, kh_bytes *src, uint8_t *dst, size_t *ret_len)
{
  uint8_t counter[KH_AES_BLOCK];
  uint8_t block[KH_AES_BLOCK] = {0};
  size_t from = (size_t)(ctx->done % KH_AES_BLOCK);
  size_t take = KH_AES_BLOCK - from < src->len ? KH_AES_BLOCK - from : src->len;
  counter_here(ctx, counter);
  memcpy(block + from, src->data, take);
  kh_status status = kh_mode_run(ctx, KH_OP_CTR, counter, (kh_bytes){block, KH_AES_BLOCK}, block);
  if (status == KH_OK)
    memcpy(dst, block + from, take);
  kh_wipe(block, sizeof block);
  src->data += take;
  src->len -= take;
  ctx->done += take;
  *ret_len = take;
  return status;
}

static kh_status ctr_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  uint8_t counter[KH_AES_BLOCK];
  size_t made = 0;
  kh_status status = KH_OK;
  if (src.len > 0 && ctx->done % KH_AES_BLOCK != 0)
    status = finish_block(ctx, &src, dst, &made);
  counter_here(ctx, counter);
  if (status == KH_OK)
    status = kh_mode_run(ctx, KH_OP_CTR, counter, src, dst + made);
  if (status != KH_OK)
    return status;
  ctx->done += src.len;
  *ret_len = made + src.len;
  return KH_OK;
}

static kh_status ctr_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  (void)ctx;
  (void)dst;
  *ret_len = 0;
  return KH_OK;
}

const kh_mode kh_mode_ctr = {.init = ctr_init, .update = ctr_update, .finish = ctr_finish};
