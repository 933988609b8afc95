/* SPDX-License-Identifier: GPL-2.0-only */
#include "mode.h"

#include <openssl/err.h>
#include <string.h>

/* EVP counts in int; a multiple of the block, so that no call but the last ends inside one */
enum { FEED_MAX = 1 << 30 };

kh_status kh_mode_start(kh_crypt_ctx *ctx, kh_evp evp, kh_bytes key, const uint8_t *iv)
{
  ctx->evp = EVP_CIPHER_CTX_new();
  if (ctx->evp == NULL)
    return KH_E_NO_MEMORY;
  const EVP_CIPHER *cipher = kh_crypt_evp(ctx->crypt, evp, key.len);
  if (EVP_CipherInit_ex2(ctx->evp, cipher, key.data, iv, ctx->encrypt, NULL) == 1)
    return KH_OK;
  ERR_clear_error();
  return KH_E_CRYPTO;
}

kh_status kh_mode_feed(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  *ret_len = 0;
  while (src.len > 0) {
    int take = src.len < FEED_MAX ? (int)src.len : FEED_MAX;
    int made = 0;
    uint8_t *out = dst == NULL ? NULL : dst + *ret_len;
    if (EVP_CipherUpdate(ctx->evp, out, &made, src.data, take) != 1) {
      ERR_clear_error();
      *ret_len = 0;
      return KH_E_CRYPTO;
    }
    *ret_len += (size_t)made;
    src.data += take;
    src.len -= (size_t)take;
  }
  return KH_OK;
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
