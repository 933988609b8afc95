/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/policy.h"
#include "unit.h"

static kh_bytes bytes_of(const char *text)
{
  return (kh_bytes){(const uint8_t *)text, strlen(text)};
}

static void ciphers_have_names(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    kh_key_cipher cipher;
    bool derived;
  } ciphers[] = {{"aes-cbc", KH_KEY_CIPHER_AES_CBC, false},
                 {"aes-ctr", KH_KEY_CIPHER_AES_CTR, false},
                 {"aes256-cbc", KH_KEY_CIPHER_AES256_CBC, true},
                 {"aes256-ctr", KH_KEY_CIPHER_AES256_CTR, true}};
  assert_int_equal(COUNT(ciphers), KH_KEY_CIPHER_COUNT - 1);
  for (size_t i = 0; i < COUNT(ciphers); i++) {
    kh_key_cipher found = KH_KEY_CIPHER_UNSET;
    assert_true(kh_key_cipher_by_name(bytes_of(ciphers[i].name), &found));
    assert_int_equal(found, ciphers[i].cipher);
    assert_string_equal(kh_key_cipher_name(found), ciphers[i].name);
    assert_int_equal(kh_key_cipher_is_derived(found), ciphers[i].derived);
  }
  assert_string_equal(kh_key_cipher_name(KH_KEY_CIPHER_UNSET), "");
  assert_false(kh_key_cipher_is_derived(KH_KEY_CIPHER_UNSET));
}

static void other_names_are_none(void **state)
{
  (void)state;
  static const char *const names[] = {"",         "aes",    "aes_cbc", "AES-CBC",
                                      "aes-cbcx", "aes-cb", "aes-gcm"};
  for (size_t i = 0; i < COUNT(names); i++) {
    kh_key_cipher found = KH_KEY_CIPHER_AES256_CTR;
    assert_false(kh_key_cipher_by_name(bytes_of(names[i]), &found));
    assert_int_equal(found, KH_KEY_CIPHER_AES256_CTR);
  }
}

static void when_a_key_is_due(void **state)
{
  (void)state;
  assert_true(kh_policy_due(&(kh_policy){0}) == KH_POLICY_NEVER);
  assert_true(kh_policy_due(&(kh_policy){.created = 1000}) == KH_POLICY_NEVER);
  assert_int_equal(kh_policy_due(&(kh_policy){.created = 1000, .rotate = 50}), 1050);
  assert_int_equal(kh_policy_due(&(kh_policy){.rotate = 50}), 50);
  assert_true(kh_policy_due(&(kh_policy){.created = 4000000000u, .rotate = 3000000000u}) ==
              7000000000u);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ciphers_have_names),
      cmocka_unit_test(other_names_are_none),
      cmocka_unit_test(when_a_key_is_due),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
