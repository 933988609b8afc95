/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: reads files of the largest size */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/keyfile_text.h"
#include "parsing.h"
#include "recorder.h"
#include "unit.h"

#define K16 "770A8A65DA156D24EE2A093277530142"
#define K24 "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
#define K32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

static recorder heard;

static kh_status parse(const char *text, size_t len, kh_keylist **list, kh_fault *fault)
{
  kh_log log = recorder_log(&heard);
  return kh_keyfile_parse_text("keys.txt", (kh_bytes){(const uint8_t *)text, len},
                               KH_REPEATS_AS_UPSTREAM, &log, list, fault);
}

struct good {
  const char *name, *text;
  size_t count;
  struct {
    uint32_t id, version, len, line;
  } keys[4];
};

static const struct good good_texts[] = {
    {"one key", "1;" K16 "\n", 1, {{1, 1, 16, 1}}},
    {"no line end", "1;" K16, 1, {{1, 1, 16, 1}}},
    {"CR LF", "1;" K16 "\r\n2;" K24 "\r\n", 2, {{1, 1, 16, 1}, {2, 1, 24, 2}}},
    {"comments and empty lines",
     "# c\n\n  \t# d\n1;" K16 "\n\v\f\r \n2;" K32 "#e\n",
     2,
     {{1, 1, 16, 4}, {2, 1, 32, 6}}},
    {"blanks in front", " \t\v\f\r1;" K16 "\n", 1, {{1, 1, 16, 1}}},
    {"rest of the line",
     "1;" K16 " --> ignored\n2;" K24 "zzz\n3;" K32 ";x",
     3,
     {{1, 1, 16, 1}, {2, 1, 24, 2}, {3, 1, 32, 3}}},
    {"largest id", "4294967295;" K16 "\n1;" K16, 2, {{4294967295u, 1, 16, 1}, {1, 1, 16, 2}}},
    {"zeros in front of the id", "00000000000000000001;" K16, 1, {{1, 1, 16, 1}}},
    {"the same id again", "1;" K16 "\n1;" K24 "\n", 2, {{1, 1, 16, 1}, {1, 1, 24, 2}}},
    {"versions",
     "1;1;" K16 "\n1;7;" K24 "\n1;4294967294;" K32,
     3,
     {{1, 1, 16, 1}, {1, 7, 24, 2}, {1, 4294967294u, 32, 3}}},
    {"version left out", "1;" K16 "\n1;2;" K16, 2, {{1, 1, 16, 1}, {1, 2, 16, 2}}},
    {"a key of decimal digits is no version",
     "1;01234567890123456789012345678901;x\n",
     1,
     {{1, 1, 16, 1}}},
    {"the same version twice with one key",
     "1;1;" K16 "\n1;1;" K16 "\n",
     2,
     {{1, 1, 16, 1}, {1, 1, 16, 2}}},
};

static void good_texts_give_their_keys(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good_texts); i++) {
    const struct good *good = &good_texts[i];
    KH_AUTO_KEYLIST list = NULL;
    kh_fault fault = {0};
    print_message("  %s\n", good->name);
    assert_int_equal(parse(good->text, strlen(good->text), &list, &fault), KH_OK);
    assert_int_equal(kh_keylist_count(list), good->count);
    for (size_t k = 0; k < good->count; k++) {
      const kh_key *key = kh_keylist_at(list, k);
      assert_int_equal(key->id, good->keys[k].id);
      assert_int_equal(key->version, good->keys[k].version);
      assert_int_equal(key->len, good->keys[k].len);
      assert_int_equal(key->line, good->keys[k].line);
    }
  }
}

static void a_nul_ends_the_text(void **state)
{
  (void)state;
  static const char behind_a_line[] = "1;" K16 "\n\0bad";
  static const char inside_a_line[] = "1;" K16 "\0bad\nbad";
  KH_AUTO_KEYLIST list = NULL;
  assert_int_equal(parse(behind_a_line, sizeof behind_a_line - 1, &list, NULL), KH_OK);
  assert_int_equal(kh_keylist_count(list), 1);
  kh_keylist_free(&list);
  assert_int_equal(parse(inside_a_line, sizeof inside_a_line - 1, &list, NULL), KH_OK);
  assert_int_equal(kh_keylist_count(list), 1);
}

