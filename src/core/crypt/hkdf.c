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

/* computes the HMAC of a text in two parts */
static bool make_mac(EVP_MAC_CTX *ctx, kh_bytes key, kh_bytes text, kh_bytes end, uint8_t *ret_mac)
{
  size_t len;
  return EVP_MAC_init(ctx, key.data, key.len, NULL) == 1 &&
         EVP_MAC_update(ctx, text.data, text.len) == 1 &&
         EVP_MAC_update(ctx, end.data, end.len) == 1 &&
         EVP_MAC_final(ctx, ret_mac, &len, KH_HKDF_SIZE) == 1;
}

/* The same by libsodium, which needs no memory and takes several times as long. */
static kh_status derive_without_memory(const kh_hkdf_input *input, uint8_t *ret_key)
{
  uint8_t prk[KH_HKDF_SIZE];
  uint8_t block[KH_HKDF_INFO_MAX + 1];
  if (input->info.len > KH_HKDF_INFO_MAX)
    return KH_E_CRYPTO;
  memcpy(block, input->info.data, input->info.len);
  block[input->info.len] = 1;
  kh_hmac_sha256(input->salt, input->ikm, prk);
  kh_hmac_sha256((kh_bytes){prk, sizeof prk}, (kh_bytes){block, input->info.len + 1}, ret_key);
  kh_wipe(prk, sizeof prk);
  return KH_OK;
}

kh_status kh_hkdf_derive(const kh_hkdf *hkdf, const kh_hkdf_input *input, uint8_t *ret_key)
{
  static const uint8_t number[] = {1}; /* of the block, the only one */
  uint8_t prk[KH_HKDF_SIZE];
  EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(hkdf);
  bool is_made =
      ctx != NULL && make_mac(ctx, input->salt, input->ikm, (kh_bytes){NULL, 0}, prk) &&
      make_mac(ctx, (kh_bytes){prk, sizeof prk}, input->info, (kh_bytes){number, 1}, ret_key);
  EVP_MAC_CTX_free(ctx);
  kh_wipe(prk, sizeof prk);
  if (is_made)
    return KH_OK;
  ERR_clear_error();
  return derive_without_memory(input, ret_key);
}
