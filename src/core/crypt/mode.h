/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file mode.h
 * The context that all modes share, and the table that each mode fills in its own file. For
 * src/core/crypt only.
 */
#ifndef KEYHOLD_CRYPT_MODE_H
#define KEYHOLD_CRYPT_MODE_H

#include <stdbool.h>

#include "engine_xts.h"
#include "engines_parts.h"
#include "keyhold/crypt.h"
#include "keyhold/secret.h"

/** A mode of AES. Every function follows the contract of its namesake in crypt.h. */
typedef struct kh_mode {
  kh_status (*init)(kh_crypt_ctx *ctx);
  kh_status (*update)(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst, size_t *ret_len);
  kh_status (*finish)(kh_crypt_ctx *ctx, uint8_t *dst, size_t *ret_len);
  size_t key_len; /* of the only length of key that it takes, in bytes; 0: a key of AES */
} kh_mode;

extern const kh_mode kh_mode_cbc;       /* mode_cbc.c: CBC, PKCS#7 padding */
extern const kh_mode kh_mode_ecb;       /* mode_cbc.c: ECB, PKCS#7 padding */
extern const kh_mode kh_mode_cbc_nopad; /* mode_cbc_nopad.c: CBC, the rest masked */
extern const kh_mode kh_mode_ecb_nopad; /* mode_cbc_nopad.c: ECB, the rest masked */
extern const kh_mode kh_mode_ctr;       /* mode_ctr.c: CTR */
extern const kh_mode kh_mode_gcm;       /* mode_gcm.c: GCM, tag appended */
extern const kh_mode kh_mode_xts;       /* mode_xts.c: XTS with bound units, the rest FF1 */

/* What only XTS keeps. */
typedef struct kh_xts_state {
  uint8_t keys[KH_XTS_KEYS];
  uint8_t unit[KH_AES_BLOCK];  /* tweak value of the data unit after block 0 */
  uint8_t tweak[KH_AES_BLOCK]; /* of the next block */
  bool has_tweak;
} kh_xts_state;

/** A message. It holds no resource, so one that is never finished is harmless. */
struct kh_crypt_ctx {
  const kh_mode *mode;
  const kh_crypt *crypt;
  uint64_t done; /* bytes worked so far */
  uint8_t flags; /* KH_CRYPT_ENCRYPT, KH_CRYPT_NOPAD */
  bool encrypt;
  bool unchained; /* blocks are processed by ECB, not by CBC */
  uint8_t key_len;
  uint8_t held_len;            /* bytes in held */
  uint8_t held[KH_AES_BLOCK];  /* buffered input: a part of a block, the last block, or what may be
                                  the tag */
  uint8_t iv[KH_AES_BLOCK];    /* as given */
  uint8_t chain[KH_AES_BLOCK]; /* CBC: the last block of ciphertext, or the IV; XTS: or zeros */
  uint8_t key[KH_KEY_MAX];     /* as given; not that of XTS */
  union {                      /* last: the others do not touch it */
    kh_gcm_state gcm;
    kh_xts_state xts;
  };
};

/** Returns the key of a message. */
static inline kh_bytes kh_mode_key(const kh_crypt_ctx *ctx)
{
  return (kh_bytes){ctx->key, ctx->key_len};
}

/** Processes a run of bytes with the engine of that operation. Does nothing if src.len is 0. */
KH_MUST_USE kh_status kh_mode_run(const kh_crypt_ctx *ctx, kh_aes_op op, const uint8_t *iv,
                                  kh_bytes src, uint8_t *dst);

/** Processes whole blocks with CBC, advancing the chain, or with ECB. */
KH_MUST_USE kh_status kh_mode_blocks(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst);

/** Processes whole blocks. */
typedef kh_status (*kh_mode_run_blocks)(kh_crypt_ctx *ctx, kh_bytes src, uint8_t *dst);

/** Processes all whole blocks of what is held and src, and holds the rest: the update of modes that
 * write as many bytes as they get. */
KH_MUST_USE kh_status kh_mode_update_blocks(kh_crypt_ctx *ctx, kh_mode_run_blocks run, kh_bytes src,
                                            uint8_t *dst, size_t *ret_len);

/** Moves up to `most` bytes from the front of src into ctx->held; src becomes what is left. */
void kh_mode_hold(kh_crypt_ctx *ctx, kh_bytes *src, size_t most);

#endif