static void digits_of_either_case_give_their_bytes(void **state)
{
  (void)state;
  static const uint8_t expected[] = {0x77, 0x0a, 0x8a, 0x65, 0xda, 0x15, 0x6d, 0x24,
                                     0xee, 0x2a, 0x09, 0x32, 0x77, 0x53, 0x01, 0x42};
  KH_AUTO_KEYLIST list = NULL;
  const char *text = "1;" K16 "\n2;770a8a65da156d24ee2a093277530142\n";
  assert_int_equal(parse(text, strlen(text), &list, NULL), KH_OK);
  assert_memory_equal(kh_keylist_at(list, 0)->bytes, expected, 16);
  assert_memory_equal(kh_keylist_at(list, 1)->bytes, expected, 16);
}

/* lines and columns as the server's own plugin prints them; the versions are ours */
static const struct {
  const char *text;
  kh_status status;
  unsigned line;
  size_t column;
} bad_texts[] = {
    {"", KH_E_NO_SYSTEM_KEY, 0, 1},
    {"\n\n\n", KH_E_NO_SYSTEM_KEY, 3, 1},
    {"2;" K16 "\n3;" K16 "\n4;" K16 "\n", KH_E_NO_SYSTEM_KEY, 3, 1},
    {"2;" K16 "\n3;" K16, KH_E_NO_SYSTEM_KEY, 2, 1},
    {"2;" K16 "\r1;" K16 "\n", KH_E_NO_SYSTEM_KEY, 1, 1},
    {"1 ;" K16, KH_E_SYNTAX, 1, 2},
    {"1; " K16, KH_E_KEY_HEX, 1, 3},
    {"  \t x;" K16, KH_E_SYNTAX, 1, 5},
    {"-1;" K16, KH_E_SYNTAX, 1, 1},
    {"+1;" K16, KH_E_SYNTAX, 1, 1},
    {"1;" K16 "\n3:" K16, KH_E_SYNTAX, 2, 2},
    {"1;" K16 "\nsyntax error\n", KH_E_SYNTAX, 2, 1},
    {"1;" K16 "\n1", KH_E_SYNTAX, 2, 2},
    {"\xef\xbb\xbf"
     "1;" K16,
     KH_E_SYNTAX, 1, 1},
    {"\xa0 1;" K16, KH_E_SYNTAX, 1, 1},
    {"0;" K16, KH_E_KEY_ID, 1, 2},
    {"0", KH_E_KEY_ID, 1, 2},
    {"0000;" K16, KH_E_KEY_ID, 1, 5},
    {"0:", KH_E_KEY_ID, 1, 2},
    {"4294967296;" K16, KH_E_KEY_ID, 1, 10},
    {"42949672950;" K16, KH_E_KEY_ID, 1, 11},
    {"99999999999999999999;" K16, KH_E_KEY_ID, 1, 10},
    {"4294967290x" K16, KH_E_SYNTAX, 1, 11},
    {"1;\n", KH_E_KEY_HEX, 1, 3},
    {"1;1111\n", KH_E_KEY_HEX, 1, 7},
    {"1;11111111111111111111111111111x11\n", KH_E_KEY_HEX, 1, 31},
    {"1;" K16 "1\n", KH_E_KEY_HEX, 1, 35},
    {"1;" K16 "11\n", KH_E_KEY_HEX, 1, 37},
    {"1;" K24 "11\n", KH_E_KEY_HEX, 1, 53},
    {"1;" K32 "1\n", KH_E_KEY_HEX, 1, 67},
    {"1;" K32 K32 "\n", KH_E_KEY_HEX, 1, 67},
    {"1;" K16 "\n3;0000000000000000000000000000000\n", KH_E_KEY_HEX, 2, 33},
    {"1;" K16 "\n1;11", KH_E_KEY_HEX, 2, 5},
    {"1;0;" K16, KH_E_KEY_VERSION, 1, 4},
    {"1;4294967295;" K16, KH_E_KEY_VERSION, 1, 12},
    {"1;9999999999;" K16, KH_E_KEY_VERSION, 1, 12},
    {"1;12345678901;" K16, KH_E_KEY_HEX, 1, 13},
    {"1;1;", KH_E_KEY_HEX, 1, 5},
    {"1;1;1;" K16, KH_E_KEY_HEX, 1, 5},
    {"1;-1;" K16, KH_E_KEY_HEX, 1, 3},
    {"1;1 ;" K16, KH_E_KEY_HEX, 1, 3},
    {"1;1;" K16 "\n1;2;" K16 "\n1;2;" K24 "\n", KH_E_KEY_DUPLICATE, 3, 1},
    {"1;" K16 "\n2;3;" K16 "\n1;" K24 "\n", KH_E_KEY_DUPLICATE, 3, 1},
};

