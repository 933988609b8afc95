/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: EVP_CipherUpdate EVP_CIPHER_CTX_new EVP_CipherInit_ex2 */
/* slow: messages of 64 MiB */
/*
 * aes256-xts without padding: NIST's vectors of XTS, and vectors of tests/interop/xts.py, the
 * second implementation. NIST has no samples of FF1 for radix 2: xts.py has it for any radix and is
 * checked with all nine of NIST's, so its vectors of 1 to 15 bytes stand for them here.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypt/engine_xts.h"
#include "engines.h"
#include "keyhold/crypt.h"
#include "keyhold/sha256.h"
#include "reference.h"
#include "unit.h"
#include "wrap.h"

enum {
  LONGEST = 1 << 26,
  PATTERN = 65536,
  LAST_PARTS = 8 * (31 * 32 / 2 - 16), /* bytes of all messages of every_last_part() */
};

static int fail_in = -1; /* calls of OpenSSL until one fails; -1: none fails */

static const char *failed_call; /* the one that failed last */

static bool call_fails(const char *name)
{
  bool fails = fail_in >= 0 && fail_in-- == 0;
  if (fails)
    failed_call = name;
  return fails;
}

WRAP_EVP_CIPHER_CTX_NEW(call_fails)
WRAP_EVP_CIPHERINIT_EX2(call_fails)
WRAP(call_fails, int, EVP_CipherUpdate, 0,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *len, const unsigned char *in, int in_len),
     (ctx, out, len, in, in_len))

/* pattern() of tests/interop/xts.py */
static void fill_pattern(uint8_t *data, size_t len, size_t seed)
{
  for (size_t i = 0; i < len; i++)
    data[i] = (uint8_t)(i * 167 + seed * 59 + (i >> 8) * 13 + 7);
}

static uint8_t keys[KH_XTS_KEYS], iv[KH_AES_BLOCK];

static kh_crypt_key key_of_all(void)
{
  for (size_t i = 0; i < 4; i++)
    fill_pattern(keys + i * KH_XTS_KEY, KH_XTS_KEY, i + 1);
  fill_pattern(iv, sizeof iv, 5);
  return (kh_crypt_key){{keys, sizeof keys}, {iv, sizeof iv}};
}

static kh_status run_once(unsigned flags, kh_bytes src, uint8_t *dst)
{
  size_t len = 0;
  kh_crypt_key key = key_of_all();
  kh_status status = kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, flags | KH_CRYPT_NOPAD, &key,
                                   src, dst, &len);
  if (status == KH_OK)
    assert_int_equal(len, src.len);
  return status;
}

static const struct {
  size_t len;
  const char *made;
} vectors[] = {
    {1, "2e"},
    {2, "5f58"},
    {3, "3dcd9c"},
    {7, "de0be18d48c73e"},
    {8, "6f92705c0781a446"},
    {9, "2a27f643b822264daf"},
    {13, "355505cb456f43266ac43f3399"},
    {15, "0f7735eeeb1b8fb1b3881bacfbb1f9"},
    {16, "d8741e284d348463ef93fbea51591184"},
    {17, "b18ff63c6421c73f2cac74e34a9272d517"},
    {31, "dc238c105823579a95407bbe808583700e9a81c9bfd6b8ad8f571e4f7a4115"},
    {32, "e2110c20e5817eabcbd33f9ed858d96b0dc3b89793245f242561242b20b34ff8"},
    {41, "89342d480efb2f925f180be42f0de7ecd5bbb9641de480bec1f5e522f0137792eb614532d668241682"},
};

/* the same, by SHA-256 of what is made */
static const struct {
  size_t len;
  const char *digest;
} long_vectors[] = {
    {211, "6780b062b5b8853b721382701583ca825c0d4c4e27d1cbee13272d317be2ed93"},
    {511, "77abc7800b18d8f416919ce4a73716cc6848fd0b38af0eb97cb7bd3497e49afe"},
    {512, "28cc10bdc4d7ed69cbbd77403fb8b931ed8bde2d752da025a7b9ad3c34a79fe4"},
    {527, "387b7592ad27265a4dc93f292d1443f4e7e0198913d25cc20e76c99c9fcd4c3b"},
    {528, "7be24b2f8b7a09dccaef956bac40300283d9ca703c240f9fe5a3ccaa81b1b5e3"},
    {529, "b1623671c2f3d617d4f7db6c02b4ae43b614e08972a5270b7831d301370177e0"},
    {1041, "c7fc4e2efff30f2e5f79361c14506431a23255db8aca020b81642d7c492a5efd"},
    {16354, "2d8bec0217e00ae6b9dba9b5e312cf5f5e1ee105fa5d182374e0f3f77cfe7c3f"},
    {16777215, "dff1bd8cc6d6c3a6ba7a6bab9d0b37137fe2f7652061ba0257cc314de9234e45"},
    {16777216, "97688eb0b1d7ce15d86c595b72614b4eae64480f8272f8960293edf46ad1d150"},
    {16777217, "b96075357ba6caacfdb6523f2fa9eb4314c274a081043e6d0cb7e35e60ee4d57"},
    {16777233, "982344a39088bbec260eba6eb60345e24feae7d6f2f601f54a607e89991386dd"},
    {16777744, "c029e7b734a41be10deb9e28c5d352669331302b075da46ba313d814134da74e"},
    {67108864, "9ecaef34db9d06bd601790e4abd13973bde6291799cbfce2a46791996663834d"},
};

