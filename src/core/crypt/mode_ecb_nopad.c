/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ECB without padding: the output is as long as the input. A last part of a block is treated as in
 * CBC without padding (mode_cbc_nopad.c): XOR with AES-ECB(key, IV). The IV plays no other part.
 */
#include <string.h>

#include "mode.h"

static kh_status ecb_nopad_init(kh_crypt_ctx *ctx, const kh_crypt_key *key)
{
  kh_status status = kh_mode_start(ctx, KH_EVP_ECB, key->key, NULL);
  if (status != KH_OK)
    return status;
  EVP_CIPHER_CTX_set_padding(ctx->evp, 0);
  memcpy(ctx->iv, key->iv.data, KH_AES_BLOCK);
  if (!ctx->encrypt) { /* a decrypting key schedule cannot make the mask */
    memcpy(ctx->key, key->key.data, key->key.len);
    ctx->key_len = (uint8_t)key->key.len;
  }
  return KH_OK;
}

static kh_status ecb_nopad_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_cbc_nopad.update(ctx, src, dst, ret_len); /* feeds whole blocks only */
}

/* An encrypting context is an ECB of the key already, and makes the mask itself. */
static kh_status finish_encryption(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  uint8_t mask[KH_AES_BLOCK];
  size_t made = 0;
  kh_status status = kh_mode_feed(ctx, (kh_bytes){ctx->iv, KH_AES_BLOCK}, mask, &made);
  if (status != KH_OK)
    return status;
  for (size_t i = 0; i < ctx->held_len; i++)
    dst[i] = ctx->held[i] ^ mask[i];
  kh_wipe(mask, sizeof mask);
  *ret_len = ctx->held_len;
  return KH_OK;
}

static kh_status ecb_nopad_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  if (ctx->held_len == 0)
    return KH_OK;
  if (ctx->encrypt)
    return finish_encryption(ctx, dst, ret_len);
  return kh_mode_cbc_nopad.finish(ctx, dst, ret_len); /* makes the mask from the kept key */
}

const kh_mode kh_mode_ecb_nopad = {ecb_nopad_init, ecb_nopad_update, ecb_nopad_finish};