static void bad_texts_name_line_and_column(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad_texts); i++) {
    kh_keylist *list = NULL;
    kh_fault fault = {0};
    kh_status status = parse(bad_texts[i].text, strlen(bad_texts[i].text), &list, &fault);
    if (status != bad_texts[i].status || fault.line != bad_texts[i].line ||
        fault.column != bad_texts[i].column)
      print_message("  '%s': %s, line %u, column %zu\n", bad_texts[i].text, status_name(status),
                    fault.line, fault.column);
    assert_int_equal(status, bad_texts[i].status);
    assert_int_equal(fault.status, status);
    assert_int_equal(fault.line, bad_texts[i].line);
    assert_int_equal(fault.column, bad_texts[i].column);
    assert_string_equal(fault.path.text, "keys.txt");
    assert_null(list);
  }
}

static void a_duplicate_names_both_lines(void **state)
{
  (void)state;
  kh_keylist *list = NULL;
  kh_fault fault;
  const char *text = "1;" K16 "\n#\n5;2;" K16 "\n6;2;" K16 "\n5;2;" K24 "\n";
  assert_int_equal(parse(text, strlen(text), &list, &fault), KH_E_KEY_DUPLICATE);
  assert_int_equal(fault.line, 5);
  assert_int_equal(fault.other_line, 3);
}

static void a_replaced_key_is_warned_of_without_its_bytes(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  const char *text = "1;" K16 "\n1;" K24 "\n2;" K16 "\n2;" K24 "\n";
  assert_int_equal(parse(text, strlen(text), &list, NULL), KH_OK);
  assert_int_equal(heard.count[KH_LOG_WARNING], 1);
  assert_true(recorder_has(&heard, "key id 1 has different keys in lines 1 and 2 of 'keys.txt'"));
  assert_true(recorder_has(&heard, "2 such"));
  assert_false(recorder_has(&heard, "770A"));
}

static void a_text_full_of_keys_fits(void **state)
{
  (void)state;
  /* the shortest lines there are: ids of one digit, keys of 32 */
  enum { LINE = sizeof("1;" K16 "\n") - 1 };
  size_t lines = KH_KEYFILE_MAX / LINE;
  char *text = malloc(KH_KEYFILE_MAX + 1);
  KH_AUTO_KEYLIST list = NULL;
  for (size_t i = 0; i < lines; i++)
    memcpy(text + i * LINE, "1;" K16 "\n", LINE);
  assert_int_equal(parse(text, lines * LINE, &list, NULL), KH_OK);
  assert_int_equal(kh_keylist_count(list), lines);
  free(text);
}

/* every byte value at every place of a good file: never a crash, always a list or a fault */
static void any_byte_anywhere(void **state)
{
  (void)state;
  static const char text[] = " 1;2;" K16 "\n#c\n1;" K24 "\n";
  parse_with_any_byte(text, KH_REPEATS_AS_UPSTREAM);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_texts_give_their_keys),
      cmocka_unit_test(a_nul_ends_the_text),
      cmocka_unit_test(digits_of_either_case_give_their_bytes),
      cmocka_unit_test(bad_texts_name_line_and_column),
      cmocka_unit_test(a_duplicate_names_both_lines),
      cmocka_unit_test(a_replaced_key_is_warned_of_without_its_bytes),
      cmocka_unit_test(a_text_full_of_keys_fits),
      cmocka_unit_test(any_byte_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
