/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file mode.h
 * What the ciphers share inside this folder: the context, and the table that each mode fills in its
 * own file.
 */
#ifndef KEYHOLD_CRYPT_MODE_H
#define KEYHOLD_CRYPT_MODE_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "keyhold/crypt.h"

/** A way of working AES. Every function follows the contract of its namesake in crypt.h. */
typedef struct kh_mode {
  kh_status (*init)(kh_crypt_ctx *ctx, const kh_crypt_key *key);
  kh_status (*update)(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len);
  kh_status (*finish)(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len);
} kh_mode;

extern const kh_mode kh_mode_cbc;       /* mode_cbc.c: CBC, PKCS#7 padding */
extern const kh_mode kh_mode_cbc_nopad; /* mode_cbc_nopad.c: CBC, the rest masked */
extern const kh_mode kh_mode_ctr;       /* mode_ctr.c: CTR */
extern const kh_mode kh_mode_gcm;       /* mode_gcm.c: GCM, tag appended */
extern const kh_mode kh_mode_ecb;       /* mode_ecb.c: ECB, PKCS#7 padding */
extern const kh_mode kh_mode_ecb_nopad; /* mode_ecb_nopad.c: ECB, the rest masked */

/** AES modes that OpenSSL provides, each in three key sizes. */
typedef enum kh_evp { KH_EVP_CBC, KH_EVP_CTR, KH_EVP_GCM, KH_EVP_ECB, KH_EVP_COUNT } kh_evp;

struct kh_crypt_ctx {
  const kh_mode *mode;
  const kh_crypt *crypt;
  EVP_CIPHER_CTX *evp;
  bool encrypt;
  uint8_t held_len;           /* bytes in held */
  uint8_t key_len;            /* bytes in key; 0: none is kept */
  uint8_t held[KH_AES_BLOCK]; /* input that waits: a part of a block, or what may be the tag */
  uint8_t iv[KH_AES_BLOCK];   /* as given; for the rest without padding */
  uint8_t key[KH_KEY_MAX];    /* as given; for the rest without padding when decrypting */
};

/** The fetched cipher, or NULL when key_len is not 16, 24 or 32. */
const EVP_CIPHER *kh_crypt_evp(const kh_crypt *crypt, kh_evp evp, size_t key_len);

/** Makes ctx->evp for a cipher, key and direction; iv NULL sets none. Padding is on, as EVP has it.
 */
KH_MUST_USE kh_status kh_mode_start(kh_crypt_ctx *ctx, kh_evp evp, kh_bytes key, const uint8_t *iv);

/** EVP_CipherUpdate() for any length. dst NULL feeds additional authenticated data. */
KH_MUST_USE kh_status kh_mode_feed(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len);

/** Moves up to `most` bytes from the front of src into ctx->held; src becomes what is left. */
void kh_mode_hold(kh_crypt_ctx *ctx, kh_bytes *src, size_t most);

#endif
