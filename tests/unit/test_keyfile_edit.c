/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: sodium_malloc calloc */
/* New lines in the text of a key file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "keyhold/keyfile_text.h"
#include "rotation.h"
#include "unit.h"
#include "wrap.h"

#define A16 "770A8A65DA156D24EE2A093277530142"
#define A24 "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
#define NEW "0102030405060708090a0b0c0d0e0f10"

WRAP_CALLOC(calls_strike)
WRAP_SODIUM_MALLOC(calls_strike)

/* a text and its length, for texts with a NUL */
#define TEXT(literal)                                                                              \
  (kh_bytes)                                                                                       \
  {                                                                                                \
    (const uint8_t *)(literal), sizeof(literal) - 1                                                \
  }

static kh_keylist *parse(kh_bytes text)
{
  kh_keylist *list = NULL;
  assert_int_equal(kh_keyfile_parse_text("keys", text, KH_REPEATS_AS_UPSTREAM, NULL, &list, NULL),
                   KH_OK);
  return list;
}

/* version 9 of each of these ids, with the key NEW in 128 bits */
static kh_keylist *versions_of(const uint32_t *ids, size_t count)
{
  kh_keylist *list = NULL;
  assert_int_equal(kh_keylist_new(count, &list), KH_OK);
  for (size_t i = 0; i < count; i++) {
    kh_key *key = kh_keylist_next(list);
    key->id = ids[i];
    key->version = 9;
    key->len = 16;
    for (uint8_t byte = 0; byte < 16; byte++)
      key->bytes[byte] = (uint8_t)(byte + 1);
    kh_keylist_commit(list);
  }
  return list;
}

static void assert_becomes(kh_bytes text, const uint32_t *ids, size_t count, kh_bytes expected)
{
  KH_AUTO_KEYLIST parsed = parse(text);
  KH_AUTO_KEYLIST added = versions_of(ids, count);
  KH_AUTO_SECRET changed = NULL;
  assert_int_equal(kh_keyfile_add_lines(text, parsed, added, &changed), KH_OK);
  kh_bytes got = kh_secret_bytes(changed);
  print_message("%.*s---\n", (int)got.len, (const char *)got.data);
  assert_int_equal(got.len, expected.len);
  assert_memory_equal(got.data, expected.data, expected.len);
}

static const struct {
  kh_bytes text, expected;
} edits[] = {
    {TEXT("1;" A16 "\n"), TEXT("1;" A16 "\n1;9;" NEW "\n")},
    {TEXT("1;" A16 "\r\n"), TEXT("1;" A16 "\r\n1;9;" NEW "\r\n")},
    /* without a line end */
    {TEXT("1;" A16), TEXT("1;" A16 "\n1;9;" NEW "\n")},
    {TEXT("1;" A16 "\r"), TEXT("1;" A16 "\r\n1;9;" NEW "\r\n")},
    {TEXT("2;" A16 "\r\n1;" A16), TEXT("2;" A16 "\r\n1;" A16 "\r\n1;9;" NEW "\r\n")},
    {TEXT("2;" A16 "\n1;" A16), TEXT("2;" A16 "\n1;" A16 "\n1;9;" NEW "\n")},
    {TEXT("1;" A16 "\n# end"), TEXT("1;" A16 "\n1;9;" NEW "\n# end\n")},
    {TEXT("1;" A16 "\r\n "), TEXT("1;" A16 "\r\n1;9;" NEW "\r\n \r\n")},
    /* each line end alone */
    {TEXT("1;" A16 "\r\n2;" A16 "\n"), TEXT("1;" A16 "\r\n1;9;" NEW "\r\n2;" A16 "\n")},
    {TEXT("2;" A16 "\r\n1;" A16 "\n"), TEXT("2;" A16 "\r\n1;" A16 "\n1;9;" NEW "\n")},
    /* comments, blanks, order and what is ignored stay */
    {TEXT("# one\n\n \t1;" A16 " ignored; \xff\n  # two\n\r\n2;3;" A24 "#\n"),
     TEXT("# one\n\n \t1;" A16 " ignored; \xff\n1;9;" NEW "\n  # two\n\r\n2;3;" A24 "#\n")},
    {TEXT("5;" A16 "\n3;" A16 "\n1;" A16 "\n4;" A16 "\n"),
     TEXT("5;" A16 "\n3;" A16 "\n1;" A16 "\n1;9;" NEW "\n4;" A16 "\n")},
    /* after the last line of the key */
    {TEXT("1;7;" A16 "\n2;" A16 "\n1;3;" A16 "\n3;" A16 "\n"),
     TEXT("1;7;" A16 "\n2;" A16 "\n1;3;" A16 "\n1;9;" NEW "\n3;" A16 "\n")},
    {TEXT("1;" A16 "\n1;" A16 "\n2;" A16 "\n"),
     TEXT("1;" A16 "\n1;" A16 "\n1;9;" NEW "\n2;" A16 "\n")},
    /* a NUL and what follows it */
    {TEXT("1;" A16 "\n\0junk\n\0"), TEXT("1;" A16 "\n1;9;" NEW "\n\0junk\n\0")},
    {TEXT("1;" A16 "\0junk\n1;x"), TEXT("1;" A16 "\n1;9;" NEW "\n\0junk\n1;x")},
    {TEXT("1;" A16 "\r\n2;" A16 "\0\n"), TEXT("1;" A16 "\r\n1;9;" NEW "\r\n2;" A16 "\r\n\0\n")},
};

