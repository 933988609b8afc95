/* SPDX-License-Identifier: GPL-2.0-only */
/* CBC, and ECB, whose blocks do not depend on each other nor on the IV, with PKCS#7 padding (RFC
 * 5652, 6.3): 1 to 16 bytes, each of them their number. */
#include <string.h>

#include "mode.h"

static kh_status cbc_init(kh_crypt_ctx *ctx)
{
  memcpy(ctx->chain, ctx->iv, KH_AES_BLOCK);
  return KH_OK;
}

static kh_status ecb_init(kh_crypt_ctx *ctx)
{
  ctx->unchained = true;
  return KH_OK;
}

/* Returns the number of buffered bytes: when encrypting, a part of a block; when decrypting, also
 * the last whole block, which may have the padding. */
static size_t to_hold(const kh_crypt_ctx *ctx, size_t total)
{
  size_t part = total % KH_AES_BLOCK;
  return part == 0 && total > 0 && !ctx->encrypt ? KH_AES_BLOCK : part;
}

static kh_status cbc_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  size_t total = ctx->held_len + src.len;
  size_t ready = total - to_hold(ctx, total);
  size_t made = 0;
  if (ready > 0 && ctx->held_len > 0) {
    kh_mode_hold(ctx, &src, (size_t)KH_AES_BLOCK - ctx->held_len);
    kh_status status = kh_mode_blocks(ctx, (kh_bytes){ctx->held, KH_AES_BLOCK}, dst);
    if (status != KH_OK)
      return status;
    ctx->held_len = 0;
    made = KH_AES_BLOCK;
  }
  kh_bytes blocks = {src.data, ready - made};
  kh_bytes rest = {src.data == NULL ? NULL : src.data + blocks.len, src.len - blocks.len};
  kh_mode_hold(ctx, &rest, KH_AES_BLOCK);
  kh_status status = kh_mode_blocks(ctx, blocks, dst + made);
  if (status == KH_OK)
    *ret_len = ready;
  return status;
}

static kh_status finish_encrypting(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  size_t padding = (size_t)KH_AES_BLOCK - ctx->held_len;
  memset(ctx->held + ctx->held_len, (int)padding, padding);
  kh_status status = kh_mode_blocks(ctx, (kh_bytes){ctx->held, KH_AES_BLOCK}, dst);
  if (status == KH_OK)
    *ret_len = KH_AES_BLOCK;
  return status;
}

/* Returns the length of the padding, or 0 if it is invalid, in constant time. */
static size_t padding_of(const uint8_t *block)
{
  unsigned padding = block[KH_AES_BLOCK - 1];
  unsigned wrong = (unsigned)(padding == 0) | (unsigned)(padding > KH_AES_BLOCK);
  for (unsigned i = 0; i < KH_AES_BLOCK; i++) {
    unsigned inside = (unsigned)(i + padding >= KH_AES_BLOCK);
    wrong |= inside & (unsigned)(block[i] != padding);
  }
  return wrong ? 0 : padding;
}

static kh_status finish_decrypting(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  uint8_t last[KH_AES_BLOCK];
  if (ctx->held_len != KH_AES_BLOCK)
    return KH_E_BAD_DATA;
  kh_status status = kh_mode_blocks(ctx, (kh_bytes){ctx->held, KH_AES_BLOCK}, last);
  size_t padding = status == KH_OK ? padding_of(last) : 0;
  if (padding > 0) {
    *ret_len = KH_AES_BLOCK - padding;
    memcpy(dst, last, *ret_len);
  }
  kh_wipe(last, sizeof last);
  return status == KH_OK && padding == 0 ? KH_E_BAD_DATA : status;
}

static kh_status cbc_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  return ctx->encrypt ? finish_encrypting(ctx, dst, ret_len) : finish_decrypting(ctx, dst, ret_len);
}

const kh_mode kh_mode_cbc = {.init = cbc_init, .update = cbc_update, .finish = cbc_finish};
const kh_mode kh_mode_ecb = {.init = ecb_init, .update = cbc_update, .finish = cbc_finish};
