/* SPDX-License-Identifier: GPL-2.0-only */
/* The ciphers, through the method table: published vectors, then a reference for every length,
 * chunking and IV. */
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "plugin.h"
#include "reference.h"
#include "unit.h"

enum { LARGEST = 1 << 20, ROOM = LARGEST + 64 };

static test_plugin loaded;
static unsigned char *plain, *cipher, *expected, *again;
static uint32_t seed = 20260101;

/* the flags by which the server asks for a form */
struct ask {
  reference_form form;
  int flags;
  const char *plugin;
  unsigned long algorithm; /* of the file plugin: 0 aes_cbc, 1 aes_ctr */
  unsigned version;        /* of the key; the example plugin chooses its cipher by it */
};

static const struct ask asks[] = {
    {REFERENCE_CBC, 0, "file", 0, 1},
    {REFERENCE_CBC_NOPAD, ENCRYPTION_FLAG_NOPAD, "file", 0, 1},
    {REFERENCE_CTR, ENCRYPTION_FLAG_NOPAD, "file", 1, 1},
    {REFERENCE_GCM, 0, "file", 1, 1},
    {REFERENCE_ECB, 0, "example", 0, 1795301783},
    {REFERENCE_ECB_NOPAD, ENCRYPTION_FLAG_NOPAD, "example", 0, 1795301783},
    {REFERENCE_CBC, 0, "example", 0, 1795301784},
    {REFERENCE_CBC_NOPAD, ENCRYPTION_FLAG_NOPAD, "example", 0, 1795301784},
};

/* one for each plugin and cipher */
static const struct ask *const ciphers[] = {&asks[0], &asks[2], &asks[4], &asks[6]};

static void load(const struct ask *ask)
{
  static const struct ask *running;
  bool runs = running != NULL && strcmp(running->plugin, ask->plugin) == 0 &&
              running->algorithm == ask->algorithm;
  if (!runs) {
    if (running != NULL)
      plugin_close(&loaded, true);
    if (strcmp(ask->plugin, "file") == 0)
      plugin_run_file(&loaded, test_text("keys", "1;00112233445566778899aabbccddeeff\n", 0600), "",
                      ask->algorithm);
    else
      plugin_run(&loaded, ask->plugin);
  }
  running = ask;
  loaded.version = ask->version;
}

static int prepare(void **state)
{
  (void)state;
  plain = malloc(ROOM);
  cipher = malloc(ROOM);
  expected = malloc(ROOM);
  again = malloc(ROOM);
  return plain == NULL || cipher == NULL || expected == NULL || again == NULL;
}

static int clean_up(void **state)
{
  (void)state;
  plugin_close(&loaded, true);
  free(plain);
  free(cipher);
  free(expected);
  free(again);
  return 0;
}

#define PLAIN                                                                                      \
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"                               \
  "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
#define KEY128 "2b7e151628aed2a6abf7158809cf4f3c"
#define KEY192 "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
#define KEY256 "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
#define CBC_IV "000102030405060708090a0b0c0d0e0f"
#define CTR_IV "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