/* All last parts, without a whole block and after one; by SHA-256 of the ciphertexts together. */
static void every_last_part(void **state)
{
  (void)state;
  uint8_t all[LAST_PARTS], digest[KH_SHA256_SIZE], expected[KH_SHA256_SIZE];
  size_t at = 0;
  for (size_t len = 1; len < 32; len++) {
    for (size_t seed = 0; seed < 8 && len % 16 != 0; seed++) {
      uint8_t src[32], back[32];
      fill_pattern(src, len, seed);
      assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, len}, all + at), KH_OK);
      assert_int_equal(run_once(0, (kh_bytes){all + at, len}, back), KH_OK);
      assert_memory_equal(back, src, len);
      at += len;
    }
  }
  assert_int_equal(at, sizeof all);
  test_unhex("d0bbd61f5449d71026ae9b857a9962d7b4882e69c05d54f868928d5fbe09d037", expected);
  kh_sha256((kh_bytes){all, sizeof all}, digest);
  assert_memory_equal(digest, expected, sizeof digest);
}

static const struct {
  const char *key, *value, *plain, *made;
} nist[] = {
#include "xts_nist.inc"
};

/*
 * Returns the first block of plaintext after which the data unit has the tweak value of a vector:
 * that is E(K4, IV) XOR C0, so C0 is chosen.
 */
static void choose_first_block(const kh_crypt_key *key, const uint8_t *value, uint8_t *ret_plain)
{
  uint8_t made[2 * KH_AES_BLOCK];
  size_t len = 0;
  reference_encrypt(REFERENCE_ECB, key->key.data + 3 * KH_XTS_KEY, KH_XTS_KEY, NULL, key->iv.data,
                    KH_AES_BLOCK, made);
  for (size_t i = 0; i < KH_AES_BLOCK; i++)
    made[i] ^= value[i];
  assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, KH_CRYPT_NOPAD, key,
                                 (kh_bytes){made, KH_AES_BLOCK}, ret_plain, &len),
                   KH_OK);
}

/* The vector is in blocks 1 and on; with more blocks after it, OpenSSL's XTS makes it. */
static void vectors_of_nist(void **state)
{
  (void)state;
  enum { MORE = 1024 };
  for (size_t i = 0; i < COUNT(nist); i++) {
    for (size_t more = 0; more <= MORE; more += MORE) {
      uint8_t src[64 + MORE] = {0}, made[64 + MORE], value[KH_AES_BLOCK], expected[48];
      kh_crypt_key key = key_of_all();
      size_t done = 0;
      test_unhex(nist[i].key, keys);
      test_unhex(nist[i].value, value);
      choose_first_block(&key, value, src);
      size_t len = test_unhex(nist[i].plain, src + KH_AES_BLOCK);
      assert_int_equal(test_unhex(nist[i].made, expected), len);
      kh_bytes whole = {src, KH_AES_BLOCK + len + more};
      assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS,
                                     KH_CRYPT_NOPAD | KH_CRYPT_ENCRYPT, &key, whole, made, &done),
                       KH_OK);
      assert_memory_equal(made + KH_AES_BLOCK, expected, len);
      assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, KH_CRYPT_NOPAD, &key,
                                     (kh_bytes){made, whole.len}, made, &done),
                       KH_OK);
      assert_memory_equal(made, src, whole.len);
    }
  }
}

static void vectors_of_the_second_implementation(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(vectors); i++) {
    uint8_t src[64], made[64], expected[64];
    fill_pattern(src, vectors[i].len, vectors[i].len);
    assert_int_equal(test_unhex(vectors[i].made, expected), vectors[i].len);
    assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, vectors[i].len}, made), KH_OK);
    assert_memory_equal(made, expected, vectors[i].len);
    assert_int_equal(run_once(0, (kh_bytes){expected, vectors[i].len}, made), KH_OK);
    assert_memory_equal(made, src, vectors[i].len);
  }
}

