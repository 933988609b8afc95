/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CBC without padding: the output is as long as the input. A last part of a block, n < 16 bytes, is
 * combined by XOR with the first n bytes of AES-ECB(key, IV), IV being the message's own, in both
 * directions.
 */
#include <openssl/err.h>
#include <string.h>

#include "mode.h"

static kh_status cbc_nopad_init(kh_crypt_ctx *ctx, const kh_crypt_key *key)
{
  kh_status status = kh_mode_start(ctx, KH_EVP_CBC, key->key, key->iv.data);
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

/* Feeds whole blocks only, so that EVP holds nothing back. */
static kh_status cbc_nopad_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  size_t made = 0;
  *ret_len = 0;
  if (ctx->held_len > 0) {
    kh_mode_hold(ctx, &src, (size_t)KH_AES_BLOCK - ctx->held_len);
    if (ctx->held_len < KH_AES_BLOCK)
      return KH_OK;
    kh_status status = kh_mode_feed(ctx, (kh_bytes){ctx->held, KH_AES_BLOCK}, dst, &made);
    if (status != KH_OK)
      return status;
    ctx->held_len = 0;
  }
  kh_bytes blocks = {src.data, src.len - src.len % KH_AES_BLOCK};
  kh_bytes rest = {src.data == NULL ? NULL : src.data + blocks.len, src.len - blocks.len};
  /* working in place, the output may overwrite the input up to here, but never what is still to be
   * read */
  kh_mode_hold(ctx, &rest, KH_AES_BLOCK);
  size_t more = 0;
  kh_status status = kh_mode_feed(ctx, blocks, dst + made, &more);
  if (status == KH_OK)
    *ret_len = made + more;
  return status;
}

/* An encrypting context makes the mask itself: CBC of a block of zeros under the message's IV is
 * ECB of that IV. */
static int mask_by_cbc(kh_crypt_ctx *ctx, uint8_t *mask)
{
  static const uint8_t zeros[KH_AES_BLOCK];
  int made = 0;
  return EVP_CipherInit_ex2(ctx->evp, NULL, NULL, ctx->iv, 1, NULL) == 1 &&
         EVP_CipherUpdate(ctx->evp, mask, &made, zeros, KH_AES_BLOCK) == 1;
}

static int mask_by_ecb(kh_crypt_ctx *ctx, uint8_t *mask)
{
  const EVP_CIPHER *cipher = kh_crypt_evp(ctx->crypt, KH_EVP_ECB, ctx->key_len);
  int made = 0;
  return EVP_CipherInit_ex2(ctx->evp, cipher, ctx->key, NULL, 1, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(ctx->evp, 0) == 1 &&
         EVP_CipherUpdate(ctx->evp, mask, &made, ctx->iv, KH_AES_BLOCK) == 1;
}

static kh_status cbc_nopad_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  if (ctx->held_len == 0)
    return KH_OK;
  uint8_t mask[KH_AES_BLOCK];
  int done = ctx->encrypt ? mask_by_cbc(ctx, mask) : mask_by_ecb(ctx, mask);
  if (done)
    for (size_t i = 0; i < ctx->held_len; i++)
      dst[i] = ctx->held[i] ^ mask[i];
  else
    ERR_clear_error();
  kh_wipe(mask, sizeof mask);
  if (!done)
    return KH_E_CRYPTO;
  *ret_len = ctx->held_len;
  return KH_OK;
}

const kh_mode kh_mode_cbc_nopad = {cbc_nopad_init, cbc_nopad_update, cbc_nopad_finish};
