/* SPDX-License-Identifier: GPL-2.0-only */
#include "reference.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 16, NONCE = 12 };

static void encrypt_block(const uint8_t *key, size_t key_len, const uint8_t *in, uint8_t *out)
{
  struct aes128_ctx aes128;
  struct aes192_ctx aes192;
  struct aes256_ctx aes256;
  switch (key_len) {
  case 16:
    aes128_set_encrypt_key(&aes128, key);
    aes128_encrypt(&aes128, BLOCK, out, in);
    break;
  case 24:
    aes192_set_encrypt_key(&aes192, key);
    aes192_encrypt(&aes192, BLOCK, out, in);
    break;
  default:
    aes256_set_encrypt_key(&aes256, key);
    aes256_encrypt(&aes256, BLOCK, out, in);
    break;
  }
}

static void xor_bytes(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t len)
{
  for (size_t i = 0; i < len; i++)
    dst[i] = a[i] ^ b[i];
}

static void cbc_blocks(const uint8_t *key, size_t key_len, const uint8_t *iv, const uint8_t *src,
                       size_t len, uint8_t *dst)
{
  const uint8_t *previous = iv;
  for (size_t at = 0; at + BLOCK <= len; at += BLOCK) {
    uint8_t mixed[BLOCK];
    xor_bytes(mixed, src + at, previous, BLOCK);
    encrypt_block(key, key_len, mixed, dst + at);
    previous = dst + at;
  }
}

static size_t cbc_padded(const uint8_t *key, size_t key_len, const uint8_t *iv, const uint8_t *src,
                         size_t len, uint8_t *dst)
{
  size_t whole = len / BLOCK * BLOCK;
  uint8_t last[BLOCK];
  memset(last, (int)(BLOCK - (len - whole)), BLOCK);
  memcpy(last, src + whole, len - whole);
  cbc_blocks(key, key_len, iv, src, whole, dst);
  cbc_blocks(key, key_len, whole == 0 ? iv : dst + whole - BLOCK, last, BLOCK, dst + whole);
  return whole + BLOCK;
}

static size_t cbc_nopad(const uint8_t *key, size_t key_len, const uint8_t *iv, const uint8_t *src,
                        size_t len, uint8_t *dst)
{
  size_t whole = len / BLOCK * BLOCK;
  uint8_t mask[BLOCK];
  encrypt_block(key, key_len, iv, mask);
  cbc_blocks(key, key_len, iv, src, whole, dst);
  xor_bytes(dst + whole, src + whole, mask, len - whole);
  return len;
}

static size_t ecb_padded(const uint8_t *key, size_t key_len, const uint8_t *src, size_t len,
                         uint8_t *dst)
{
  size_t whole = len / BLOCK * BLOCK;
  uint8_t last[BLOCK];
  memset(last, (int)(BLOCK - (len - whole)), BLOCK);
  memcpy(last, src + whole, len - whole);
  for (size_t at = 0; at < whole; at += BLOCK)
    encrypt_block(key, key_len, src + at, dst + at);
  encrypt_block(key, key_len, last, dst + whole);
  return whole + BLOCK;
}

static size_t ecb_nopad(const uint8_t *key, size_t key_len, const uint8_t *iv, const uint8_t *src,
                        size_t len, uint8_t *dst)
{
  size_t whole = len / BLOCK * BLOCK;
  uint8_t mask[BLOCK];
  encrypt_block(key, key_len, iv, mask);
  for (size_t at = 0; at < whole; at += BLOCK)
    encrypt_block(key, key_len, src + at, dst + at);
  xor_bytes(dst + whole, src + whole, mask, len - whole);
  return len;
}

static size_t ctr(const uint8_t *key, size_t key_len, const uint8_t *iv, const uint8_t *src,
                  size_t len, uint8_t *dst)
{
  uint8_t counter[BLOCK];
  memcpy(counter, iv, BLOCK);
  for (size_t at = 0; at < len; at += BLOCK) {
    uint8_t stream[BLOCK];
    encrypt_block(key, key_len, counter, stream);
    xor_bytes(dst + at, src + at, stream, len - at < BLOCK ? len - at : BLOCK);
    for (int i = BLOCK - 1; i >= 0 && ++counter[i] == 0; i--)
      ;
  }
  return len;
}

#define GCM(BITS)                                                                                  \
  do {                                                                                             \
    struct gcm_aes##BITS##_ctx ctx;                                                                \
    gcm_aes##BITS##_set_key(&ctx, key);                                                            \
    gcm_aes##BITS##_set_iv(&ctx, NONCE, nonce);                                                    \
    gcm_aes##BITS##_update(&ctx, aad_len, aad);                                                    \
    gcm_aes##BITS##_encrypt(&ctx, len, dst, src);                                                  \
    gcm_aes##BITS##_digest(&ctx, BLOCK, tag);                                                      \
  } while (0)

void reference_gcm(const uint8_t *key, size_t key_len, const uint8_t *nonce, const uint8_t *aad,
                   size_t aad_len, const uint8_t *src, size_t len, uint8_t *dst, uint8_t *tag)
{
  if (key_len == 16)
    GCM(128);
  else if (key_len == 24)
    GCM(192);
  else
    GCM(256);
}

size_t reference_encrypt(reference_form form, const uint8_t *key, size_t key_len, const uint8_t *iv,
                         const uint8_t *src, size_t len, uint8_t *dst)
{
  switch (form) {
  case REFERENCE_CBC:
    return cbc_padded(key, key_len, iv, src, len, dst);
  case REFERENCE_CBC_NOPAD:
    return cbc_nopad(key, key_len, iv, src, len, dst);
  case REFERENCE_ECB:
    return ecb_padded(key, key_len, src, len, dst);
  case REFERENCE_ECB_NOPAD:
    return ecb_nopad(key, key_len, iv, src, len, dst);
  case REFERENCE_CTR:
    return ctr(key, key_len, iv, src, len, dst);
  default:
    reference_gcm(key, key_len, iv, iv + NONCE, BLOCK - NONCE, src, len, dst, dst + len);
    return len + BLOCK;
  }
}

void reference_hkdf(const uint8_t *ikm, size_t ikm_len, const uint8_t *salt, size_t salt_len,
                    const uint8_t *info, size_t info_len, size_t size, uint8_t *dst)
{
  struct hmac_sha256_ctx ctx;
  uint8_t prk[SHA256_DIGEST_SIZE];
  hmac_sha256_set_key(&ctx, salt_len, salt);
  hkdf_extract(&ctx, (nettle_hash_update_func *)hmac_sha256_update,
               (nettle_hash_digest_func *)hmac_sha256_digest, sizeof prk, ikm_len, ikm, prk);
  hmac_sha256_set_key(&ctx, sizeof prk, prk);
  hkdf_expand(&ctx, (nettle_hash_update_func *)hmac_sha256_update,
              (nettle_hash_digest_func *)hmac_sha256_digest, sizeof prk, info_len, info, size, dst);
}

uint32_t test_random(uint32_t *seed)
{
  *seed ^= *seed << 13; /* xorshift32, Marsaglia 2003 */
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

void test_random_bytes(uint32_t *seed, uint8_t *data, size_t len)
{
  for (size_t i = 0; i < len; i++)
    data[i] = (uint8_t)(test_random(seed) >> 11);
}

size_t test_unhex(const char *digits, uint8_t *data)
{
  size_t len = strlen(digits) / 2;
  for (size_t i = 0; i < len; i++) {
    unsigned byte = 0;
    if (sscanf(digits + 2 * i, "%2x", &byte) != 1)
      return 0;
    data[i] = (uint8_t)byte;
  }
  return len;
}