/* NIST SP 800-38A, appendix F.1 (ECB), F.2 (CBC) and F.5 (CTR) */
static const struct {
  unsigned ask; /* index in asks */
  const char *key, *iv, *cipher;
} nist[] = {
    {1, KEY128, CBC_IV,
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
     "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"},
    {1, KEY192, CBC_IV,
     "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
     "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"},
    {1, KEY256, CBC_IV,
     "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
     "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"},
    {2, KEY128, CTR_IV,
     "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
     "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
    {2, KEY192, CTR_IV,
     "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
     "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050"},
    {2, KEY256, CTR_IV,
     "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
     "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"},
    {5, KEY128, CBC_IV,
     "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
     "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4"},
    {5, KEY192, CBC_IV,
     "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"
     "ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e"},
    {5, KEY256, CBC_IV,
     "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
     "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"},
};

static void published_vectors_of_nist(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(nist); i++) {
    unsigned char key[32], iv[16], out[80], want[64];
    unsigned len = 0;
    unsigned klen = (unsigned)test_unhex(nist[i].key, key);
    test_unhex(nist[i].iv, iv);
    test_unhex(PLAIN, plain);
    assert_int_equal(test_unhex(nist[i].cipher, want), 64);
    load(&asks[nist[i].ask]);
    int flags = asks[nist[i].ask].flags;
    assert_int_equal(
        plugin_crypt(&loaded, plain, 64, out, &len, key, klen, iv, flags | ENCRYPTION_FLAG_ENCRYPT),
        0);
    assert_int_equal(len, 64);
    assert_memory_equal(out, want, 64);
    assert_int_equal(plugin_crypt(&loaded, want, 64, out, &len, key, klen, iv, flags), 0);
    assert_memory_equal(out, plain, 64);
  }
}

/* McGrew and Viega, The Galois/Counter Mode of Operation, test cases 4, 10 and 16; MariaDB's form
 * fixes the additional data at 4 bytes, so these check the reference, which checks the plugin. */
static void the_reference_gives_published_gcm(void **state)
{
  (void)state;
  static const struct {
    const char *key, *cipher, *tag;
  } cases[] = {
      {"feffe9928665731c6d6a8f9467308308",
       "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
       "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
       "5bc94fbc3221a5db94fae95ae7121a47"},
      {"feffe9928665731c6d6a8f9467308308feffe9928665731c",
       "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
       "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
       "2519498e80f1478f37ba55bd6d27618c"},
      {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
       "76fc6ece0f4e1768cddf8853bb2d551b"},
  };
  unsigned char key[32], nonce[12], aad[20], text[60], want[60], tag[16], out[60], out_tag[16];
  test_unhex("cafebabefacedbaddecaf888", nonce);
  test_unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad);
  test_unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
             text);
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t klen = test_unhex(cases[i].key, key);
    test_unhex(cases[i].cipher, want);
    test_unhex(cases[i].tag, tag);
    reference_gcm(key, klen, nonce, aad, 20, text, 60, out, out_tag);
    assert_memory_equal(out, want, 60);
    assert_memory_equal(out_tag, tag, 16);
  }
}

/* feeds a message in chunks; `most` 0: in one piece */
static unsigned in_chunks(const unsigned char *src, unsigned len, unsigned char *dst,
                          const unsigned char *key, unsigned klen, const unsigned char *iv,
                          int flags, unsigned most)
{
  _Alignas(16) unsigned char ctx[1024];
  unsigned total = 0;
  unsigned made = 0xdeadbeef;
  assert_int_equal(loaded.methods->crypt_ctx_init(ctx, key, klen, iv, 16, flags, 1, loaded.version),
                   0);
  while (len > 0) {
    unsigned take = most == 0 ? len : test_random(&seed) % (most + 1); /* sometimes 0 bytes */
    take = take < len ? take : len;
    assert_int_equal(loaded.methods->crypt_ctx_update(ctx, src, take, dst + total, &made), 0);
    src += take;
    len -= take;
    total += made;
  }
  assert_int_equal(loaded.methods->crypt_ctx_finish(ctx, dst + total, &made), 0);
  return total + made;
}

static void check(const struct ask *ask, unsigned klen, const unsigned char *iv, unsigned len,
                  unsigned most)
{
  unsigned char key[32];
  test_random_bytes(&seed, key, sizeof key);
  load(ask);
  int flags = ask->flags;
  size_t want = reference_encrypt(ask->form, key, klen, iv, plain, len, expected);

  memset(cipher, 0xee, len + 33);
  unsigned got =
      in_chunks(plain, len, cipher, key, klen, iv, flags | ENCRYPTION_FLAG_ENCRYPT, most);
  assert_int_equal(got, want);
  assert_memory_equal(cipher, expected, want);
  assert_int_equal(cipher[want], 0xee);
  if (!(flags & ENCRYPTION_FLAG_NOPAD))
    assert_int_equal(loaded.methods->encrypted_length(len, 1, ask->version), want);

  memset(again, 0xee, len + 33);
  assert_int_equal(in_chunks(expected, (unsigned)want, again, key, klen, iv, flags, most), len);
  assert_memory_equal(again, plain, len);
}