static void fill_long(uint8_t *data, size_t len)
{
  size_t first = len < PATTERN ? len : PATTERN;
  fill_pattern(data, first, len < PATTERN ? len : len % 1000);
  for (size_t at = first; at < len; at++)
    data[at] = data[at - PATTERN];
}

/* Encrypted in one piece, and decrypted in place. */
static void long_messages(void **state)
{
  (void)state;
  uint8_t *src = malloc(LONGEST);
  uint8_t *made = malloc(LONGEST);
  for (size_t i = 0; i < COUNT(long_vectors); i++) {
    uint8_t digest[KH_SHA256_SIZE], expected[KH_SHA256_SIZE];
    kh_bytes whole = {made, long_vectors[i].len};
    fill_long(src, whole.len);
    test_unhex(long_vectors[i].digest, expected);
    assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, whole.len}, made), KH_OK);
    kh_sha256(whole, digest);
    assert_memory_equal(digest, expected, sizeof digest);
    assert_int_equal(run_once(0, whole, made), KH_OK);
    assert_memory_equal(made, src, whole.len);
  }
  free(src);
  free(made);
}

/* returns the number of bytes that finish made */
static size_t run_in_chunks(unsigned flags, kh_bytes src, size_t (*next)(uint32_t *seed),
                            uint32_t seed, uint8_t *dst)
{
  _Alignas(16) uint8_t memory[512];
  kh_crypt_ctx *ctx = (kh_crypt_ctx *)(void *)memory;
  kh_crypt_key key = key_of_all();
  size_t made = 0;
  size_t total = 0;
  assert_int_equal(
      kh_crypt_init(test_engines, ctx, KH_CIPHER_AES256_XTS, flags | KH_CRYPT_NOPAD, &key), KH_OK);
  for (size_t at = 0; at < src.len;) {
    size_t take = next(&seed);
    take = take < src.len - at ? take : src.len - at;
    assert_int_equal(kh_crypt_update(ctx, (kh_bytes){src.data + at, take}, dst + total, &made),
                     KH_OK);
    at += take;
    total += made;
    assert_int_equal(total, at / KH_AES_BLOCK * KH_AES_BLOCK); /* every whole block at once */
  }
  assert_int_equal(kh_crypt_finish(ctx, dst + total, &made), KH_OK);
  assert_int_equal(total + made, src.len);
  return made;
}

static size_t any_chunk(uint32_t *seed)
{
  return test_random(seed) % 100;
}

static size_t large_chunk(uint32_t *seed)
{
  return 1 + test_random(seed) % 3000;
}

static size_t blocks_of_256(uint32_t *seed)
{
  (void)seed;
  return 256;
}

static size_t one_block(uint32_t *seed)
{
  (void)seed;
  return KH_AES_BLOCK;
}

/* Servers since 10.11.15: multiples of 16 to 256, of which they copy as many bytes as they gave,
 * then the last part, which finish writes to a buffer of its own. */
static void as_the_redo_log_calls(void **state)
{
  (void)state;
  static size_t (*const chunks[])(uint32_t *) = {blocks_of_256, one_block};
  uint8_t src[700], expected[700], made[700];
  for (size_t len = 1; len < sizeof src; len++) {
    fill_pattern(src, len, len);
    assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, len}, expected), KH_OK);
    for (unsigned flags = 0; flags < 2; flags++) {
      _Alignas(16) uint8_t memory[512];
      kh_crypt_ctx *ctx = (kh_crypt_ctx *)(void *)memory;
      kh_crypt_key key = key_of_all();
      const uint8_t *from = flags == KH_CRYPT_ENCRYPT ? src : expected;
      size_t whole = len / KH_AES_BLOCK * KH_AES_BLOCK, given = 0, out = 0;
      uint8_t last[KH_AES_BLOCK];
      assert_int_equal(
          kh_crypt_init(test_engines, ctx, KH_CIPHER_AES256_XTS, flags | KH_CRYPT_NOPAD, &key),
          KH_OK);
      for (size_t at = 0; at < whole; at += given) {
        given = chunks[flags](NULL) < whole - at ? chunks[flags](NULL) : whole - at;
        assert_int_equal(kh_crypt_update(ctx, (kh_bytes){from + at, given}, made + at, &out),
                         KH_OK);
        assert_int_equal(out, given);
      }
      assert_int_equal(kh_crypt_update(ctx, (kh_bytes){from + whole, len - whole}, last, &out),
                       KH_OK);
      assert_int_equal(out, 0);
      assert_int_equal(kh_crypt_finish(ctx, last, &out), KH_OK);
      assert_int_equal(out, len - whole);
      memcpy(made + whole, last, out);
      assert_memory_equal(made, flags == KH_CRYPT_ENCRYPT ? expected : src, len);
    }
  }
}

