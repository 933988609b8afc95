/* SPDX-License-Identifier: GPL-2.0-only */
/* ECB with PKCS#7 padding: as CBC, with blocks that do not depend on each other. The IV plays no
 * part. */
#include "mode.h"

static kh_status ecb_init(kh_crypt_ctx *ctx)
{
  ctx->unchained = true;
  return KH_OK;
}

static kh_status ecb_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_cbc.update(ctx, src, dst, ret_len);
}

static kh_status ecb_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_cbc.finish(ctx, dst, ret_len);
}

const kh_mode kh_mode_ecb = {ecb_init, ecb_update, ecb_finish};