static void every_length_to_300_and_the_sizes_of_pages(void **state)
{
  (void)state;
  static const unsigned pages[] = {1008,  4066,  4096,  8162,  8176,  16338,
                                   16354, 16384, 32738, 65506, 65536, LARGEST};
  unsigned char iv[16];
  test_random_bytes(&seed, plain, LARGEST);
  for (size_t a = 0; a < COUNT(asks); a++) {
    for (unsigned klen = 16; klen <= 32; klen += 8) {
      for (unsigned len = 0; len <= 300; len++) {
        test_random_bytes(&seed, iv, 16);
        check(&asks[a], klen, iv, len, 0);
      }
      for (size_t i = 0; i < COUNT(pages); i++)
        check(&asks[a], klen, iv, pages[i], 0);
    }
  }
}

static void any_chunking(void **state)
{
  (void)state;
  static const unsigned most[] = {1, 2, 5, 15, 16, 17, 31, 33, 64, 100, 1000};
  unsigned char iv[16];
  for (size_t a = 0; a < COUNT(asks); a++) {
    for (size_t m = 0; m < COUNT(most); m++) {
      for (unsigned round = 0; round < 60; round++) {
        test_random_bytes(&seed, iv, 16);
        check(&asks[a], 16 + 8 * (round % 3), iv, test_random(&seed) % 400, most[m]);
      }
      check(&asks[a], 16, iv, 16354, most[m]);
    }
  }
}

/* as the binlog does: 15 bytes of header, chunks, 4 bytes of checksum */
static void as_the_binlog_streams(void **state)
{
  (void)state;
  static const unsigned parts[] = {15, 100, 8192, 1, 4};
  unsigned char key[32], iv[16];
  _Alignas(16) unsigned char ctx[1024];
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    unsigned in = 0, out = 0, made = 0;
    load(ciphers[c]);
    test_random_bytes(&seed, key, 32);
    test_random_bytes(&seed, iv, 16);
    assert_int_equal(loaded.methods->crypt_ctx_init(ctx, key, 32, iv, 16,
                                                    ENCRYPTION_FLAG_ENCRYPT | ENCRYPTION_FLAG_NOPAD,
                                                    1, loaded.version),
                     0);
    for (size_t i = 0; i < COUNT(parts); i++) {
      assert_int_equal(
          loaded.methods->crypt_ctx_update(ctx, plain + in, parts[i], cipher + out, &made), 0);
      in += parts[i];
      out += made;
    }
    assert_int_equal(loaded.methods->crypt_ctx_finish(ctx, cipher + out, &made), 0);
    assert_int_equal(out + made, in);
    assert_int_equal(
        plugin_crypt(&loaded, cipher, in, again, &made, key, 32, iv, ENCRYPTION_FLAG_NOPAD), 0);
    assert_memory_equal(again, plain, in);
  }
}

/* the last four bytes of a page's IV can have any value: the carry must reach the highest bit */
static void counters_that_carry(void **state)
{
  (void)state;
  static const char *const ivs[] = {
      "000000000000000000000000ffffffff", "0000000000000000fffffffffffffffe",
      "00000000ffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffff",
      "fffffffffffffffffffffffffffffc00", "7ffffffffffffffffffffffffffffff0",
      "000102030405060708090a0bfffffc01",
  };
  unsigned char iv[16];
  for (size_t i = 0; i < COUNT(ivs); i++) {
    test_unhex(ivs[i], iv);
    for (size_t a = 0; a < COUNT(asks); a++)
      for (unsigned klen = 16; klen <= 32; klen += 8) {
        check(&asks[a], klen, iv, 16354, 0);
        check(&asks[a], klen, iv, 777, 50);
      }
  }
}

