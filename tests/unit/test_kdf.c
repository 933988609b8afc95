/* SPDX-License-Identifier: GPL-2.0-only */
/* What kh_kdf_openssl_enc() derives is proved with files of the openssl command in
 * test_keyfile_openssl.c. */
#include <limits.h>
#include <string.h>

#include "keyhold/kdf.h"
#include "reference.h"
#include "unit.h"

static kh_status derive(size_t capacity, const char *passphrase, uint32_t iterations,
                        uint8_t *ret_derived)
{
  kh_secret *derived = NULL;
  assert_int_equal(kh_secret_new(capacity, &derived), KH_OK);
  kh_bytes pw = bytes_of(passphrase);
  kh_status status =
      kh_kdf_openssl_enc(pw, (const uint8_t *)"saltsalt", KH_DIGEST_SHA1, iterations, derived);
  if (status == KH_OK) {
    assert_int_equal(kh_secret_bytes(derived).len, KH_KDF_OPENSSL_ENC_SIZE);
    memcpy(ret_derived, kh_secret_bytes(derived).data, KH_KDF_OPENSSL_ENC_SIZE);
  }
  kh_secret_free(&derived);
  return status;
}

/* computed with Python's hashlib.pbkdf2_hmac('sha1', b'password', b'saltsalt', 2, 48) */
static void pbkdf2_matches_another_implementation(void **state)
{
  (void)state;
  static const uint8_t expected[] = {0x59, 0xd8, 0x6e, 0xb8, 0x27, 0x97, 0xeb, 0x0f, 0xa6, 0x62,
                                     0x2c, 0xa8, 0x4d, 0x20, 0x09, 0x3d, 0x12, 0x17, 0x87, 0x0b,
                                     0xf9, 0xe7, 0xb6, 0x03, 0xc3, 0xbc, 0xae, 0x37, 0x5c, 0x31,
                                     0x07, 0x92, 0x4d, 0x87, 0xf7, 0x6a, 0x8f, 0xf6, 0x9b, 0x74,
                                     0x9c, 0x5d, 0xa6, 0x0b, 0xa6, 0x39, 0x85, 0x10};
  uint8_t derived[KH_KDF_OPENSSL_ENC_SIZE];
  assert_int_equal(derive(KH_KDF_OPENSSL_ENC_SIZE, "password", 2, derived), KH_OK);
  assert_memory_equal(derived, expected, sizeof expected);
}

/* computed with Python's hashlib: D1 = sha1(pw salt), D2 = sha1(D1 pw salt), D3 = sha1(D2 pw salt),
 * cut to 48 bytes */
static void bytes_to_key_matches_another_implementation(void **state)
{
  (void)state;
  static const uint8_t expected[] = {0xca, 0xb8, 0x6d, 0xd6, 0x26, 0x17, 0x10, 0x89, 0x1e, 0x8c,
                                     0xb5, 0x6e, 0xe3, 0x62, 0x56, 0x91, 0xa7, 0x5d, 0xf3, 0x44,
                                     0xf0, 0xbf, 0xf4, 0xc1, 0x2c, 0xf3, 0x59, 0x6f, 0xc0, 0x0b,
                                     0x39, 0xc7, 0xc9, 0x60, 0x49, 0xb0, 0xed, 0xc0, 0xb6, 0x7a,
                                     0xf6, 0x1e, 0xcc, 0x43, 0xd3, 0xde, 0x88, 0x98};
  uint8_t derived[KH_KDF_OPENSSL_ENC_SIZE];
  assert_int_equal(derive(KH_KDF_OPENSSL_ENC_SIZE, "password", 0, derived), KH_OK);
  assert_memory_equal(derived, expected, sizeof expected);
}

static void iterations_and_room_have_limits(void **state)
{
  (void)state;
  uint8_t derived[KH_KDF_OPENSSL_ENC_SIZE];
  assert_int_equal(derive(KH_KDF_OPENSSL_ENC_SIZE, "x", (uint32_t)INT_MAX + 1, derived),
                   KH_E_CRYPTO);
  assert_int_equal(derive(KH_KDF_OPENSSL_ENC_SIZE - 1, "x", 0, derived), KH_E_CRYPTO);
}

static kh_status derive_pbkdf2(const char *passphrase, uint32_t iterations, size_t len,
                               const char *expected)
{
  uint8_t salt[16], bytes[128];
  for (size_t i = 0; i < sizeof salt; i++)
    salt[i] = (uint8_t)i;
  kh_secret *derived = NULL;
  assert_int_equal(kh_secret_new(len, &derived), KH_OK);
  kh_bytes pw = {passphrase[0] == '\0' ? NULL : (const uint8_t *)passphrase, strlen(passphrase)};
  kh_status status =
      kh_kdf_pbkdf2(pw, (kh_bytes){salt, sizeof salt}, KH_DIGEST_SHA512, iterations, derived);
  assert_int_equal(kh_secret_bytes(derived).len, status == KH_OK ? len : 0);
  if (status == KH_OK) {
    assert_int_equal(test_unhex(expected, bytes), len);
    assert_memory_equal(kh_secret_bytes(derived).data, bytes, len);
  }
  kh_secret_free(&derived);
  return status;
}

/* computed with Python's hashlib.pbkdf2_hmac('sha512', passphrase, bytes(range(16)), iterations,
 * length) */
static void pbkdf2_alone_matches_another_implementation(void **state)
{
  (void)state;
  assert_int_equal(
      derive_pbkdf2("password", 1000, 32,
                    "c74e4080d0fbb41fee5868c0ff60fd75acae2638215987e5ff54f8eae211339b"),
      KH_OK);
  assert_int_equal(
      derive_pbkdf2("", 3, 100,
                    "aae7c449b8c4683edf8f024d223fd97ca2949ebe3d7246ae8a5ba1259cfee25f762d92927c819b"
                    "8c23a75e37b0079d0d09bba7a5ccbfbe57591ebc12717da1a0ac4800a47021bf0c0e0240d76b7e"
                    "3cc9281959a841f995f979e06abfa7f0e75db03044ca"),
      KH_OK);
  assert_int_equal(derive_pbkdf2("x", 0, 32, ""), KH_E_CRYPTO);
  assert_int_equal(derive_pbkdf2("x", (uint32_t)INT_MAX + 1, 32, ""), KH_E_CRYPTO);
}

static void digests_have_their_openssl_names(void **state)
{
  (void)state;
  assert_string_equal(kh_digest_name(KH_DIGEST_SHA1), "sha1");
  assert_string_equal(kh_digest_name(KH_DIGEST_SHA224), "sha224");
  assert_string_equal(kh_digest_name(KH_DIGEST_SHA512), "sha512");
  assert_string_equal(kh_digest_name(KH_DIGEST_MD5), "md5");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pbkdf2_matches_another_implementation),
      cmocka_unit_test(bytes_to_key_matches_another_implementation),
      cmocka_unit_test(pbkdf2_alone_matches_another_implementation),
      cmocka_unit_test(iterations_and_room_have_limits),
      cmocka_unit_test(digests_have_their_openssl_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
