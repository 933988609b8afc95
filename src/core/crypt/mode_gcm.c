/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GCM: the first 12 bytes of the IV are the nonce, the other 4 are additional authenticated data,
 * and the 16-byte tag follows the ciphertext.
 */
#include <openssl/err.h>
#include <string.h>

#include "mode.h"

enum { NONCE_SIZE = 12, AAD_SIZE = 4, TAG_SIZE = 16 };

static kh_status gcm_init(kh_crypt_ctx *ctx, const kh_crypt_key *key)
{
  kh_status status =
      kh_mode_start(ctx, KH_EVP_GCM, key->key, key->iv.data); /* 12 is EVP's default nonce size */
  if (status != KH_OK)
    return status;
  size_t made = 0;
  return kh_mode_feed(ctx, (kh_bytes){key->iv.data + NONCE_SIZE, AAD_SIZE}, NULL, &made);
}

/* Decrypts all but the last 16 bytes of what has come so far: they may be the tag. */
static kh_status gcm_decrypt(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  size_t total = ctx->held_len + src.len;
  size_t release = total > TAG_SIZE ? total - TAG_SIZE : 0;
  size_t from_held = release < ctx->held_len ? release : ctx->held_len;
  size_t from_src = release - from_held;
  uint8_t released[TAG_SIZE];
  memcpy(released, ctx->held, from_held);
  memmove(ctx->held, ctx->held + from_held, ctx->held_len - from_held);
  ctx->held_len = (uint8_t)(ctx->held_len - from_held);

  kh_bytes rest = {src.data == NULL ? NULL : src.data + from_src, src.len - from_src};
  kh_mode_hold(ctx, &rest, TAG_SIZE);
  size_t made = 0;
  size_t more = 0;
  *ret_len = 0;
  kh_status status = kh_mode_feed(ctx, (kh_bytes){released, from_held}, dst, &made);
  if (status == KH_OK)
    status = kh_mode_feed(ctx, (kh_bytes){src.data, from_src}, dst + made, &more);
  if (status == KH_OK)
    *ret_len = made + more;
  return status;
}

static kh_status gcm_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  return ctx->encrypt ? kh_mode_feed(ctx, src, dst, ret_len) : gcm_decrypt(ctx, src, dst, ret_len);
}

static kh_status gcm_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  if (!ctx->encrypt && ctx->held_len < TAG_SIZE)
    return KH_E_BAD_DATA;
  int made = 0;
  uint8_t
      nothing[KH_AES_BLOCK]; /* GCM's last step writes no byte, and wants a place all the same */
  int done = ctx->encrypt
                 ? EVP_CipherFinal_ex(ctx->evp, nothing, &made) == 1 &&
                       EVP_CIPHER_CTX_ctrl(ctx->evp, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, dst) == 1
                 : EVP_CIPHER_CTX_ctrl(ctx->evp, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, ctx->held) == 1 &&
                       EVP_CipherFinal_ex(ctx->evp, nothing, &made) == 1;
  if (!done) {
    ERR_clear_error();
    return ctx->encrypt ? KH_E_CRYPTO : KH_E_BAD_DATA;
  }
  *ret_len = ctx->encrypt ? TAG_SIZE : 0;
  return KH_OK;
}

const kh_mode kh_mode_gcm = {gcm_init, gcm_update, gcm_finish};
