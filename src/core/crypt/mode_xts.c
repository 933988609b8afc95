/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mode of aes256-xts without padding (docs/ciphers.md has the definition and its reasons). The
 * server repeats IVs, so that no mode in which equal IVs give equal key streams is safe.
 *
 * Block 0 is XTS with the IV as tweak value. The blocks after it are data units of 2^20 blocks; the
 * tweak value of the first is E(K4, IV) XOR the first block of ciphertext, of each later one by 1
 * more. The last 1 to 15 bytes are FF1 with K3; its tweak is the IV, and the last whole block of
 * ciphertext or zeros.
 */
#include <endian.h>
#include <string.h>

#include "engine_xts.h"
#include "ff1.h"
#include "mode.h"

enum {
  UNIT = (1 << 20) * KH_AES_BLOCK, /* bytes */
  LONG = 512, /* from here on, setting up XTS of OpenSSL costs less than it saves */
  BATCH = 32 * KH_AES_BLOCK,
  HALF = KH_AES_BLOCK / 2,
};
_Static_assert(LONG >= 2 * KH_AES_BLOCK, "block 0 is never in a long run");

static kh_status find_keys(const kh_crypt_ctx *ctx, kh_xts *ret_xts)
{
  const kh_crypt *crypt = ctx->crypt;
  kh_area *area = kh_threads_area(crypt->threads, KH_ENGINE_XTS);
  return kh_xts_find(crypt->opened[KH_ENGINE_XTS], area, ctx->xts.keys, ret_xts);
}

static kh_status xts_init(kh_crypt_ctx *ctx)
{
  kh_xts xts;
  memset(ctx->chain, 0, sizeof ctx->chain);
  ctx->xts.has_tweak = false;
  return find_keys(ctx, &xts); /* refuses equal keys */
}

/* A block that is loaded and stored at once: a load of 16 bytes would wait for two stores of 8. */
typedef uint64_t block_words __attribute__((vector_size(KH_AES_BLOCK)));

static block_words load_block(const uint8_t *bytes)
{
  block_words block;
  memcpy(&block, bytes, sizeof block);
  return block;
}

static void store_block(uint8_t *bytes, block_words block)
{
  memcpy(bytes, &block, sizeof block);
}

/* Multiplies by x in GF(2^128) as IEEE 1619 has it (5.2): little-endian, x^128 = x^7 + x^2 + x + 1.
 */
static block_words double_tweak(block_words tweak)
{
  uint64_t low = le64toh(tweak[0]);
  uint64_t high = le64toh(tweak[1]);
  uint64_t carry = (uint64_t)0 - (high >> 63);
  return (block_words){htole64(low << 1 ^ (carry & 0x87)), htole64(high << 1 | low >> 63)};
}

static void add_blocks(const uint8_t *a, const uint8_t *b, uint8_t *dst, size_t len)
{
  for (size_t i = 0; i < len; i += KH_AES_BLOCK)
    store_block(dst + i, load_block(a + i) ^ load_block(b + i));
}

/* Returns the place in its data unit of the next byte, which is after block 0. */
static uint64_t place_in_unit(const kh_crypt_ctx *ctx)
{
  return (ctx->done - KH_AES_BLOCK) % UNIT;
}

/* The tweak value of that unit: a little-endian number. */
static void unit_value(const kh_crypt_ctx *ctx, uint8_t *ret_value)
{
  uint64_t carry = (ctx->done - KH_AES_BLOCK) / UNIT;
  for (size_t i = 0; i < KH_AES_BLOCK; i++) {
    carry += ctx->xts.unit[i];
    ret_value[i] = (uint8_t)carry;
    carry >>= 8;
  }
}

static kh_status encrypt_value(const kh_xts *xts, kh_xts_op op, const uint8_t *value,
                               uint8_t *ret_block)
{
  return kh_xts_blocks(xts, op, (kh_bytes){value, KH_AES_BLOCK}, ret_block);
}

/* Makes ctx->xts.tweak that of the next block. */
static kh_status make_tweak(kh_crypt_ctx *ctx, const kh_xts *xts)
{
  uint8_t value[KH_AES_BLOCK];
  unit_value(ctx, value);
  kh_status status = encrypt_value(xts, KH_XTS_TWEAK, value, ctx->xts.tweak);
  block_words tweak = load_block(ctx->xts.tweak);
  for (uint64_t i = place_in_unit(ctx) / KH_AES_BLOCK; i > 0; i--)
    tweak = double_tweak(tweak);
  store_block(ctx->xts.tweak, tweak);
  ctx->xts.has_tweak = status == KH_OK;
  kh_wipe(value, sizeof value);
  return status;
}

/* XTS of a few blocks, from the one that ctx->xts.tweak is for; moves the tweak on. */
static kh_status run_batch(kh_crypt_ctx *ctx, const kh_xts *xts, kh_bytes src, uint8_t *dst)
{
  uint8_t tweaks[BATCH];
  block_words tweak = load_block(ctx->xts.tweak);
  for (size_t at = 0; at < src.len; at += KH_AES_BLOCK) {
    store_block(tweaks + at, tweak);
    store_block(dst + at, load_block(src.data + at) ^ tweak);
    tweak = double_tweak(tweak);
  }
  store_block(ctx->xts.tweak, tweak);
  kh_status status = kh_xts_blocks(xts, ctx->encrypt ? KH_XTS_ENCRYPT : KH_XTS_DECRYPT,
                                   (kh_bytes){dst, src.len}, dst);
  if (status == KH_OK)
    add_blocks(dst, tweaks, dst, src.len);
  else
    kh_wipe(dst, src.len); /* it would become the plaintext again */
  kh_wipe(tweaks, src.len);
  return status;
}