static size_t huge_chunk(uint32_t *seed)
{
  return (1u << 23) + test_random(seed) % (1u << 23);
}

static void chunks_do_not_matter(void **state)
{
  (void)state;
  static size_t (*const chunks[])(uint32_t *) = {any_chunk, large_chunk, blocks_of_256};
  static uint8_t src[5000], expected[5000], made[5000];
  for (size_t len = 0; len < sizeof src; len = len < 70 ? len + 1 : len + 97) {
    fill_pattern(src, len, len);
    assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, len}, expected), KH_OK);
    for (size_t i = 0; i < COUNT(chunks); i++) {
      size_t last = run_in_chunks(KH_CRYPT_ENCRYPT, (kh_bytes){src, len}, chunks[i],
                                  (uint32_t)(len + 1), made);
      assert_int_equal(last, len % KH_AES_BLOCK); /* the last part all from finish */
      assert_memory_equal(made, expected, len);
      run_in_chunks(0, (kh_bytes){expected, len}, chunks[i], (uint32_t)(len + 2), made);
      assert_memory_equal(made, src, len);
    }
  }
}

static void chunks_across_data_units(void **state)
{
  (void)state;
  uint8_t *src = malloc(LONGEST);
  uint8_t *expected = malloc(LONGEST);
  uint8_t *made = malloc(LONGEST);
  kh_bytes whole = {src, LONGEST - 3};
  fill_long(src, whole.len);
  assert_int_equal(run_once(KH_CRYPT_ENCRYPT, whole, expected), KH_OK);
  run_in_chunks(KH_CRYPT_ENCRYPT, whole, huge_chunk, 7, made);
  assert_memory_equal(made, expected, whole.len);
  run_in_chunks(0, (kh_bytes){expected, whole.len}, huge_chunk, 8, made);
  assert_memory_equal(made, src, whole.len);
  free(src);
  free(expected);
  free(made);
}

/* Any two of the four, in both directions. */
static void equal_keys_are_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    for (size_t j = 0; j < i; j++) {
      for (unsigned flags = 0; flags < 2; flags++) {
        uint8_t equal[KH_XTS_KEYS];
        uint8_t data[20] = {0};
        size_t len = 1;
        kh_crypt_key key = key_of_all();
        memcpy(equal, keys, sizeof equal);
        memcpy(equal + i * KH_XTS_KEY, equal + j * KH_XTS_KEY, KH_XTS_KEY);
        key.key.data = equal;
        assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, flags | KH_CRYPT_NOPAD,
                                       &key, (kh_bytes){data, 20}, data, &len),
                         KH_E_CRYPTO);
        assert_int_equal(len, 0);
      }
    }
  }
}

static void other_lengths_of_keys_are_refused(void **state)
{
  (void)state;
  for (size_t len = 0; len < sizeof keys; len += 16) {
    uint8_t data[16] = {0};
    size_t made = 1;
    kh_crypt_key key = key_of_all();
    key.key.len = len;
    assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, KH_CRYPT_NOPAD, &key,
                                   (kh_bytes){data, 16}, data, &made),
                     KH_E_KEY_SIZE);
  }
}

/* Every call of OpenSSL fails in turn: the result is right by contexts that threads share, or, of a
 * failure in the middle, it is an error. The next message is right. */
static void failures_of_openssl(void **state)
{
  (void)state;
  static uint8_t src[1041], expected[1041], made[1041];
  fill_pattern(src, sizeof src, 9);
  assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, sizeof src}, expected), KH_OK);
  for (unsigned flags = 0; flags < 2; flags++) {
    int calls = 0;
    for (bool is_whole = false; !is_whole; calls++) {
      kh_crypt *shared = test_engines;
      test_engines = NULL;
      assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &test_engines), KH_OK);
      fail_in = calls;
      kh_bytes from = {flags == KH_CRYPT_ENCRYPT ? src : expected, sizeof src};
      kh_status status = run_once(flags, from, made);
      is_whole = fail_in >= 0;
      fail_in = -1;
      const uint8_t *right = flags == KH_CRYPT_ENCRYPT ? expected : src;
      if (!is_whole && strcmp(failed_call, "EVP_CipherUpdate") == 0) {
        assert_int_equal(status, KH_E_CRYPTO);
      } else {
        assert_int_equal(status, KH_OK);
        assert_memory_equal(made, right, sizeof made);
      }
      assert_int_equal(run_once(flags, from, made), KH_OK);
      assert_memory_equal(made, right, sizeof made);
      kh_crypt_free(&test_engines);
      test_engines = shared;
    }
    assert_in_range(calls, 15, 40); /* so calls did fail */
  }
}

