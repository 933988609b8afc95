/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: EVP_MAC_fetch EVP_MAC_CTX_new EVP_MAC_CTX_dup EVP_MAC_init EVP_MAC_update
 * wraps: EVP_MAC_final kh_wipe */
#include "core/crypt/hkdf.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "keyhold/secret.h"
#include "reference.h"
#include "unit.h"
#include "wrap.h"

/* Each wrapped call counts; the one of this number fails, 0 none. */
static int fail_at, calls;

static bool call_fails(const char *name)
{
  (void)name;
  return ++calls == fail_at;
}

/* what was wiped last */
static uint8_t wiped[KH_HKDF_SIZE];

WRAP(call_fails, EVP_MAC *, EVP_MAC_fetch, NULL,
     (OSSL_LIB_CTX * lib, const char *name, const char *properties), (lib, name, properties))
WRAP(call_fails, EVP_MAC_CTX *, EVP_MAC_CTX_new, NULL, (EVP_MAC * mac), (mac))
WRAP(call_fails, EVP_MAC_CTX *, EVP_MAC_CTX_dup, NULL, (const EVP_MAC_CTX *ctx), (ctx))
WRAP(call_fails, int, EVP_MAC_init, 0,
     (EVP_MAC_CTX * ctx, const unsigned char *key, size_t len, const OSSL_PARAM params[]),
     (ctx, key, len, params))
WRAP(call_fails, int, EVP_MAC_update, 0, (EVP_MAC_CTX * ctx, const unsigned char *data, size_t len),
     (ctx, data, len))
WRAP(call_fails, int, EVP_MAC_final, 0,
     (EVP_MAC_CTX * ctx, unsigned char *out, size_t *len, size_t size), (ctx, out, len, size))

WRAPS(kh_wipe);

void __wrap_kh_wipe(void *data, size_t len)
{
  memcpy(wiped, data, len < sizeof wiped ? len : sizeof wiped);
  __real_kh_wipe(data, len);
}

static kh_hkdf *new_hkdf(void)
{
  kh_hkdf *hkdf = NULL;
  assert_int_equal(kh_hkdf_new(&hkdf), KH_OK);
  return hkdf;
}

/* RFC 5869, A.1 to A.3: the first 32 bytes of each OKM; in A.3 the RFC's "no salt" */
static const struct {
  const char *ikm, *salt, *info, *prk, *okm;
} rfc[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2"
     "e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8"
     "e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcddd"
     "edfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
     "0000000000000000000000000000000000000000000000000000000000000000", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"},
};

static void the_vectors_of_the_rfc(void **state)
{
  (void)state;
  kh_hkdf *hkdf = new_hkdf();
  for (size_t i = 0; i < COUNT(rfc); i++) {
    uint8_t ikm[80], salt[80], info[80], prk[KH_HKDF_SIZE], okm[KH_HKDF_SIZE], made[KH_HKDF_SIZE];
    kh_hkdf_input input = {{ikm, test_unhex(rfc[i].ikm, ikm)},
                           {salt, test_unhex(rfc[i].salt, salt)},
                           {info, test_unhex(rfc[i].info, info)}};
    assert_int_equal(test_unhex(rfc[i].prk, prk), KH_HKDF_SIZE);
    assert_int_equal(test_unhex(rfc[i].okm, okm), KH_HKDF_SIZE);
    assert_int_equal(kh_hkdf_derive(hkdf, &input, KH_HKDF_SIZE, made), KH_OK);
    assert_memory_equal(made, okm, KH_HKDF_SIZE);
    assert_memory_equal(wiped, prk, KH_HKDF_SIZE);
  }
  kh_hkdf_free(&hkdf);
  assert_null(hkdf);
}

