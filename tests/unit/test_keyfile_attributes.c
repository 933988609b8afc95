/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: reads a file for each of hundreds of lines */
/* The attributes of the text form, as kh_keyfile_parse_text() reads them. */
#include <stdio.h>
#include <string.h>

#include "keyhold/keyfile_text.h"
#include "parsing.h"
#include "recorder.h"
#include "unit.h"

#define K16 "770A8A65DA156D24EE2A093277530142"
#define K24 "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
#define K32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

static recorder heard;

static kh_status parse(const char *text, kh_repeats repeats, kh_keylist **list, kh_fault *fault)
{
  kh_log log = recorder_log(&heard);
  return kh_keyfile_parse_text("keys.txt", bytes_of(text), repeats, &log, list, fault);
}

/* what follows "1;" and a key of 256 bits */
static const struct {
  const char *rest;
  kh_policy policy;
} good_lines[] = {
    {"", {0}},
    {";", {0}},
    {";cipher=aes-cbc", {.cipher = KH_CIPHER_AES_CBC}},
    {";cipher=aes-ctr", {.cipher = KH_CIPHER_AES_CTR}},
    {";cipher=aes256-cbc", {.cipher = KH_CIPHER_AES256_CBC}},
    {";cipher=aes256-ctr", {.cipher = KH_CIPHER_AES256_CTR}},
    {";created=2026-11-22T01:05:55Z", {.created = 1795309555}},
    {";created=2026-11-22", {.created = 1795305600}},
    {";created=1970-01-01T00:00:01Z", {.created = 1}},
    {";created=2106-02-07T06:28:15Z", {.created = 4294967295}},
    {";rotate=1s", {.rotate = KH_ROTATE_MIN}},
    {";rotate=90d", {.rotate = 90 * 86400}},
    {";rotate=36525d", {.rotate = KH_ROTATE_MAX}},
    {";bits=128", {.bits = 128}},
    {";bits=192", {.bits = 192}},
    {";bits=256", {.bits = 256}},
    {";cipher=aes256-ctr;created=2026-11-22;rotate=90d;bits=256",
     {1795305600, 90 * 86400, 256, KH_CIPHER_AES256_CTR}},
    {";bits=192;rotate=2h;cipher=aes-ctr;created=2026-11-22",
     {1795305600, 7200, 192, KH_CIPHER_AES_CTR}},
    {"; bits=128\t;\v rotate=1h \f\r", {.bits = 128, .rotate = 3600}},
    {";bits=128;", {.bits = 128}},
    {";bits=128; \t", {.bits = 128}},
    {";bits=128\r", {.bits = 128}},
    {";bits=128;\r", {.bits = 128}},
    {";bits=128 # a comment; with bits=1 in it", {.bits = 128}},
    {";bits=128; # a comment", {.bits = 128}},
    {"; bits=128\t#", {.bits = 128}},
    /* no field is a known attribute: ignored, as in the server's own plugin */
    {";anything", {0}},
    {";;;", {0}},
    {";colour=red;;bits 128", {0}},
    {";Bits=128;CIPHER=aes-ctr", {0}},
    {";bits =128", {0}},
    {";bits", {0}},
    {";xbits=128", {0}},
    {"; # bits=128", {0}},
    {"; # ;bits=128", {0}},
    {" ;bits=128", {0}},
    {"\t;bits=128", {0}},
    {"#;bits=128", {0}},
    {"x;bits=128", {0}},
};

static void good_lines_give_their_attributes(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good_lines); i++) {
    KH_AUTO_KEYLIST list = NULL;
    char text[256];
    snprintf(text, sizeof text, "1;" K32 "%s\n", good_lines[i].rest);
    print_message("  %s", text);
    assert_int_equal(parse(text, KH_REPEATS_AS_UPSTREAM, &list, NULL), KH_OK);
    const kh_policy *policy = &kh_keylist_at(list, 0)->policy;
    assert_int_equal(policy->created, good_lines[i].policy.created);
    assert_int_equal(policy->rotate, good_lines[i].policy.rotate);
    assert_int_equal(policy->bits, good_lines[i].policy.bits);
    assert_int_equal(policy->cipher, good_lines[i].policy.cipher);
    assert_string_equal(heard.text, "");
  }
}