static void all_other_bytes_stay(void **state)
{
  (void)state;
  static const uint32_t one[] = {1};
  for (size_t i = 0; i < COUNT(edits); i++)
    assert_becomes(edits[i].text, one, 1, edits[i].expected);
}

static void several_keys_at_once(void **state)
{
  (void)state;
  static const uint32_t ids[] = {1, 4294967295u, 2};
  assert_becomes(TEXT("2;" A16 "\n4294967295;" A16 "\r\n1;" A16 "\n2;4;" A16), ids, 3,
                 TEXT("2;" A16 "\n4294967295;" A16 "\r\n4294967295;9;" NEW "\r\n1;" A16 "\n1;9;" NEW
                      "\n2;4;" A16 "\n2;9;" NEW "\n"));
}

static void new_ids_are_at_the_end(void **state)
{
  (void)state;
  static const uint32_t ids[] = {7, 2, 1, 3};
  assert_becomes(TEXT("2;" A16 "\r\n1;" A16 "\r\n# end\0x"), ids, 4,
                 TEXT("2;" A16 "\r\n2;9;" NEW "\r\n1;" A16 "\r\n1;9;" NEW "\r\n# end\r\n7;9;" NEW
                      "\r\n3;9;" NEW "\r\n\0x"));
}

static void a_text_is_made_of_nothing(void **state)
{
  (void)state;
  static const uint32_t versions[] = {5, 1, 3};
  KH_AUTO_KEYLIST none = NULL;
  KH_AUTO_KEYLIST added = NULL;
  KH_AUTO_SECRET text = NULL;
  assert_int_equal(kh_keylist_new(0, &none), KH_OK);
  assert_int_equal(kh_keylist_new(3, &added), KH_OK);
  for (size_t i = 0; i < COUNT(versions); i++) { /* all of one id, in the order given */
    kh_key *key = kh_keylist_next(added);
    *key = (kh_key){.id = 1, .version = versions[i], .len = 16};
    kh_keylist_commit(added);
  }
  assert_int_equal(kh_keyfile_add_lines((kh_bytes){NULL, 0}, none, added, &text), KH_OK);
#define ZERO "00000000000000000000000000000000"
  kh_bytes expected = TEXT("1;5;" ZERO "\n1;" ZERO "\n1;3;" ZERO "\n");
  assert_int_equal(kh_secret_bytes(text).len, expected.len);
  assert_memory_equal(kh_secret_bytes(text).data, expected.data, expected.len);
}

