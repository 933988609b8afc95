/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/fingerprint.h"
#include "keytables.h"
#include "unit.h"

static kh_key key_of(uint32_t len, uint8_t first)
{
  kh_key key = {.id = 1, .version = 1, .len = len};
  for (uint32_t i = 0; i < len; i++)
    key.bytes[i] = (uint8_t)(first + i);
  return key;
}

/* computed with Python's module hmac */
static void fingerprints(void **state)
{
  (void)state;
  static const struct {
    uint32_t len;
    uint8_t first;
    const char *fingerprint;
  } cases[] = {
      {16, 0x00, "4015837b768b77b2"},
      {24, 0x00, "d651e522a57086e6"},
      {32, 0x00, "2bd6a49fbfd1a30b"},
      {32, 0x40, "6508d8163a71b0a9"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    kh_key key = key_of(cases[i].len, cases[i].first);
    assert_string_equal(kh_key_fingerprint(&key).text, cases[i].fingerprint);
  }
}

static void a_fingerprint_tells_nothing_but_the_key(void **state)
{
  (void)state;
  kh_key key = key_of(32, 9);
  kh_key other = key;
  other.id = 77;
  other.version = 12;
  other.line = 3;
  other.policy = (kh_policy){1, 2, 128, KH_CIPHER_AES_CTR};
  assert_string_equal(kh_key_fingerprint(&key).text, kh_key_fingerprint(&other).text);
}

static void any_bit_changes_the_fingerprint(void **state)
{
  (void)state;
  kh_key key = key_of(32, 9);
  kh_fingerprint seen[1 + 256];
  seen[0] = kh_key_fingerprint(&key);
  for (size_t bit = 0; bit < 256; bit++) {
    kh_key other = key;
    other.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    seen[1 + bit] = kh_key_fingerprint(&other);
    for (size_t i = 0; i <= bit; i++)
      assert_string_not_equal(seen[i].text, seen[1 + bit].text);
  }
}

static void copy_key(const void *keys, size_t place, kh_key *ret_key)
{
  *ret_key = ((const kh_key *)keys)[place];
}

static kh_fingerprint fingerprint_of(const kh_key *keys, size_t count)
{
  kh_keytable *table = keytable_of(keys, count, copy_key);
  kh_fingerprint fingerprint = kh_keytable_fingerprint(table);
  kh_keytable_free(&table);
  return fingerprint;
}

static void assert_all(const kh_key *keys, size_t count, const char *expected)
{
  assert_string_equal(fingerprint_of(keys, count).text, expected);
}

static kh_key version_of(uint32_t id, uint32_t version, uint32_t len, uint8_t first)
{
  kh_key key = key_of(len, first);
  key.id = id;
  key.version = version;
  return key;
}

/* computed with Python's modules hmac and hashlib */
static void tables(void **state)
{
  (void)state;
  kh_key keys[] = {version_of(1, 1, 16, 0), version_of(1, 4294967294u, 24, 0),
                   version_of(4294967295u, 3, 32, 0x40)};
  assert_all(keys, 1, "e1bdc425326f9b83");
  assert_all(keys, 3, "47f20c015999a745");
  kh_key turned[] = {keys[2], keys[1], keys[0]}; /* the order of a file does not matter */
  turned[1].line = 7;
  turned[1].policy = (kh_policy){1, 2, 128, KH_CIPHER_AES_CTR};
  assert_all(turned, 3, "47f20c015999a745");
}

static void a_table_with_anything_else_has_another_one(void **state)
{
  (void)state;
  kh_key keys[] = {version_of(1, 1, 16, 0), version_of(7, 3, 16, 9)};
  kh_fingerprint was = fingerprint_of(keys, 2);
  assert_string_not_equal(fingerprint_of(keys, 1).text, was.text);
  kh_key others[] = {version_of(8, 3, 16, 9), version_of(7, 4, 16, 9), version_of(7, 3, 16, 10),
                     version_of(7, 3, 24, 9)};
  memset(others[3].bytes + 16, 0, 8); /* HMAC gives the same for these as for the 16 bytes */
  for (size_t i = 0; i < COUNT(others); i++) {
    keys[1] = others[i];
    assert_string_not_equal(fingerprint_of(keys, 2).text, was.text);
  }
}

/* a server that has reloaded has them in memory, and its key file has not */
static void retired_versions_do_not_count(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  kh_key keys[] = {version_of(1, 1, 16, 0), version_of(1, 3, 16, 9), version_of(7, 1, 16, 0)};
  kh_keytable *old = keytable_of(keys, 3, copy_key);
  kh_keytable *now = NULL;
  assert_int_equal(kh_keylist_new(2, &list), KH_OK);
  for (size_t i = 1; i < 3; i++) {
    *kh_keylist_next(list) = keys[i];
    kh_keylist_commit(list);
  }
  assert_int_equal(kh_keylist_retire(list, &(kh_retired){.id = 1, .version = 1}), KH_OK);
  assert_int_equal(kh_keytable_new_after(list, old, &now), KH_OK);
  assert_non_null(kh_keytable_find(now, 1, 1));
  assert_all(keys + 1, 2, kh_keytable_fingerprint(now).text);
  kh_keytable_free(&now);
  kh_keytable_free(&old);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fingerprints),
      cmocka_unit_test(a_fingerprint_tells_nothing_but_the_key),
      cmocka_unit_test(any_bit_changes_the_fingerprint),
      cmocka_unit_test(tables),
      cmocka_unit_test(retired_versions_do_not_count),
      cmocka_unit_test(a_table_with_anything_else_has_another_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
