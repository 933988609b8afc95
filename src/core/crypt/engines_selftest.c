/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known answers for every operation of the engines in use. Sources: NIST SP 800-38A F.2.1 and F.2.2
 * (CBC-AES128), F.5.1 (CTR-AES128). No published GCM vector has MariaDB's form, with 4 bytes of
 * additional data: this one was computed with Nettle, the tests' second implementation.
 */
#include <string.h>

#include "mode.h"

enum { LEN = 32, TAG = 16 };

static const uint8_t key_bytes[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                      0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
static const uint8_t cbc_iv[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t ctr_iv[16] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
                                   0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
static const uint8_t plain[LEN] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e,
                                   0x11, 0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03,
                                   0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51};
static const uint8_t cbc[LEN] = {0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46, 0xce, 0xe9, 0x8e,
                                 0x9b, 0x12, 0xe9, 0x19, 0x7d, 0x50, 0x86, 0xcb, 0x9b, 0x50, 0x72,
                                 0x19, 0xee, 0x95, 0xdb, 0x11, 0x3a, 0x91, 0x76, 0x78, 0xb2};
static const uint8_t ctr[LEN] = {0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26, 0x1b, 0xef, 0x68,
                                 0x64, 0x99, 0x0d, 0xb6, 0xce, 0x98, 0x06, 0xf6, 0x6b, 0x79, 0x70,
                                 0xfd, 0xff, 0x86, 0x17, 0x18, 0x7b, 0xb9, 0xff, 0xfd, 0xff};
static const uint8_t ecb[LEN] = {0x3a, 0xd7, 0x7b, 0xb4, 0x0d, 0x7a, 0x36, 0x60, 0xa8, 0x9e, 0xca,
                                 0xf3, 0x24, 0x66, 0xef, 0x97, 0xf5, 0xd3, 0xd5, 0x85, 0x03, 0xb9,
                                 0x69, 0x9d, 0xe7, 0x85, 0x89, 0x5a, 0x96, 0xfd, 0xba, 0xaf};
static const uint8_t gcm[LEN + TAG] = {
    0x30, 0x0e, 0x85, 0xb4, 0x96, 0x28, 0x11, 0xd4, 0x09, 0xe5, 0x6a, 0x97, 0xd1, 0x1a, 0xa3, 0xbd,
    0xa5, 0x17, 0x8b, 0xa1, 0x53, 0xda, 0xf8, 0x4e, 0x9b, 0xbd, 0xfa, 0x0b, 0x79, 0x99, 0xdb, 0x66,
    0xfa, 0x12, 0x2d, 0xc3, 0x5b, 0x55, 0x0c, 0x83, 0x2d, 0xb0, 0x58, 0xf0, 0xb6, 0xc6, 0x3b, 0x71};

static const struct {
  kh_aes_op op;
  const uint8_t *iv, *src, *expected;
} answers[] = {
    {KH_OP_CTR, ctr_iv, plain, ctr},         {KH_OP_CBC_ENCRYPT, cbc_iv, plain, cbc},
    {KH_OP_CBC_DECRYPT, cbc_iv, cbc, plain}, {KH_OP_ECB_ENCRYPT, cbc_iv, plain, ecb},
    {KH_OP_ECB_DECRYPT, cbc_iv, ecb, plain},
};

static bool run_is_right(const kh_crypt *crypt, size_t engine, size_t answer)
{
  uint8_t made[LEN];
  kh_area *area = kh_threads_area(crypt->threads, engine);
  kh_aes_op op = answers[answer].op;
  return area != NULL &&
         kh_engine_list[engine]->run[op](
             crypt->opened[engine], area, (kh_bytes){key_bytes, sizeof key_bytes},
             answers[answer].iv, (kh_bytes){answers[answer].src, LEN}, made) == KH_OK &&
         memcmp(made, answers[answer].expected, LEN) == 0;
}

static bool gcm_is_right(const kh_crypt *crypt, size_t engine, bool encrypt)
{
  void *opened = crypt->opened[engine];
  kh_area *area = kh_threads_area(crypt->threads, engine);
  const kh_gcm *steps = kh_engine_list[engine]->gcm;
  kh_bytes key = {key_bytes, sizeof key_bytes};
  kh_gcm_state state;
  uint8_t made[LEN];
  uint8_t tag[TAG];
  memcpy(tag, gcm + LEN, TAG);
  return area != NULL && steps->start(opened, area, encrypt, key, cbc_iv, &state) == KH_OK &&
         steps->update(opened, area, encrypt, key, &state, (kh_bytes){encrypt ? plain : gcm, LEN},
                       made) == KH_OK &&
         steps->finish(opened, area, encrypt, key, &state, tag) == KH_OK &&
         memcmp(made, encrypt ? gcm : plain, LEN) == 0 && memcmp(tag, gcm + LEN, TAG) == 0;
}

/* aes256-xts is the project's own composition: the answers are of tests/interop/xts.py, as is the
 * pattern of keys, IV and plaintext. The first has block 0, others and a last part; the second is a
 * last part alone, and so short that FF1 needs fewer digits of AES. */
enum { XTS_LEN = 41, XTS_SHORT = 7, XTS_LONG = 1041 };
static const uint8_t xts[XTS_LEN] = {
    0x89, 0x34, 0x2d, 0x48, 0x0e, 0xfb, 0x2f, 0x92, 0x5f, 0x18, 0x0b, 0xe4, 0x2f, 0x0d,
    0xe7, 0xec, 0xd5, 0xbb, 0xb9, 0x64, 0x1d, 0xe4, 0x80, 0xbe, 0xc1, 0xf5, 0xe5, 0x22,
    0xf0, 0x13, 0x77, 0x92, 0xeb, 0x61, 0x45, 0x32, 0xd6, 0x68, 0x24, 0x16, 0x82};

static const uint8_t xts_short[XTS_SHORT] = {0xde, 0x0b, 0xe1, 0x8d, 0x48, 0xc7, 0x3e};

static void fill_pattern(uint8_t *data, size_t len, size_t seed)
{
  for (size_t i = 0; i < len; i++)
    data[i] = (uint8_t)(i * 167 + seed * 59 + (i >> 8) * 13 + 7);
}

static bool xts_answer_is_right(const kh_crypt *crypt, const kh_crypt_key *key, kh_bytes answer)
{
  uint8_t src[XTS_LEN];
  uint8_t made[XTS_LEN];
  size_t len = 0;
  fill_pattern(src, answer.len, answer.len);
  return kh_crypt_once(crypt, KH_CIPHER_AES256_XTS, KH_CRYPT_ENCRYPT | KH_CRYPT_NOPAD, key,
                       (kh_bytes){src, answer.len}, made, &len) == KH_OK &&
         len == answer.len && memcmp(made, answer.data, answer.len) == 0 &&
         kh_crypt_once(crypt, KH_CIPHER_AES256_XTS, KH_CRYPT_NOPAD, key, answer, made, &len) ==
             KH_OK &&
         memcmp(made, src, answer.len) == 0;
}

/* In one piece, long runs of blocks go a way of their own; in pieces they do not. */
static bool xts_pieces_are_equal(const kh_crypt *crypt, const kh_crypt_key *key, unsigned flags)
{
  enum { PIECE = 100 };
  uint8_t src[XTS_LONG];
  uint8_t whole[XTS_LONG];
  uint8_t made[XTS_LONG];
  kh_crypt_ctx ctx;
  size_t len = 0;
  size_t total = 0;
  fill_pattern(src, sizeof src, flags);
  if (kh_crypt_once(crypt, KH_CIPHER_AES256_XTS, flags, key, (kh_bytes){src, sizeof src}, whole,
                    &len) != KH_OK ||
      kh_crypt_init(crypt, &ctx, KH_CIPHER_AES256_XTS, flags, key) != KH_OK)
    return false;
  bool is_made = true;
  for (size_t at = 0; at < sizeof src && is_made; at += PIECE) {
    size_t take = sizeof src - at < PIECE ? sizeof src - at : PIECE;
    is_made = kh_crypt_update(&ctx, (kh_bytes){src + at, take}, made + total, &len) == KH_OK;
    total += len;
  }
  return kh_crypt_finish(&ctx, made + total, &len) == KH_OK && is_made &&
         total + len == sizeof made && memcmp(made, whole, sizeof made) == 0;
}

static bool xts_is_right(const kh_crypt *crypt)
{
  uint8_t keys[KH_XTS_KEYS];
  for (size_t i = 0; i < KH_XTS_KEYS / KH_XTS_KEY; i++)
    fill_pattern(keys + i * KH_XTS_KEY, KH_XTS_KEY, i + 1);
  uint8_t iv[KH_AES_BLOCK];
  fill_pattern(iv, sizeof iv, 5);
  const kh_crypt_key key = {{keys, sizeof keys}, {iv, sizeof iv}};
  return xts_answer_is_right(crypt, &key, (kh_bytes){xts, sizeof xts}) &&
         xts_answer_is_right(crypt, &key, (kh_bytes){xts_short, sizeof xts_short}) &&
         xts_pieces_are_equal(crypt, &key, KH_CRYPT_NOPAD) &&
         xts_pieces_are_equal(crypt, &key, KH_CRYPT_NOPAD | KH_CRYPT_ENCRYPT);
}

/* Tests everything that an open engine offers, in use or not: the last engine may replace the
 * others. */
kh_status kh_engines_selftest(const kh_crypt *crypt)
{
  for (size_t engine = 0; engine < KH_ENGINES; engine++) {
    if (crypt->opened[engine] == NULL)
      continue;
    for (size_t answer = 0; answer < sizeof answers / sizeof answers[0]; answer++)
      if (kh_engine_list[engine]->run[answers[answer].op] != NULL &&
          !run_is_right(crypt, engine, answer))
        return KH_E_SELF_TEST;
    if (kh_engine_list[engine]->gcm != NULL &&
        (!gcm_is_right(crypt, engine, true) || !gcm_is_right(crypt, engine, false)))
      return KH_E_SELF_TEST;
  }
  return xts_is_right(crypt) ? KH_OK : KH_E_SELF_TEST;
}
