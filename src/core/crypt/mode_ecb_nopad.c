/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ECB without padding: the output is as long as the input. A last part of a block is treated as in
 * CBC without padding (mode_cbc_nopad.c): XOR with AES-ECB(key, IV). The IV plays no other part.
 */
#include "mode.h"

static kh_status ecb_nopad_init(kh_crypt_ctx *ctx)
{
  ctx->unchained = true;
  return KH_OK;
}

static kh_status ecb_nopad_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_cbc_nopad.update(ctx, src, dst, ret_len);
}

static kh_status ecb_nopad_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_cbc_nopad.finish(ctx, dst, ret_len);
}

const kh_mode kh_mode_ecb_nopad = {ecb_nopad_init, ecb_nopad_update, ecb_nopad_finish};
