/* SPDX-License-Identifier: GPL-2.0-only */
/* Uses HMAC, not OpenSSL's HKDF: that takes three times as long, and frees the salt, which can be
 * a stored key, without wiping it. */
#include "hkdf.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <string.h>

#include "keyhold/hmac.h"
#include "keyhold/secret.h"

enum { PARTS = 3 };

kh_status kh_hkdf_new(kh_hkdf **ret_hkdf)
{
  static const uint8_t any_key[KH_HKDF_SIZE]; /* some OpenSSL 3.0 copy a context only with a key */
  const OSSL_PARAM sha256[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  kh_hkdf *hkdf = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
  EVP_MAC_free(hmac);
  if (hkdf != NULL && EVP_MAC_init(hkdf, any_key, sizeof any_key, sha256) == 1) {
    *ret_hkdf = hkdf;
    return KH_OK;
  }
  kh_hkdf_free(&hkdf);
  ERR_clear_error();
  return KH_E_CRYPTO;
}

void kh_hkdf_free(kh_hkdf **hkdf)
{
  EVP_MAC_CTX_free(*hkdf);
  *hkdf = NULL;
}

/* computes the HMAC of a text in three parts */
static bool make_mac(EVP_MAC_CTX *ctx, kh_bytes key, const kh_bytes *parts, uint8_t *ret_mac)
{
  size_t len;
  if (EVP_MAC_init(ctx, key.data, key.len, NULL) != 1)
    return false;
  for (size_t i = 0; i < PARTS; i++)
    if (EVP_MAC_update(ctx, parts[i].data, parts[i].len) != 1)
      return false;
  return EVP_MAC_final(ctx, ret_mac, &len, KH_HKDF_SIZE) == 1;
}

/* The same by libsodium, which needs no memory and takes several times as long. */
static kh_status derive_without_memory(const kh_hkdf_input *input, size_t len, uint8_t *ret_key)
{
  uint8_t prk[KH_HKDF_SIZE];
  uint8_t block[KH_HKDF_SIZE + KH_HKDF_INFO_MAX + 1];
  uint8_t *info = block + KH_HKDF_SIZE;
  if (input->info.len > KH_HKDF_INFO_MAX)
    return KH_E_CRYPTO;
  memcpy(info, input->info.data, input->info.len);
  kh_hmac_sha256(input->salt, input->ikm, prk);
  for (size_t at = 0; at < len; at += KH_HKDF_SIZE) {
    const uint8_t *from = at == 0 ? info : block; /* the first block has none before it */
    info[input->info.len] = (uint8_t)(at / KH_HKDF_SIZE + 1);
    kh_hmac_sha256((kh_bytes){prk, sizeof prk},
                   (kh_bytes){from, (size_t)(info - from) + input->info.len + 1}, ret_key + at);
    memcpy(block, ret_key + at, KH_HKDF_SIZE);
  }
  kh_wipe(prk, sizeof prk);
  kh_wipe(block, sizeof block);
  return KH_OK;
}

/* RFC 5869, 2.3: each block is the HMAC of the one before, the info and its number. */
static bool expand(EVP_MAC_CTX *ctx, const uint8_t *prk, kh_bytes info, size_t len,
                   uint8_t *ret_key)
{
  kh_bytes before = {NULL, 0};
  for (size_t at = 0; at < len; at += KH_HKDF_SIZE) {
    uint8_t number = (uint8_t)(at / KH_HKDF_SIZE + 1);
    const kh_bytes parts[PARTS] = {before, info, {&number, 1}};
    if (!make_mac(ctx, (kh_bytes){prk, KH_HKDF_SIZE}, parts, ret_key + at))
      return false;
    before = (kh_bytes){ret_key + at, KH_HKDF_SIZE};
  }
  return true;
}

kh_status kh_hkdf_derive(const kh_hkdf *hkdf, const kh_hkdf_input *input, size_t len,
                         uint8_t *ret_key)
{
  uint8_t prk[KH_HKDF_SIZE];
  const kh_bytes extracted[PARTS] = {input->ikm};
  EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(hkdf);
  bool is_made = ctx != NULL && make_mac(ctx, input->salt, extracted, prk) &&
                 expand(ctx, prk, input->info, len, ret_key);
  EVP_MAC_CTX_free(ctx);
  kh_wipe(prk, sizeof prk);
  if (is_made)
    return KH_OK;
  ERR_clear_error();
  return derive_without_memory(input, len, ret_key);
}
