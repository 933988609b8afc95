/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/crypt.h"

#include <stddef.h>
#include <string.h>

#include "mode.h"

size_t kh_crypt_ctx_size(void)
{
  return sizeof(kh_crypt_ctx);
}

static const kh_mode *mode_of(kh_cipher cipher, unsigned flags)
{
  return (flags & KH_CRYPT_NOPAD) != 0 ? kh_ciphers[cipher].unpadded : kh_ciphers[cipher].padded;
}

static bool takes_key(const kh_mode *mode, size_t len)
{
  return mode->key_len != 0 ? len == mode->key_len : len == 16 || len == 24 || len == 32;
}

static void start_message(kh_crypt_ctx *ctx, const kh_crypt *crypt, kh_cipher cipher,
                          unsigned flags, const kh_crypt_key *key)
{
  ctx->mode = mode_of(cipher, flags);
  ctx->crypt = crypt;
  ctx->done = 0;
  ctx->flags = (uint8_t)flags;
  ctx->encrypt = (flags & KH_CRYPT_ENCRYPT) != 0;
  ctx->unchained = false;
  ctx->held_len = 0;
  ctx->key_len = (uint8_t)key->key.len;
  memcpy(ctx->mode == &kh_mode_xts ? ctx->xts.keys : ctx->key, key->key.data, key->key.len);
  memcpy(ctx->iv, key->iv.data, KH_AES_BLOCK);
}

kh_status kh_crypt_init(const kh_crypt *crypt, kh_crypt_ctx *ctx, kh_cipher cipher, unsigned flags,
                        const kh_crypt_key *key)
{
  if (!takes_key(mode_of(cipher, flags), key->key.len))
    return KH_E_KEY_SIZE;
  if (key->iv.len != KH_AES_BLOCK)
    return KH_E_IV_SIZE;
  start_message(ctx, crypt, cipher, flags, key);
  kh_status status = ctx->mode->init(ctx);
  if (status != KH_OK)
    kh_wipe(ctx, sizeof *ctx);
  return status;
}

unsigned kh_crypt_flags(const kh_crypt_ctx *ctx)
{
  return ctx->flags;
}

kh_status kh_crypt_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  *ret_len = 0;
  return ctx->mode->update(ctx, src, dst, ret_len);
}

kh_status kh_crypt_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  *ret_len = 0;
  kh_status status = ctx->mode->finish(ctx, dst, ret_len);
  bool is_whole = ctx->mode == &kh_mode_gcm || ctx->mode == &kh_mode_xts;
  kh_wipe(ctx, is_whole ? sizeof *ctx : offsetof(kh_crypt_ctx, gcm));
  return status;
}

kh_status kh_crypt_once(const kh_crypt *crypt, kh_cipher cipher, unsigned flags,
                        const kh_crypt_key *key, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  kh_crypt_ctx ctx;
  size_t body = 0;
  size_t tail = 0;
  *ret_len = 0;
  kh_status init = kh_crypt_init(crypt, &ctx, cipher, flags, key);
  if (init != KH_OK)
    return init;
  kh_status update = kh_crypt_update(&ctx, src, dst, &body);
  kh_status finish = kh_crypt_finish(&ctx, dst + body, &tail);
  if (update != KH_OK)
    return update;
  if (finish == KH_OK)
    *ret_len = body + tail;
  return finish;
}