/* A block that came in two pieces cannot be processed: finish has nothing left of it, and the
 * output has no plaintext. */
static void failure_of_a_block_in_pieces(void **state)
{
  (void)state;
  _Alignas(16) uint8_t memory[512];
  kh_crypt_ctx *ctx = (kh_crypt_ctx *)(void *)memory;
  kh_crypt_key key = key_of_all();
  uint8_t src[KH_AES_BLOCK];
  fill_pattern(src, sizeof src, 9);
  for (int calls = 0; calls < 3; calls++) {
    static const uint8_t nothing[KH_AES_BLOCK];
    uint8_t made[KH_AES_BLOCK];
    size_t len = 1;
    assert_int_equal(run_once(KH_CRYPT_ENCRYPT, (kh_bytes){src, sizeof src}, made), KH_OK);
    memset(made, 0, sizeof made);
    assert_int_equal(kh_crypt_init(test_engines, ctx, KH_CIPHER_AES256_XTS, 3, &key), KH_OK);
    assert_int_equal(kh_crypt_update(ctx, (kh_bytes){src, 9}, made, &len), KH_OK);
    fail_in = calls; /* the contexts have their keys, so that these are what the block needs */
    assert_int_equal(kh_crypt_update(ctx, (kh_bytes){src + 9, 7}, made, &len), KH_E_CRYPTO);
    fail_in = -1;
    assert_string_equal(failed_call, "EVP_CipherUpdate");
    assert_int_equal(kh_crypt_finish(ctx, made, &len), KH_OK);
    assert_int_equal(len, 0);
    assert_memory_equal(made, nothing, sizeof made);
  }
}

/* More keys than a thread keeps schedules of, in turn and again. */
static void many_keys_in_turn(void **state)
{
  (void)state;
  enum { KEYS = 9, LEN = 700 };
  static uint8_t src[LEN], first[KEYS][LEN], made[LEN];
  fill_pattern(src, LEN, 1);
  for (size_t round = 0; round < 3; round++) {
    for (size_t i = 0; i < KEYS; i++) {
      size_t len = 0;
      kh_crypt_key key = key_of_all();
      keys[0] = (uint8_t)(i + 1);
      keys[40] = (uint8_t)(i + 1);
      keys[80] = (uint8_t)(i + 1);
      keys[120] = (uint8_t)(i + 1);
      assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, 3, &key,
                                     (kh_bytes){src, LEN}, round == 0 ? first[i] : made, &len),
                       KH_OK);
      if (round > 0)
        assert_memory_equal(made, first[i], LEN);
      assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, 2, &key,
                                     (kh_bytes){first[i], LEN}, made, &len),
                       KH_OK);
      assert_memory_equal(made, src, LEN);
    }
  }
}

/* With padding it is GCM with the given key. */
static void padded_is_gcm(void **state)
{
  (void)state;
  uint8_t src[40], made[56], expected[56];
  size_t len = 0;
  kh_crypt_key key = key_of_all();
  key.key.len = KH_XTS_KEY;
  fill_pattern(src, sizeof src, 3);
  assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES256_XTS, KH_CRYPT_ENCRYPT, &key,
                                 (kh_bytes){src, sizeof src}, made, &len),
                   KH_OK);
  assert_int_equal(len, kh_cipher_encrypted_length(KH_CIPHER_AES256_XTS, sizeof src));
  assert_int_equal(
      reference_encrypt(REFERENCE_GCM, keys, KH_XTS_KEY, iv, src, sizeof src, expected), len);
  assert_memory_equal(made, expected, len);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_last_part),
      cmocka_unit_test(vectors_of_nist),
      cmocka_unit_test(vectors_of_the_second_implementation),
      cmocka_unit_test(long_messages),
      cmocka_unit_test(chunks_do_not_matter),
      cmocka_unit_test(as_the_redo_log_calls),
      cmocka_unit_test(chunks_across_data_units),
      cmocka_unit_test(equal_keys_are_refused),
      cmocka_unit_test(other_lengths_of_keys_are_refused),
      cmocka_unit_test(failures_of_openssl),
      cmocka_unit_test(failure_of_a_block_in_pieces),
      cmocka_unit_test(many_keys_in_turn),
      cmocka_unit_test(padded_is_gcm),
  };
  return cmocka_run_group_tests(tests, test_engines_open, test_engines_close);
}
