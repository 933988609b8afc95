/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Engine against engine: what auto chooses, in chunks, must give the bytes of OpenSSL alone in one
 * piece, and decrypt to the plaintext again. The first bytes of the input choose cipher, flags, key
 * length and chunks; then come key, IV and plaintext.
 */
#include <string.h>

#include "check.h"
#include "keyhold/cursor.h"
#include "keyhold/datakey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, XTS = 4, KEY_ROOM = 32, MESSAGE_MAX = 1 << 16 };

static kh_crypt *fast, *plain_openssl;

/* in chunks of 1 to `most` bytes, of which a simple generator gives the sizes; most 0: in one piece
 */
static size_t in_chunks(const kh_crypt *crypt, kh_cipher cipher, unsigned flags,
                        const kh_crypt_key *key, kh_bytes src, uint8_t *dst, size_t most)
{
  _Alignas(16) uint8_t ctx[512];
  kh_crypt_ctx *typed = (kh_crypt_ctx *)(void *)ctx;
  size_t total = 0;
  size_t made = 0;
  uint32_t random = 1;
  MUST(kh_crypt_init(crypt, typed, cipher, flags, key) == KH_OK);
  while (src.len > 0) {
    random = random * 1664525 + 1013904223;
    size_t take = most == 0 ? src.len : 1 + random % most;
    take = take < src.len ? take : src.len;
    MUST(kh_crypt_update(typed, (kh_bytes){src.data, take}, dst + total, &made) == KH_OK);
    total += made;
    src = (kh_bytes){src.data + take, src.len - take};
  }
  MUST(kh_crypt_finish(typed, dst + total, &made) == KH_OK);
  return total + made;
}

static void compare(kh_cipher cipher, unsigned flags, const kh_crypt_key *key, kh_bytes message,
                    size_t most)
{
  static uint8_t expected[MESSAGE_MAX + 16], got[MESSAGE_MAX + 16], back[MESSAGE_MAX + 16];
  size_t len = 0;
  unsigned encrypt = flags | KH_CRYPT_ENCRYPT;
  MUST(kh_crypt_once(plain_openssl, cipher, encrypt, key, message, expected, &len) == KH_OK);
  MUST(in_chunks(fast, cipher, encrypt, key, message, got, most) == len);
  MUST(memcmp(got, expected, len) == 0);
  MUST(in_chunks(fast, cipher, flags, key, (kh_bytes){expected, len}, back, most) == message.len);
  MUST(message.len == 0 || memcmp(back, message.data, message.len) == 0);
}

/* Bytes that are not a ciphertext: both engines must refuse them, or give the same output. */
static void compare_garbage(kh_cipher cipher, unsigned flags, const kh_crypt_key *key,
                            kh_bytes garbage)
{
  static uint8_t one[MESSAGE_MAX + 16], other[MESSAGE_MAX + 16];
  size_t one_len = 0;
  size_t other_len = 0;
  kh_status one_status = kh_crypt_once(plain_openssl, cipher, flags, key, garbage, one, &one_len);
  kh_status other_status = kh_crypt_once(fast, cipher, flags, key, garbage, other, &other_len);
  MUST(one_status == other_status && one_len == other_len);
  MUST(memcmp(one, other, one_len) == 0);
}

/* XTS takes four keys, of which no two are equal. */
static kh_bytes four_keys(kh_bytes key, uint8_t *keys)
{
  for (size_t i = 0; i < KH_DATAKEY_MAX; i++)
    keys[i] = (uint8_t)(key.data[i % KEY_ROOM] + i / KEY_ROOM);
  return (kh_bytes){keys, KH_DATAKEY_MAX};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < HEAD + KEY_ROOM + KH_AES_BLOCK || size > MESSAGE_MAX)
    return -1;
  if (fast == NULL) {
    MUST(kh_crypt_new(KH_ENGINE_AUTO, &fast) == KH_OK);
    MUST(kh_crypt_new(KH_ENGINE_OPENSSL, &plain_openssl) == KH_OK);
  }
  kh_cursor cursor = kh_cursor_over((kh_bytes){data, size});
  kh_bytes head = kh_cursor_take(&cursor, HEAD);
  kh_bytes key = kh_cursor_take(&cursor, KEY_ROOM);
  kh_bytes iv = kh_cursor_take(&cursor, KH_AES_BLOCK);
  kh_bytes message = kh_cursor_take(&cursor, size);
  static const kh_cipher ciphers[] = {KH_CIPHER_AES_CBC, KH_CIPHER_AES_CTR};
  unsigned flags = head.data[0] & KH_CRYPT_NOPAD;
  kh_cipher cipher = ciphers[head.data[0] & 1];
  kh_crypt_key both = {{key.data, 16 + 8u * (head.data[1] % 3)}, iv};
  uint8_t keys[KH_DATAKEY_MAX];
  if ((head.data[0] & XTS) != 0 && flags != 0) {
    cipher = KH_CIPHER_AES256_XTS;
    both.key = four_keys(key, keys);
  }
  compare(cipher, flags, &both, message, head.data[2]);
  compare_garbage(cipher, flags, &both, message);
  return 0;
}
