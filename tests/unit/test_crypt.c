/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes themselves are held against vectors and a reference in
 * tests/harness/test_plugin_crypt.c. Here: what is refused, what is wiped, and what happens when
 * OpenSSL fails (its calls are wrapped, see CMakeLists.txt).
 */
#include <openssl/evp.h>
#include <string.h>

#include "keyhold/crypt.h"
#include "reference.h"
#include "unit.h"

static int fail_in = -1; /* calls of OpenSSL until one fails; -1: none does */

static int fails(void)
{
  return fail_in >= 0 && fail_in-- == 0;
}

EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
int __real_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[]);
int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[]);
int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl);
EVP_CIPHER *__real_EVP_CIPHER_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties);
EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties);

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
  return fails() ? NULL : __real_EVP_CIPHER_CTX_new();
}

int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[])
{
  return fails() ? 0 : __real_EVP_CipherInit_ex2(ctx, cipher, key, iv, enc, params);
}

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl)
{
  return fails() ? 0 : __real_EVP_CipherUpdate(ctx, out, outl, in, inl);
}

EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties)
{
  return fails() ? NULL : __real_EVP_CIPHER_fetch(lib, name, properties);
}

static kh_crypt *crypt;
static const uint8_t key_bytes[32] = "0123456789abcdefghijklmnopqrstuv";
static const uint8_t iv_bytes[32] = "IV IV IV IV IV IV IV IV IV";
static const kh_cipher ciphers[] = {KH_CIPHER_AES_CBC, KH_CIPHER_AES_CTR, KH_CIPHER_AES_ECB};

static int open_crypt(void **state)
{
  (void)state;
  return kh_crypt_new(&crypt) != KH_OK;
}

static int close_crypt(void **state)
{
  (void)state;
  kh_crypt_free(&crypt);
  return 0;
}

static int heal(void **state)
{
  (void)state;
  fail_in = -1;
  return 0;
}

static kh_crypt_key key_of(size_t key_len, size_t iv_len)
{
  return (kh_crypt_key){{key_bytes, key_len}, {iv_bytes, iv_len}};
}

static void sizes_of_key_and_iv(void **state)
{
  (void)state;
  uint8_t ctx[512];
  assert_in_range(kh_crypt_ctx_size(), 1, 256); /* the server puts it on its stack at every call */
  for (size_t len = 0; len <= 32; len++) {
    size_t made;
    kh_crypt_key key = key_of(len, 16);
    kh_status status =
        kh_crypt_init(crypt, (kh_crypt_ctx *)(void *)ctx, KH_CIPHER_AES_CBC, 0, &key);
    assert_int_equal(status, len == 16 || len == 24 || len == 32 ? KH_OK : KH_E_KEY_SIZE);
    if (status == KH_OK)
      assert_int_equal(kh_crypt_finish((kh_crypt_ctx *)(void *)ctx, ctx, &made), KH_E_BAD_DATA);
    if (len != 16) {
      key = key_of(16, len);
      assert_int_equal(
          kh_crypt_init(crypt, (kh_crypt_ctx *)(void *)ctx, KH_CIPHER_AES_CBC, 0, &key),
          KH_E_IV_SIZE);
    }
  }
}

static void finish_wipes_the_context(void **state)
{
  (void)state;
  static const uint8_t zeros[512];
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    for (unsigned flags = 0; flags < 4; flags++) {
      _Alignas(16) uint8_t ctx[512] = {0};
      uint8_t out[64];
      size_t made;
      kh_crypt_key key = key_of(32, 16);
      kh_crypt_ctx *typed = (kh_crypt_ctx *)(void *)ctx;
      assert_int_equal(kh_crypt_init(crypt, typed, ciphers[c], flags, &key), KH_OK);
      assert_int_equal(kh_crypt_update(typed, (kh_bytes){iv_bytes, 21}, out, &made), KH_OK);
      assert_memory_not_equal(ctx, zeros, kh_crypt_ctx_size());
      kh_status ignored = kh_crypt_finish(typed, out, &made);
      (void)ignored;
      assert_memory_equal(ctx, zeros, kh_crypt_ctx_size());
    }
  }
}

