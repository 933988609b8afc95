/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/crypt.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "mode.h"

enum { KEY_SIZES = 3 };

struct kh_crypt {
  EVP_CIPHER *ciphers[KH_EVP_COUNT][KEY_SIZES];
};

static const char *const cipher_names[KH_EVP_COUNT][KEY_SIZES] = {
    [KH_EVP_CBC] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
    [KH_EVP_CTR] = {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR"},
    [KH_EVP_GCM] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
    [KH_EVP_ECB] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"},
};

/* which mode serves a cipher, with padding and without */
static const kh_mode *const modes[][2] = {
    [KH_CIPHER_AES_CBC] = {&kh_mode_cbc, &kh_mode_cbc_nopad},
    [KH_CIPHER_AES_CTR] = {&kh_mode_gcm, &kh_mode_ctr},
    [KH_CIPHER_AES_ECB] = {&kh_mode_ecb, &kh_mode_ecb_nopad},
};

kh_status kh_crypt_new(kh_crypt **ret_crypt)
{
  kh_crypt *crypt = calloc(1, sizeof *crypt);
  if (crypt == NULL)
    return KH_E_NO_MEMORY;
  for (int evp = 0; evp < KH_EVP_COUNT; evp++) {
    for (int size = 0; size < KEY_SIZES; size++) {
      crypt->ciphers[evp][size] = EVP_CIPHER_fetch(NULL, cipher_names[evp][size], NULL);
      if (crypt->ciphers[evp][size] == NULL) {
        ERR_clear_error();
        kh_crypt_free(&crypt);
        return KH_E_CRYPTO;
      }
    }
  }
  *ret_crypt = crypt;
  return KH_OK;
}

void kh_crypt_free(kh_crypt **crypt)
{
  if (crypt == NULL || *crypt == NULL)
    return;
  for (int evp = 0; evp < KH_EVP_COUNT; evp++)
    for (int size = 0; size < KEY_SIZES; size++)
      EVP_CIPHER_free((*crypt)->ciphers[evp][size]);
  free(*crypt);
  *crypt = NULL;
}

static int is_key_size(size_t len)
{
  return len == 16 || len == 24 || len == 32;
}

const EVP_CIPHER *kh_crypt_evp(const kh_crypt *crypt, kh_evp evp, size_t key_len)
{
  return is_key_size(key_len) ? crypt->ciphers[evp][(key_len - 16) / 8] : NULL;
}

size_t kh_crypt_ctx_size(void)
{
  return sizeof(kh_crypt_ctx);
}

static void wipe_ctx(kh_crypt_ctx *ctx)
{
  EVP_CIPHER_CTX_free(ctx->evp); /* wipes its key schedule */
  kh_wipe(ctx, sizeof *ctx);
}

kh_status kh_crypt_init(const kh_crypt *crypt, kh_crypt_ctx *ctx, kh_cipher cipher, unsigned flags,
                        const kh_crypt_key *key)
{
  if (!is_key_size(key->key.len))
    return KH_E_KEY_SIZE;
  if (key->iv.len != KH_AES_BLOCK)
    return KH_E_IV_SIZE;
  *ctx = (kh_crypt_ctx){
      .mode = modes[cipher][(flags & KH_CRYPT_NOPAD) != 0],
      .crypt = crypt,
      .encrypt = (flags & KH_CRYPT_ENCRYPT) != 0,
  };
  kh_status status = ctx->mode->init(ctx, key);
  if (status != KH_OK)
    wipe_ctx(ctx);
  return status;
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
  wipe_ctx(ctx);
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

size_t kh_crypt_encrypted_length(kh_cipher cipher, size_t len)
{
  if (cipher == KH_CIPHER_AES_CTR)
    return len + KH_AES_BLOCK;
  return (len / KH_AES_BLOCK + 1) * KH_AES_BLOCK;
}