/* the columns count from "1;" and a key of 128 bits, whose end is column 35 */
static const struct {
  const char *text;
  kh_status status;
  size_t column;
} bad_lines[] = {
    {"1;" K16 ";bits=128;colour=red", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";colour=red; bits=128", KH_E_ATTRIBUTE, 36},
    {"1;" K16 ";bits=128;  Cipher=aes-ctr", KH_E_ATTRIBUTE, 47},
    {"1;" K16 ";bits=128;a comment", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";bits=128;# a comment", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";bits=128;bits", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";bits=128;bits=128", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";bits=128;rotate=1d;bits=192", KH_E_ATTRIBUTE, 55},
    {"1;" K16 ";;bits=128", KH_E_ATTRIBUTE, 36},
    {"1;" K16 "; \t;bits=128", KH_E_ATTRIBUTE, 38},
    {"1;" K16 ";bits=128;;", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";bits=128; ;\r", KH_E_ATTRIBUTE, 46},
    {"1;" K16 ";bits=128;;rotate=1d", KH_E_ATTRIBUTE, 45},
    {"1;" K16 ";bits=", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits= # none", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits= 128", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits=0128", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits=127", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits=512", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits=128#", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";bits=128 256", KH_E_ATTRIBUTE_VALUE, 41},
    {"1;" K16 ";cipher=", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";cipher=aes_cbc", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";cipher=AES-CBC", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";cipher=aes-ecb", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";created=2026-02-30", KH_E_ATTRIBUTE_VALUE, 44},
    {"1;" K16 ";created=1970-01-01T00:00:00Z", KH_E_ATTRIBUTE_VALUE, 44},
    {"1;" K16 ";created=2106-02-07T06:28:16Z", KH_E_ATTRIBUTE_VALUE, 44},
    {"1;" K16 ";created=1795309555", KH_E_ATTRIBUTE_VALUE, 44},
    {"1;" K16 ";rotate=0s", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";rotate=36525d1s", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";rotate=36526d", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";rotate=90", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";rotate=90 d", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";rotate=-1d", KH_E_ATTRIBUTE_VALUE, 43},
    {"1;" K16 ";rotate=1d;bits=1", KH_E_ATTRIBUTE_VALUE, 51},
    {"1;" K16 ";cipher=aes256-cbc", KH_E_KEY_TOO_SHORT, 35},
    {"1;" K24 ";cipher=aes256-ctr", KH_E_KEY_TOO_SHORT, 51},
    {"1;" K16 ";bits=256;cipher=aes256-ctr", KH_E_KEY_TOO_SHORT, 35},
    {"1;" K32 ";cipher=aes256-ctr;bits=192", KH_E_KEY_TOO_SHORT, 91},
    {"1;" K32 ";bits=128;cipher=aes256-cbc", KH_E_KEY_TOO_SHORT, 73},
    {"1;7;" K16 ";bits=1", KH_E_ATTRIBUTE_VALUE, 43},
    {"  1;" K16 ";bits=1", KH_E_ATTRIBUTE_VALUE, 43},
};

static void bad_lines_name_line_and_column(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad_lines); i++) {
    kh_keylist *list = NULL;
    kh_fault fault = {0};
    char text[256];
    snprintf(text, sizeof text, "1;" K16 "\n%s\n", bad_lines[i].text);
    print_message("  %s\n", bad_lines[i].text);
    assert_int_equal(parse(text, KH_REPEATS_AS_UPSTREAM, &list, &fault), bad_lines[i].status);
    assert_int_equal(fault.status, bad_lines[i].status);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.column, bad_lines[i].column);
    assert_string_equal(fault.path.text, "keys.txt");
    assert_null(list);
  }
}

static void a_nul_ends_the_attributes(void **state)
{
  (void)state;
  static const char text[] = "1;" K16 ";bits=128\0;bits=1";
  KH_AUTO_KEYLIST list = NULL;
  assert_int_equal(kh_keyfile_parse_text("keys.txt",
                                         (kh_bytes){(const uint8_t *)text, sizeof text - 1},
                                         KH_REPEATS_AS_UPSTREAM, NULL, &list, NULL),
                   KH_OK);
  assert_int_equal(kh_keylist_at(list, 0)->policy.bits, 128);
}

