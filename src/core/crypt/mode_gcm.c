/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GCM: the first 12 bytes of the IV are the nonce, the other 4 are additional authenticated data,
 * and the 16-byte tag follows the ciphertext.
 */
#include <string.h>

#include "mode.h"

enum { TAG_SIZE = 16 };

/* the longest message, NIST SP 800-38D 5.2.1.1: 2^39 - 256 bits */
#define GCM_MAX ((UINT64_C(1) << 36) - 32)

/* How this thread reaches the engine for GCM. */
struct way {
  const kh_gcm *gcm; /* NULL: no memory for the thread's area */
  void *engine;
  kh_area *area;
};

static struct way way_of(const kh_crypt_ctx *ctx)
{
  const kh_crypt *crypt = ctx->crypt;
  kh_area *area = kh_threads_area(crypt->threads, crypt->gcm_engine);
  const kh_gcm *gcm = area == NULL ? NULL : kh_engine_list[crypt->gcm_engine]->gcm;
  return (struct way){gcm, crypt->opened[crypt->gcm_engine], area};
}

static kh_status gcm_init(kh_crypt_ctx *ctx)
{
  struct way way = way_of(ctx);
  if (way.gcm == NULL)
    return KH_E_NO_MEMORY;
  return way.gcm->start(way.engine, way.area, ctx->encrypt, kh_mode_key(ctx), ctx->iv, &ctx->gcm);
}

static kh_status gcm_feed(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst)
{
  if (src.len == 0)
    return KH_OK;
  struct way way = way_of(ctx);
  if (way.gcm == NULL)
    return KH_E_NO_MEMORY;
  if (src.len > GCM_MAX - ctx->done)
    return KH_E_BAD_DATA;
  ctx->done += src.len;
  return way.gcm->update(way.engine, way.area, ctx->encrypt, kh_mode_key(ctx), &ctx->gcm, src, dst);
}

/* Decrypts all but the last 16 bytes of the input so far: they may be the tag. */
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
  kh_status status = gcm_feed(ctx, (kh_bytes){released, from_held}, dst);
  if (status == KH_OK)
    status = gcm_feed(ctx, (kh_bytes){src.data, from_src}, dst + from_held);
  if (status == KH_OK)
    *ret_len = release;
  return status;
}

static kh_status gcm_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  if (!ctx->encrypt)
    return gcm_decrypt(ctx, src, dst, ret_len);
  kh_status status = gcm_feed(ctx, src, dst);
  if (status == KH_OK)
    *ret_len = src.len;
  return status;
}

static kh_status gcm_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  struct way way = way_of(ctx);
  if (way.gcm == NULL)
    return KH_E_NO_MEMORY;
  bool complete = ctx->encrypt || ctx->held_len == TAG_SIZE;
  memset(ctx->held + ctx->held_len, 0, (size_t)TAG_SIZE - ctx->held_len);
  /* also when the tag is cut short: the engine must end the message */
  kh_status status = way.gcm->finish(way.engine, way.area, ctx->encrypt, kh_mode_key(ctx),
                                     &ctx->gcm, ctx->encrypt ? dst : ctx->held);
  if (!complete)
    return KH_E_BAD_DATA;
  if (status == KH_OK && ctx->encrypt)
    *ret_len = TAG_SIZE;
  return status;
}

const kh_mode kh_mode_gcm = {.init = gcm_init, .update = gcm_update, .finish = gcm_finish};
