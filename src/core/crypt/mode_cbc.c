/* SPDX-License-Identifier: GPL-2.0-only */
/* CBC with PKCS#7 padding: EVP does all of it. */
#include <openssl/err.h>

#include "mode.h"

static kh_status cbc_init(kh_crypt_ctx *ctx, const kh_crypt_key *key)
{
  return kh_mode_start(ctx, KH_EVP_CBC, key->key, key->iv.data);
}

static kh_status cbc_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  int made = 0;
  if (EVP_CipherFinal_ex(ctx->evp, dst, &made) != 1) {
    ERR_clear_error();
    return ctx->encrypt ? KH_E_CRYPTO : KH_E_BAD_DATA;
  }
  *ret_len = (size_t)made;
  return KH_OK;
}

const kh_mode kh_mode_cbc = {cbc_init, kh_mode_feed, cbc_finish};
