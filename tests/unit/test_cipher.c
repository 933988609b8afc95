/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/cipher.h"
#include "unit.h"

static void ciphers_have_names(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    kh_cipher cipher;
    bool derived;
  } ciphers[] = {{"aes-cbc", KH_CIPHER_AES_CBC, false},
                 {"aes-ctr", KH_CIPHER_AES_CTR, false},
                 {"aes256-cbc", KH_CIPHER_AES256_CBC, true},
                 {"aes256-ctr", KH_CIPHER_AES256_CTR, true},
                 {"aes256-xts", KH_CIPHER_AES256_XTS, true}};
  assert_int_equal(COUNT(ciphers), KH_CIPHER_COUNT - 2); /* neither the unset one nor ECB */
  for (size_t i = 0; i < COUNT(ciphers); i++) {
    kh_cipher found = KH_CIPHER_UNSET;
    assert_true(kh_cipher_by_name(bytes_of(ciphers[i].name), &found));
    assert_int_equal(found, ciphers[i].cipher);
    assert_string_equal(kh_cipher_name(found), ciphers[i].name);
    assert_int_equal(kh_cipher_data_key(found, true) != KH_DATAKEY_NONE, ciphers[i].derived);
    assert_int_equal(kh_cipher_data_key(found, false) != KH_DATAKEY_NONE, ciphers[i].derived);
    assert_int_equal(kh_cipher_key_min(found), ciphers[i].derived ? 32 : 16);
  }
  assert_string_equal(kh_cipher_name(KH_CIPHER_UNSET), "");
  assert_string_equal(kh_cipher_name(KH_CIPHER_AES_ECB), "");
  assert_int_equal(kh_cipher_key_min(KH_CIPHER_UNSET), 0);
  assert_int_equal(kh_cipher_data_key(KH_CIPHER_UNSET, false), KH_DATAKEY_NONE);
}

static void other_names_are_none(void **state)
{
  (void)state;
  static const char *const names[] = {"",         "aes",    "aes_cbc", "AES-CBC",
                                      "aes-cbcx", "aes-cb", "aes-gcm"};
  for (size_t i = 0; i < COUNT(names); i++) {
    kh_cipher found = KH_CIPHER_AES256_CTR;
    assert_false(kh_cipher_by_name(bytes_of(names[i]), &found));
    assert_int_equal(found, KH_CIPHER_AES256_CTR);
  }
}

static void every_cipher_has_both_modes(void **state)
{
  (void)state;
  for (int i = KH_CIPHER_UNSET + 1; i < KH_CIPHER_COUNT; i++) {
    assert_non_null(kh_ciphers[i].padded);
    assert_non_null(kh_ciphers[i].unpadded);
    assert_in_range(kh_cipher_encrypted_length((kh_cipher)i, 1000), 1001, 1016);
  }
}

static void the_names_for_a_help(void **state)
{
  (void)state;
  assert_string_equal(kh_cipher_names().text,
                      "aes-cbc, aes-ctr, aes256-cbc, aes256-ctr or aes256-xts");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ciphers_have_names),
      cmocka_unit_test(other_names_are_none),
      cmocka_unit_test(every_cipher_has_both_modes),
      cmocka_unit_test(the_names_for_a_help),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