/* two lines for one key id and version, and the files that may have them */
static const struct {
  const char *text;
  kh_status as_upstream, refused;
} repeats[] = {
    {"1;" K16 "\n1;" K16 "\n", KH_OK, KH_OK},
    {"1;" K16 "\n1;" K24 "\n", KH_OK, KH_E_KEY_DUPLICATE},
    {"1;" K16 ";text\n1;" K24 ";text\n", KH_OK, KH_E_KEY_DUPLICATE},
    {"1;" K16 "\n1;" K16 ";text\n", KH_OK, KH_OK},
    {"1;1;" K16 "\n1;" K24 "\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"1;" K16 ";bits=128\n1;" K24 ";bits=128\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"1;" K16 "\n1;" K24 "\n2;" K16 ";bits=128\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"2;" K16 ";bits=128\n1;" K16 "\n1;" K24 "\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"1;" K16 ";bits=128\n1;" K16 ";bits=128\n", KH_OK, KH_OK},
    {"1;" K16 ";bits=128;rotate=1d\n1;1;" K16 ";rotate=1d;bits=128 # the same\n", KH_OK, KH_OK},
    {"1;" K16 ";bits=128\n1;" K16 "\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"1;" K16 ";bits=128\n1;" K16 ";bits=192\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"1;" K16 ";rotate=1d\n1;" K16 ";rotate=2d\n", KH_E_KEY_DUPLICATE, KH_E_KEY_DUPLICATE},
    {"1;" K16 ";cipher=aes-cbc\n1;" K16 ";cipher=aes-ctr\n", KH_E_KEY_DUPLICATE,
     KH_E_KEY_DUPLICATE},
    {"1;" K16 ";created=2026-11-22\n1;" K16 ";created=2026-11-23\n", KH_E_KEY_DUPLICATE,
     KH_E_KEY_DUPLICATE},
};

static void repeats_are_judged_by_the_whole_file(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(repeats); i++) {
    KH_AUTO_KEYLIST list = NULL;
    KH_AUTO_KEYLIST other = NULL;
    print_message("%s", repeats[i].text);
    assert_int_equal(parse(repeats[i].text, KH_REPEATS_AS_UPSTREAM, &list, NULL),
                     repeats[i].as_upstream);
    assert_int_equal(parse(repeats[i].text, KH_REPEATS_REFUSED, &other, NULL), repeats[i].refused);
    assert_string_equal(heard.text, "");
  }
}

static void a_refused_repeat_names_both_lines_and_the_key(void **state)
{
  (void)state;
  kh_keylist *list = NULL;
  kh_fault fault;
  const char *text = "1;" K16 ";bits=128\n#\n5;2;" K16 "\n6;2;" K16 "\n5;2;" K16 ";rotate=1d\n";
  assert_int_equal(parse(text, KH_REPEATS_AS_UPSTREAM, &list, &fault), KH_E_KEY_DUPLICATE);
  assert_int_equal(fault.line, 5);
  assert_int_equal(fault.column, 1);
  assert_int_equal(fault.other_line, 3);
  assert_int_equal(fault.key_id, 5);
  assert_int_equal(fault.key_version, 2);
}

/* every byte value at every place of lines with attributes: never a crash, always a list or a fault
 */
static void any_byte_anywhere(void **state)
{
  (void)state;
  static const char text[] =
      "1;" K32 ";cipher=aes256-ctr; created=2026-11-22;rotate=90d;bits=256 #\n"
      "1;2;" K16 "; cipher=aes-cbc;\r\n";
  parse_with_any_byte(text, KH_REPEATS_REFUSED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_lines_give_their_attributes),
      cmocka_unit_test(bad_lines_name_line_and_column),
      cmocka_unit_test(a_nul_ends_the_attributes),
      cmocka_unit_test(repeats_are_judged_by_the_whole_file),
      cmocka_unit_test(a_refused_repeat_names_both_lines_and_the_key),
      cmocka_unit_test(any_byte_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