static const struct {
  kh_bytes text;
  const char *retired;
  kh_bytes expected;
} retirements[] = {
    {TEXT("1;" A16 "\n1;3;" A24 "\n"), "1;" A24 "\n", TEXT("1;1;retired\n1;3;" A24 "\n")},
    {TEXT("1;" A16 "\n1;3;" A24 "\n"), "1;3;" A24 "\n", TEXT("1;" A16 "\n1;3;retired\n")},
    {TEXT("1;" A16 "\n1;3;" A24 "  # of 2025"), "1;3;" A24 "\n", TEXT("1;" A16 "\n1;3;retired\n")},
    {TEXT("1;" A16 ";rotate=1d \r\n# x\r\n\r\n 1;3;" A24 "\r\n"), "1;" A24 "\n",
     TEXT("1;1;retired\r\n# x\r\n\r\n 1;3;" A24 "\r\n")},
    {TEXT("1;" A16 "\n4294967295;4294967294;" A16), "1;2;" A16 "\n4294967295;4294967294;" A16,
     TEXT("1;" A16 "\n4294967295;4294967294;retired\n")},
    /* every line of a version */
    {TEXT("1;" A16 "\n2;" A16 "\n1;" A16 "\n"), "1;" A24 "\n",
     TEXT("1;1;retired\n2;" A16 "\n1;1;retired\n")},
    {TEXT("1;" A16 "\n2;" A16 "\n1;" A16 "\n"), "1;" A24 "\n2;" A24,
     TEXT("1;1;retired\n2;1;retired\n1;1;retired\n")},
    /* versions that were retired before */
    {TEXT("1;1;retired # x\n1;3;" A16 "\n1;5;" A16), "1;3;" A24 "\n1;" A24,
     TEXT("1;1;retired # x\n1;3;retired\n1;5;" A16)},
    /* another version, another id */
    {TEXT("1;" A16 "\n1;3;" A24), "1;2;" A16 "\n3;3;" A24, TEXT("1;" A16 "\n1;3;" A24)},
    {TEXT("2;" A16 "\n1;" A16 "\0junk\n1;x"), "1;" A24 "\n",
     TEXT("2;" A16 "\n1;1;retired\n\0junk\n1;x")},
};

static void lines_are_retired(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(retirements); i++) {
    KH_AUTO_KEYLIST parsed = parse(retirements[i].text);
    KH_AUTO_SECRET changed = NULL;
    kh_keytable *retired = rotation_table_of(retirements[i].retired);
    assert_int_equal(kh_keyfile_retire_lines(retirements[i].text, parsed, retired, &changed),
                     KH_OK);
    kh_bytes got = kh_secret_bytes(changed);
    print_message("%.*s---\n", (int)got.len, (const char *)got.data);
    assert_int_equal(got.len, retirements[i].expected.len);
    assert_memory_equal(got.data, retirements[i].expected.data, got.len);
    kh_keytable_free(&retired);
  }
}

static void nothing_to_add(void **state)
{
  (void)state;
  assert_becomes(TEXT("1;" A16 "\r\n# \0x"), NULL, 0, TEXT("1;" A16 "\r\n# \r\n\0x"));
}

static void key_lengths_and_attributes(void **state)
{
  (void)state;
  static const struct {
    uint32_t version, len;
    kh_policy policy;
    const char *line;
  } cases[] = {
      {2, 16, {0}, "1;2;" NEW "\n"},
      {KH_KEY_VERSION_MAX, 24, {0}, "1;4294967294;" NEW "1112131415161718\n"},
      {3, 32, {.bits = 256}, "1;3;" NEW "1112131415161718191a1b1c1d1e1f20;bits=256\n"},
      {3, 16, {.created = 1795309555}, "1;3;" NEW ";created=2026-11-22T01:05:55Z\n"},
      {3, 16, {.rotate = 7776000}, "1;3;" NEW ";rotate=90d\n"},
      {3, 16, {.cipher = KH_CIPHER_AES_CTR}, "1;3;" NEW ";cipher=aes-ctr\n"},
      {3,
       32,
       {4294967295u, KH_ROTATE_MAX - 1, 256, KH_CIPHER_AES256_CBC},
       "1;3;" NEW "1112131415161718191a1b1c1d1e1f20;cipher=aes256-cbc;created=2106-02-07T06:28:15Z;"
       "rotate=3155759999s;bits=256\n"},
  };
  KH_AUTO_KEYLIST parsed = parse(TEXT("1;" A16 "\n"));
  for (size_t i = 0; i < COUNT(cases); i++) {
    KH_AUTO_KEYLIST added = NULL;
    KH_AUTO_SECRET changed = NULL;
    assert_int_equal(kh_keylist_new(1, &added), KH_OK);
    kh_key *key = kh_keylist_next(added);
    *key = (kh_key){
        .id = 1, .version = cases[i].version, .len = cases[i].len, .policy = cases[i].policy};
    for (unsigned byte = 0; byte < key->len; byte++)
      key->bytes[byte] = (uint8_t)(byte + 1);
    kh_keylist_commit(added);
    assert_int_equal(kh_keyfile_add_lines(TEXT("1;" A16 "\n"), parsed, added, &changed), KH_OK);
    char expected[512];
    int len = snprintf(expected, sizeof expected, "1;" A16 "\n%s", cases[i].line);
    assert_int_equal(kh_secret_bytes(changed).len, len);
    assert_memory_equal(kh_secret_bytes(changed).data, expected, (size_t)len);
  }
}