static void in_place(void **state)
{
  (void)state;
  unsigned char key[32], iv[16];
  test_random_bytes(&seed, key, 32);
  test_random_bytes(&seed, iv, 16);
  for (size_t a = 0; a < COUNT(asks); a++) {
    load(&asks[a]);
    for (unsigned len = 0; len < 100; len++) {
      unsigned made = 0;
      unsigned back = 0;
      size_t want = reference_encrypt(asks[a].form, key, 16, iv, plain, len, expected);
      memcpy(cipher, plain, len);
      int flags = asks[a].flags;
      assert_int_equal(plugin_crypt(&loaded, cipher, len, cipher, &made, key, 16, iv,
                                    flags | ENCRYPTION_FLAG_ENCRYPT),
                       0);
      assert_int_equal(made, want);
      assert_memory_equal(cipher, expected, want);
      assert_int_equal(plugin_crypt(&loaded, cipher, made, cipher, &back, key, 16, iv, flags), 0);
      assert_int_equal(back, len);
      assert_memory_equal(cipher, plain, len);
    }
  }
}

/* the plugin reads none of it after init: the server's buffers no longer exist */
static void key_and_iv_are_needed_during_init_only(void **state)
{
  (void)state;
  _Alignas(16) unsigned char ctx[1024];
  for (size_t a = 0; a < COUNT(asks); a++) {
    for (int encrypt = 0; encrypt < 2; encrypt++) {
      unsigned char key[16], iv[16];
      unsigned made = 0, more = 0;
      load(&asks[a]);
      test_random_bytes(&seed, key, 16);
      test_random_bytes(&seed, iv, 16);
      size_t want = reference_encrypt(asks[a].form, key, 16, iv, plain, 37, expected);
      const unsigned char *src = encrypt ? plain : expected;
      assert_int_equal(loaded.methods->crypt_ctx_init(ctx, key, 16, iv, 16, asks[a].flags | encrypt,
                                                      1, loaded.version),
                       0);
      memset(key, 0, 16);
      memset(iv, 0, 16);
      assert_int_equal(
          loaded.methods->crypt_ctx_update(ctx, src, encrypt ? 37 : (unsigned)want, again, &made),
          0);
      assert_int_equal(loaded.methods->crypt_ctx_finish(ctx, again + made, &more), 0);
      assert_int_equal(made + more, encrypt ? want : 37);
      assert_memory_equal(again, encrypt ? expected : plain, made + more);
    }
  }
}

static void a_refused_init_needs_no_finish(void **state)
{
  (void)state;
  unsigned char key[64] = {0}, iv[16] = {0};
  _Alignas(16) unsigned char ctx[1024];
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    load(ciphers[c]);
    for (unsigned klen = 0; klen <= 64; klen++) {
      for (int flags = 0; flags < 4; flags++) {
        int result =
            loaded.methods->crypt_ctx_init(ctx, key, klen, iv, 16, flags, 1, loaded.version);
        if (klen != 16 && klen != 24 && klen != 32) {
          assert_int_equal(result, -102);
          continue;
        }
        unsigned made = 0xdeadbeef;
        assert_int_equal(result, 0);
        (void)loaded.methods->crypt_ctx_finish(ctx, again, &made);
      }
    }
    assert_int_equal(loaded.methods->crypt_ctx_init(ctx, key, 16, iv, 15, 0, 1, loaded.version),
                     -100);
  }
}