/* by OpenSSL, or, with its first call failing, by libsodium */
static void assert_same_as_another_library(int failing)
{
  uint32_t seed = 5869;
  fail_at = 0;
  kh_hkdf *hkdf = new_hkdf();
  for (size_t len = 1; len < 140; len++) {
    uint8_t ikm[140], salt[160], info[140], expected[KH_HKDF_MAX], made[KH_HKDF_MAX];
    size_t size = KH_HKDF_SIZE * (1 + len % 4);
    test_random_bytes(&seed, ikm, len);
    test_random_bytes(&seed, salt, len + 15);
    test_random_bytes(&seed, info, len);
    kh_hkdf_input input = {{ikm, len}, {salt, len + 15}, {info, len}};
    fail_at = failing;
    calls = 0;
    assert_int_equal(kh_hkdf_derive(hkdf, &input, size, made), KH_OK);
    fail_at = 0;
    assert_int_equal(calls == 1, failing == 1);
    reference_hkdf(ikm, len, salt, len + 15, info, len, size, expected);
    assert_memory_equal(made, expected, size);
  }
  kh_hkdf_free(&hkdf);
}

static void another_library_gives_the_same(void **state)
{
  (void)state;
  assert_same_as_another_library(0);
}

static void without_memory_it_is_the_same(void **state)
{
  (void)state;
  assert_same_as_another_library(1);
}

static void making_ready_fails_with_each_call(void **state)
{
  (void)state;
  kh_hkdf *hkdf = NULL;
  for (fail_at = 1; fail_at <= 3; fail_at++) {
    calls = 0;
    assert_int_equal(kh_hkdf_new(&hkdf), KH_E_CRYPTO);
    assert_null(hkdf);
  }
  calls = 0;
  assert_int_equal(kh_hkdf_new(&hkdf), KH_OK);
  assert_int_equal(calls, 3); /* so no call was left out above */
  kh_hkdf_free(&hkdf);
}

static void each_call_may_fail(void **state)
{
  (void)state;
  static const uint8_t zeros[16];
  const kh_hkdf_input input = {{zeros, 16}, {zeros, 16}, {zeros, 16}};
  enum { CALLS = 11 };
  uint8_t expected[KH_HKDF_SIZE];
  uint8_t made[KH_HKDF_SIZE];
  fail_at = 0;
  calls = 0;
  kh_hkdf *hkdf = new_hkdf();
  calls = 0;
  assert_int_equal(kh_hkdf_derive(hkdf, &input, KH_HKDF_SIZE, expected), KH_OK);
  assert_int_equal(calls, CALLS);
  for (fail_at = 1; fail_at <= CALLS; fail_at++) {
    calls = 0;
    memset(made, 0, sizeof made);
    assert_int_equal(kh_hkdf_derive(hkdf, &input, KH_HKDF_SIZE, made), KH_OK);
    assert_memory_equal(made, expected, KH_HKDF_SIZE);
  }
  fail_at = 0;
  kh_hkdf_free(&hkdf);
}

/* which only the way without memory limits */
static void the_longest_info(void **state)
{
  (void)state;
  static const uint8_t zeros[KH_HKDF_INFO_MAX + 1];
  kh_hkdf_input input = {{zeros, 16}, {zeros, 16}, {zeros, KH_HKDF_INFO_MAX}};
  uint8_t made[KH_HKDF_SIZE];
  kh_hkdf *hkdf = new_hkdf();
  for (unsigned more = 0; more <= 1; more++) {
    input.info.len = KH_HKDF_INFO_MAX + more;
    fail_at = 1;
    calls = 0;
    assert_int_equal(kh_hkdf_derive(hkdf, &input, KH_HKDF_SIZE, made),
                     more == 0 ? KH_OK : KH_E_CRYPTO);
    fail_at = 0;
  }
  kh_hkdf_free(&hkdf);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_vectors_of_the_rfc),
      cmocka_unit_test(another_library_gives_the_same),
      cmocka_unit_test(making_ready_fails_with_each_call),
      cmocka_unit_test(without_memory_it_is_the_same),
      cmocka_unit_test(each_call_may_fail),
      cmocka_unit_test(the_longest_info),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