/* the longest lines that there can be, each with the longest line end, fit */
static void a_text_of_only_longest_additions(void **state)
{
  (void)state;
  enum { KEYS = 300, FIRST = 4294967000u };
  static char text[KEYS * 64];
  size_t len = (size_t)snprintf(text, sizeof text, "1;" A16 "\r\n");
  KH_AUTO_KEYLIST added = NULL;
  assert_int_equal(kh_keylist_new(KEYS - 10, &added), KH_OK);
  for (uint32_t i = 0; i < KEYS - 10; i++) {
    len += (size_t)snprintf(text + len, sizeof text - len, "%u;" A16 "\r\n", FIRST + i);
    kh_key *key = kh_keylist_next(added);
    *key = (kh_key){.id = FIRST + i, .version = KH_KEY_VERSION_MAX, .len = 32};
    key->policy = (kh_policy){4294967295u, KH_ROTATE_MAX - 1, 256, KH_CIPHER_AES256_CBC};
    kh_keylist_commit(added);
  }
  kh_bytes bytes = {(const uint8_t *)text, len};
  KH_AUTO_KEYLIST parsed = parse(bytes);
  KH_AUTO_SECRET changed = NULL;
  assert_int_equal(kh_keyfile_add_lines(bytes, parsed, added, &changed), KH_OK);
  KH_AUTO_KEYLIST again = parse(kh_secret_bytes(changed));
  assert_int_equal(kh_keylist_count(again), 1 + 2 * (KEYS - 10));
  for (size_t i = 1; i < kh_keylist_count(again); i++)
    assert_int_equal(kh_keylist_at(again, i)->id, FIRST + (i - 1) / 2);
}

static void no_memory_gives_no_text(void **state)
{
  (void)state;
  static const uint32_t ids[] = {1};
  kh_bytes text = TEXT("1;" A16 "\n");
  KH_AUTO_KEYLIST parsed = parse(text);
  KH_AUTO_KEYLIST added = versions_of(ids, 1);
  kh_secret *changed = NULL;
  kh_status status = KH_E_NO_MEMORY;
  unsigned at = 0;
  while (status != KH_OK) {
    test_calls = (calls){.armed = true, .at = ++at, .error = ENOMEM};
    status = kh_keyfile_add_lines(text, parsed, added, &changed);
    assert_true(status == KH_OK || (status == KH_E_NO_MEMORY && changed == NULL));
  }
  test_calls.armed = false;
  assert_int_equal(at, 4); /* a secret, its memory, the places; then none fails */
  kh_secret_free(&changed);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_other_bytes_stay),
      cmocka_unit_test(several_keys_at_once),
      cmocka_unit_test(new_ids_are_at_the_end),
      cmocka_unit_test(a_text_is_made_of_nothing),
      cmocka_unit_test(lines_are_retired),
      cmocka_unit_test(nothing_to_add),
      cmocka_unit_test(key_lengths_and_attributes),
      cmocka_unit_test(a_text_of_only_longest_additions),
      cmocka_unit_test(no_memory_gives_no_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
