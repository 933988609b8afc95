/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/enc.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* Those of OpenSSL's default provider that people and their tools use. */
static const char *const ciphers[] = {
    "aes-256-cbc", "aes-128-cbc",      "aes-192-cbc",  "aes-256-ctr", "aes-128-ctr",
    "aes-192-ctr", "aes-256-ecb",      "aes-128-ecb",  "aes-256-cfb", "aes-128-cfb",
    "aes-256-ofb", "camellia-256-cbc", "aria-256-cbc", "chacha20",    "des-ede3-cbc",
};
enum { CIPHERS = sizeof ciphers / sizeof ciphers[0] };

const char *kh_enc_cipher(size_t index)
{
  return index < CIPHERS ? ciphers[index] : NULL;
}

static void free_cipher(EVP_CIPHER **cipher)
{
  EVP_CIPHER_free(*cipher);
}
#define AUTO_CIPHER __attribute__((cleanup(free_cipher))) EVP_CIPHER *

static void free_context(EVP_CIPHER_CTX **context)
{
  EVP_CIPHER_CTX_free(*context); /* wipes the key schedule */
}
#define AUTO_CONTEXT __attribute__((cleanup(free_context))) EVP_CIPHER_CTX *

/* Key and IV follow each other in what is derived, whatever their lengths are. */
static bool begin(EVP_CIPHER_CTX *context, size_t index, const kh_secret *derived, bool is_padded)
{
  AUTO_CIPHER cipher = EVP_CIPHER_fetch(NULL, ciphers[index], NULL);
  const uint8_t *bytes = kh_secret_bytes(derived).data;
  if (cipher == NULL || context == NULL)
    return false;
  size_t key_len = (size_t)EVP_CIPHER_get_key_length(cipher);
  size_t iv_len = (size_t)EVP_CIPHER_get_iv_length(cipher);
  return key_len + iv_len <= kh_secret_bytes(derived).len &&
         EVP_DecryptInit_ex2(context, cipher, bytes, bytes + key_len, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(context, is_padded) == 1;
}

static bool is_text(const uint8_t *bytes, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if ((bytes[i] < ' ' && (bytes[i] < '\t' || bytes[i] > '\r')) || bytes[i] == 0x7f)
      return false;
  return true;
}

bool kh_enc_begins_as_text(size_t index, const kh_secret *derived, kh_bytes ciphertext)
{
  uint8_t start[KH_ENC_PROBE_SIZE];
  int len = 0;
  if (ciphertext.len < sizeof start)
    return false;
  AUTO_CONTEXT context = EVP_CIPHER_CTX_new();
  bool is_found =
      begin(context, index, derived, false) &&
      EVP_DecryptUpdate(context, start, &len, ciphertext.data, (int)sizeof start) == 1 &&
      len == (int)sizeof start && is_text(start, sizeof start);
  kh_wipe(start, sizeof start);
  ERR_clear_error();
  return is_found;
}

kh_status kh_enc_decrypt(size_t index, const kh_secret *derived, kh_bytes ciphertext,
                         kh_secret **ret_text)
{
  KH_AUTO_SECRET text = NULL;
  int len = 0;
  int rest = 0;
  if (ciphertext.len > INT_MAX - EVP_MAX_BLOCK_LENGTH)
    return KH_E_BAD_DATA;
  kh_status status = kh_secret_new(ciphertext.len + EVP_MAX_BLOCK_LENGTH, &text);
  if (status != KH_OK)
    return status;
  AUTO_CONTEXT context = EVP_CIPHER_CTX_new();
  if (!begin(context, index, derived, true))
    status = KH_E_CRYPTO;
  else if (EVP_DecryptUpdate(context, kh_secret_data(text), &len, ciphertext.data,
                             (int)ciphertext.len) != 1 ||
           EVP_DecryptFinal_ex(context, kh_secret_data(text) + len, &rest) != 1)
    status = KH_E_BAD_DATA;
  ERR_clear_error();
  if (status != KH_OK)
    return status;
  kh_secret_set_len(text, (size_t)len + (size_t)rest);
  *ret_text = text;
  text = NULL;
  return KH_OK;
}
