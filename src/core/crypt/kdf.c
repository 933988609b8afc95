/* SPDX-License-Identifier: GPL-2.0-only */
/* The key derivation of `openssl enc -aes-256-cbc`, and PBKDF2 alone: enc(1ssl),
 * EVP_BytesToKey(3ssl), PKCS5_PBKDF2_HMAC(3ssl). */
#include "keyhold/kdf.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "keyhold/stop.h"

enum { ENC_KEY_SIZE = 32 };

static const char *const digest_names[KH_DIGEST_COUNT] = {
    [KH_DIGEST_SHA1] = "sha1",     [KH_DIGEST_SHA224] = "sha224", [KH_DIGEST_SHA256] = "sha256",
    [KH_DIGEST_SHA384] = "sha384", [KH_DIGEST_SHA512] = "sha512", [KH_DIGEST_MD5] = "md5",
};

const char *kh_digest_name(kh_digest digest)
{
  return digest_names[digest];
}

static void free_md(EVP_MD **md)
{
  EVP_MD_free(*md);
}

static int derive_key_and_iv(const EVP_MD *md, kh_bytes passphrase, const uint8_t *salt,
                             uint32_t iterations, uint8_t *derived)
{
  int len = (int)passphrase.len;
  if (iterations == 0)
    return EVP_BytesToKey(EVP_aes_256_cbc(), md, salt, passphrase.data, len, 1, derived,
                          derived + ENC_KEY_SIZE) == ENC_KEY_SIZE;
  static const uint8_t no_salt[1];
  return PKCS5_PBKDF2_HMAC((const char *)passphrase.data, len, salt == NULL ? no_salt : salt,
                           salt == NULL ? 0 : KH_KDF_SALT_SIZE, (int)iterations, md,
                           KH_KDF_OPENSSL_ENC_SIZE, derived) == 1;
}

kh_status kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                             uint32_t iterations, kh_secret *ret_derived)
{
  static const uint8_t none[1];
  if (kh_stop_is_set())
    return KH_E_GIVEN_UP;
  if (passphrase.len > INT_MAX || iterations > INT_MAX ||
      kh_secret_capacity(ret_derived) < KH_KDF_OPENSSL_ENC_SIZE)
    return KH_E_CRYPTO;
  if (passphrase.len == 0) /* with NULL EVP_BytesToKey() only returns the sizes */
    passphrase.data = none;
  __attribute__((cleanup(free_md))) EVP_MD *md = EVP_MD_fetch(NULL, kh_digest_name(digest), NULL);
  if (md == NULL ||
      !derive_key_and_iv(md, passphrase, salt, iterations, kh_secret_data(ret_derived))) {
    ERR_clear_error();
    return KH_E_CRYPTO;
  }
  kh_secret_set_len(ret_derived, KH_KDF_OPENSSL_ENC_SIZE);
  return KH_OK;
}

kh_status kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest, uint32_t iterations,
                        kh_secret *ret_derived)
{
  size_t len = kh_secret_capacity(ret_derived);
  if (kh_stop_is_set())
    return KH_E_GIVEN_UP;
  if (passphrase.len > INT_MAX || salt.len > INT_MAX || iterations == 0 || iterations > INT_MAX ||
      len > INT_MAX)
    return KH_E_CRYPTO;
  const char *data = passphrase.len == 0 ? "" : (const char *)passphrase.data;
  __attribute__((cleanup(free_md))) EVP_MD *md = EVP_MD_fetch(NULL, kh_digest_name(digest), NULL);
  if (md == NULL ||
      PKCS5_PBKDF2_HMAC(data, (int)passphrase.len, salt.data, (int)salt.len, (int)iterations, md,
                        (int)len, kh_secret_data(ret_derived)) != 1) {
    ERR_clear_error();
    return KH_E_CRYPTO;
  }
  kh_secret_set_len(ret_derived, len);
  return KH_OK;
}