static void encrypted_lengths(void **state)
{
  (void)state;
  static const size_t lengths[][3] = {
      {0, 16, 16}, {1, 16, 17}, {15, 16, 31}, {16, 32, 32}, {17, 32, 33}};
  for (size_t i = 0; i < COUNT(lengths); i++) {
    assert_int_equal(kh_crypt_encrypted_length(KH_CIPHER_AES_CBC, lengths[i][0]), lengths[i][1]);
    assert_int_equal(kh_crypt_encrypted_length(KH_CIPHER_AES_CTR, lengths[i][0]), lengths[i][2]);
    assert_int_equal(kh_crypt_encrypted_length(KH_CIPHER_AES_ECB, lengths[i][0]), lengths[i][1]);
  }
}

/* Every call of OpenSSL fails in turn: the answer is an error, no byte is given, and ASan sees no
 * leak. */
static void failures_of_openssl(void **state)
{
  (void)state;
  uint8_t src[64] = "some bytes of which the last are no whole block";
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    for (unsigned flags = 0; flags < 4; flags++) {
      int calls = 0;
      kh_status status = KH_E_CRYPTO;
      for (; calls < 20; calls++) {
        uint8_t dst[128];
        size_t len = 77;
        kh_crypt_key key = key_of(16, 16);
        fail_in = calls;
        status = kh_crypt_once(crypt, ciphers[c], flags, &key, (kh_bytes){src, 39}, dst, &len);
        if (fail_in >= 0) /* all calls are done, none has failed */
          break;
        assert_true(status == KH_E_CRYPTO || status == KH_E_NO_MEMORY);
        assert_int_equal(len, 0);
      }
      assert_in_range(calls, 2, 19);
    }
  }
}

static void failures_to_fetch(void **state)
{
  (void)state;
  for (int i = 0; i < 12; i++) {
    kh_crypt *none = NULL;
    fail_in = i;
    assert_int_equal(kh_crypt_new(&none), KH_E_CRYPTO);
    assert_null(none);
  }
}

static void a_changed_byte_is_seen_by_gcm(void **state)
{
  (void)state;
  uint8_t sealed[64];
  uint8_t opened[64];
  size_t sealed_len;
  size_t len;
  kh_crypt_key key = key_of(32, 16);
  assert_int_equal(kh_crypt_once(crypt, KH_CIPHER_AES_CTR, KH_CRYPT_ENCRYPT, &key,
                                 (kh_bytes){iv_bytes, 20}, sealed, &sealed_len),
                   KH_OK);
  assert_int_equal(sealed_len, 36);
  for (size_t i = 0; i < sealed_len; i++) {
    sealed[i] ^= 1;
    assert_int_equal(kh_crypt_once(crypt, KH_CIPHER_AES_CTR, 0, &key,
                                   (kh_bytes){sealed, sealed_len}, opened, &len),
                     KH_E_BAD_DATA);
    sealed[i] ^= 1;
  }
  assert_int_equal(kh_crypt_once(crypt, KH_CIPHER_AES_CTR, 0, &key, (kh_bytes){sealed, sealed_len},
                                 opened, &len),
                   KH_OK);
  assert_int_equal(len, 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_of_key_and_iv),
      cmocka_unit_test(finish_wipes_the_context),
      cmocka_unit_test(encrypted_lengths),
      cmocka_unit_test_teardown(failures_of_openssl, heal),
      cmocka_unit_test_teardown(failures_to_fetch, heal),
      cmocka_unit_test(a_changed_byte_is_seen_by_gcm),
  };
  return cmocka_run_group_tests(tests, open_crypt, close_crypt);
}