static kh_status run_short(kh_crypt_ctx *ctx, const kh_xts *xts, kh_bytes src, uint8_t *dst)
{
  kh_status status = ctx->xts.has_tweak ? KH_OK : make_tweak(ctx, xts);
  while (src.len > 0 && status == KH_OK) {
    size_t take = src.len < BATCH ? src.len : BATCH;
    status = run_batch(ctx, xts, (kh_bytes){src.data, take}, dst);
    src = (kh_bytes){src.data + take, src.len - take};
    dst += take;
  }
  return status;
}

static kh_status run_long(kh_crypt_ctx *ctx, const kh_xts *xts, kh_bytes src, uint8_t *dst)
{
  uint8_t value[KH_AES_BLOCK];
  unit_value(ctx, value);
  ctx->xts.has_tweak = false;
  kh_status status = kh_xts_unit(xts, ctx->encrypt, value, src, dst);
  kh_wipe(value, sizeof value);
  return status;
}

/* Block 0, and the half of the next tweak value that does not depend on it. */
static kh_status run_first(kh_crypt_ctx *ctx, const kh_xts *xts, kh_bytes src, uint8_t *dst)
{
  kh_status status = encrypt_value(xts, KH_XTS_TWEAK, ctx->iv, ctx->xts.tweak);
  if (status == KH_OK)
    status = encrypt_value(xts, KH_XTS_BIND, ctx->iv, ctx->xts.unit);
  return status == KH_OK ? run_batch(ctx, xts, src, dst) : status;
}

/* Returns how many of the next bytes are processed alike: block 0, or those of one data unit. */
static size_t next_run(const kh_crypt_ctx *ctx, size_t len)
{
  uint64_t room = ctx->done == 0 ? KH_AES_BLOCK : UNIT - place_in_unit(ctx);
  return len < room ? len : (size_t)room;
}

static kh_status run(kh_crypt_ctx *ctx, const kh_xts *xts, kh_bytes src, uint8_t *dst)
{
  if (ctx->done == 0)
    return run_first(ctx, xts, src, dst);
  if (src.len >= LONG && place_in_unit(ctx) == 0)
    return run_long(ctx, xts, src, dst);
  return run_short(ctx, xts, src, dst);
}

/* What the blocks after a run depend on. */
static void note_run(kh_crypt_ctx *ctx, const uint8_t *last, size_t len)
{
  memcpy(ctx->chain, last, KH_AES_BLOCK);
  if (ctx->done == 0)
    add_blocks(ctx->xts.unit, last, ctx->xts.unit, KH_AES_BLOCK);
  ctx->done += len;
  if (place_in_unit(ctx) == 0)
    ctx->xts.has_tweak = false;
}

static kh_status xts_blocks(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst)
{
  kh_xts xts;
  kh_status status = src.len == 0 ? KH_OK : find_keys(ctx, &xts);
  while (src.len > 0 && status == KH_OK) {
    uint8_t last[KH_AES_BLOCK]; /* of the ciphertext; dst may be the memory of src */
    size_t take = next_run(ctx, src.len);
    if (!ctx->encrypt)
      memcpy(last, src.data + take - KH_AES_BLOCK, KH_AES_BLOCK);
    status = run(ctx, &xts, (kh_bytes){src.data, take}, dst);
    if (status != KH_OK)
      break;
    note_run(ctx, ctx->encrypt ? dst + take - KH_AES_BLOCK : last, take);
    src = (kh_bytes){src.data + take, src.len - take};
    dst += take;
  }
  return status;
}

static kh_status xts_update(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  return kh_mode_update_blocks(ctx, xts_blocks, src, dst, ret_len);
}

static kh_status encrypt_for_ff1(const void *argument, const uint8_t *src, uint8_t *dst)
{
  return encrypt_value(argument, KH_XTS_FF1, src, dst);
}

static kh_status xts_finish(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len)
{
  uint8_t tweak[KH_FF1_TWEAK];
  kh_xts xts;
  if (ctx->held_len == 0)
    return KH_OK;
  memcpy(tweak, ctx->iv, KH_AES_BLOCK);
  memcpy(tweak + KH_AES_BLOCK, ctx->chain, KH_AES_BLOCK);
  kh_status status = find_keys(ctx, &xts);
  if (status == KH_OK)
    status = kh_ff1(&(kh_ff1_cipher){encrypt_for_ff1, &xts}, ctx->encrypt, tweak,
                    (kh_bytes){ctx->held, ctx->held_len}, dst);
  if (status == KH_OK)
    *ret_len = ctx->held_len;
  return status;
}

const kh_mode kh_mode_xts = {
    .init = xts_init, .update = xts_update, .finish = xts_finish, .key_len = KH_XTS_KEYS};