static void bad_ciphertexts_are_bad_data(void **state)
{
  (void)state;
  unsigned char key[16] = {0}, iv[16] = {0};
  unsigned made;
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    load(ciphers[c]);
    for (unsigned len = 0; len < 64;
         len++) { /* random bytes: neither a tag nor padding, or not even a length */
      memset(cipher, (int)(len + 3), len);
      made = 0xdeadbeef;
      assert_int_equal(plugin_crypt(&loaded, cipher, len, again, &made, key, 16, iv, 0), -100);
    }
  }
}

static void finish_after_a_failure_writes_nothing(void **state)
{
  (void)state;
  unsigned char key[16] = {0}, iv[16] = {0}, guard[32];
  _Alignas(16) unsigned char ctx[1024];
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    unsigned made = 0xdeadbeef;
    load(ciphers[c]);
    assert_int_equal(loaded.methods->crypt_ctx_init(ctx, key, 16, iv, 16, 0, 1, loaded.version), 0);
    memset(guard, 'x', sizeof guard);
    assert_int_equal(loaded.methods->crypt_ctx_update(ctx, plain, 5, guard, &made), 0);
    assert_int_equal(made, 0);
    made = 0xdeadbeef;
    assert_int_equal(loaded.methods->crypt_ctx_finish(ctx, guard, &made), -100);
    assert_int_equal(made, 0);
    for (size_t i = 0; i < sizeof guard; i++)
      assert_int_equal(guard[i], 'x');
  }
}

/* With every setting of the file plugin, two equal blocks differ when they are encrypted. */
static void no_key_file_can_ask_for_ecb(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "1;00112233445566778899aabbccddeeff\n",
      "1;00112233445566778899aabbccddeeff;aes_ecb\n",
      "1;00112233445566778899aabbccddeeff aes_ecb\n",
      "1;1795301783;00112233445566778899aabbccddeeff;aes_ecb\n",
  };
  static const unsigned char two_blocks[32] = {0};
  load(&asks[4]); /* else load() would use the file plugin that already runs here */
  unsigned char key[16] = "key", iv[16] = "iv", out[64];
  for (size_t i = 0; i < COUNT(texts); i++) {
    for (unsigned long algorithm = 0; algorithm < 2; algorithm++) {
      test_plugin file;
      plugin_run_file(&file, test_text("asks", texts[i], 0600), "", algorithm);
      for (file.version = 1; file.version < 4; file.version++) {
        for (int nopad = 0; nopad <= ENCRYPTION_FLAG_NOPAD; nopad += ENCRYPTION_FLAG_NOPAD) {
          unsigned made = 0;
          assert_int_equal(plugin_crypt(&file, two_blocks, 32, out, &made, key, 16, iv,
                                        nopad | ENCRYPTION_FLAG_ENCRYPT),
                           0);
          assert_memory_not_equal(out, out + 16, 16);
        }
      }
      plugin_close(&file, true);
    }
  }
}

static void the_context_is_small(void **state)
{
  (void)state;
  load(&asks[0]);
  assert_in_range(loaded.methods->crypt_ctx_size(1, 1), 1, 320);
  assert_int_equal(loaded.methods->crypt_ctx_size(99, 99), loaded.methods->crypt_ctx_size(1, 1));
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors_of_nist),
      cmocka_unit_test(the_reference_gives_published_gcm),
      cmocka_unit_test(every_length_to_300_and_the_sizes_of_pages),
      cmocka_unit_test(any_chunking),
      cmocka_unit_test(as_the_binlog_streams),
      cmocka_unit_test(counters_that_carry),
      cmocka_unit_test(in_place),
      cmocka_unit_test(key_and_iv_are_needed_during_init_only),
      cmocka_unit_test(a_refused_init_needs_no_finish),
      cmocka_unit_test(bad_ciphertexts_are_bad_data),
      cmocka_unit_test(finish_after_a_failure_writes_nothing),
      cmocka_unit_test(no_key_file_can_ask_for_ecb),
      cmocka_unit_test(the_context_is_small),
  };
  return cmocka_run_group_tests(tests, prepare, clean_up);
}
