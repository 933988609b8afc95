/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: reads files of the largest size */
/* Key files as editors, templates and other tools leave them: what the reader says of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keyfile/hint.h"
#include "keyhold/keyfile_text.h"
#include "recorder.h"
#include "unit.h"

#define K16     "770A8A65DA156D24EE2A093277530142"
#define K24     "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
#define K32     "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"
#define KEYS    "1;" K16 "\n"
#define BOM     "\xef\xbb\xbf"
#define DIGITS  "expected 32, 48 or 64 hexadecimal digits, found "
#define RESTORE "; restore the line from a copy"
#define ID      "expected a key id, or # for a comment, found "
#define WRITE   "; write id;key"
#define HTML    "the file is HTML, such as the error page of a download; a key file has lines id;key"
#define UTF16   "the file is UTF-16; save it as UTF-8 without a byte order mark"
#define PRESSED "the file is compressed; decompress it, or specify the right file"
#define JSON    "the file is JSON; a key file has lines id;key"
#define YAML    "the file is YAML; a key file has lines id;key"
#define OPTIONS "the file is an option file; specify the key file itself"
#define HIDDEN                                                                                     \
  "other bytes are before the first word of this encrypted file; restore it from a copy"
#define RENDER "found a template that was not rendered ({{ }}, {% %} or <% %>); render it"
#define EXPAND                                                                                     \
  "found a variable or command that was not expanded (${ } or $( )); write what it stands for"
#define QUOTES    "found a quote; write id;key without quotes"
#define ALONE     "found a key without an id; write id;key"
#define SEPARATOR "found no semicolon between id and key; write id;key"
#define BEFORE    "found other characters before id;key; remove them"
#define BASE64    "found what may be base64; write the key in hexadecimal digits"
#define NO_KEY    "no line has a key; restore the file from a copy, or specify the right file"
#define TEXT(text)                                                                                 \
  {                                                                                                \
    (const uint8_t *)(text), sizeof(text) - 1                                                      \
  }

/* the place is that of the server's own plugin */
static const struct spoilt {
  kh_bytes text;
  kh_status status;
  unsigned line;
  size_t column;
  const char *hint;
} spoilt[] = {
    /* whole files */
    {TEXT(""), KH_E_NO_SYSTEM_KEY, 0, 1,
     "the file is empty; restore it from a copy, or specify the right file"},
    {TEXT("\xff\xfe"
          "1\0;\0"
          "7\0"),
     KH_E_SYNTAX, 1, 1, UTF16},
    {TEXT("\xfe\xff\0"
          "1\0;\0"
          "7"),
     KH_E_SYNTAX, 1, 1, UTF16},
    {TEXT("1\0;\0"
          "7\0"),
     KH_E_SYNTAX, 1, 2, UTF16},
    {TEXT("\0"
          "1\0;\0"
          "7"),
     KH_E_NO_SYSTEM_KEY, 0, 1, UTF16},
    {TEXT("\0\0\0\0\0\0\0\0"), KH_E_NO_SYSTEM_KEY, 0, 1,
     "a NUL byte, which ends the text, is its first; restore the file from a copy"},
    {TEXT("\x1f\x8b\x08\0x"), KH_E_SYNTAX, 1, 1,
     "the file is compressed by gzip; decompress it with gunzip"},
    {TEXT("\xfd"
          "7zXZ\0"),
     KH_E_SYNTAX, 1, 1, PRESSED},
    {TEXT("\x28\xb5\x2f\xfd"), KH_E_SYNTAX, 1, 1, PRESSED},
    {TEXT("PK\x03\x04"), KH_E_SYNTAX, 1, 1, PRESSED},
    {TEXT("$ANSIBLE_VAULT;1.1;AES256\n66\n"), KH_E_SYNTAX, 1, 1,
     "the file is encrypted by ansible-vault; deploy it decrypted (ansible-vault decrypt)"},
    {TEXT("age-encryption.org/v1\n"), KH_E_SYNTAX, 1, 1,
     "the file is encrypted by age; deploy it decrypted"},
    {TEXT("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), KH_E_SYNTAX, 1, 1,
     "the file is a pointer of Git LFS, not the keys; get them with git lfs pull"},
    {TEXT("-----BEGIN PRIVATE KEY-----\nMIIE\n"), KH_E_SYNTAX, 1, 1,
     "the file is PEM, such as a certificate or a private key; a key file has lines id;key"},
    {TEXT("<?xml version=\"1.0\"?>"), KH_E_SYNTAX, 1, 1,
     "the file is XML; a key file has lines id;key"},
    {TEXT("<!DOCTYPE html>"), KH_E_SYNTAX, 1, 1, HTML},
    {TEXT("<!doctype html>"), KH_E_SYNTAX, 1, 1, HTML},
    {TEXT("<html><body>"), KH_E_SYNTAX, 1, 1, HTML},
    {TEXT(BOM "keyhold-sealed 1\n"), KH_E_SYNTAX, 1, 1, HIDDEN},
    {TEXT("\nSalted__12345678"), KH_E_SYNTAX, 2, 1, HIDDEN},
    {TEXT("{\n  \"1\": \"" K16 "\"\n}\n"), KH_E_SYNTAX, 1, 1, JSON},
    {TEXT("[ {\"id\": 1}]"), KH_E_SYNTAX, 1, 1, JSON},
    {TEXT("---\n1: x\n"), KH_E_SYNTAX, 1, 1, YAML},
    {TEXT("# c\napiVersion: v1\nkind: Secret\n"), KH_E_SYNTAX, 2, 1, YAML},
    {TEXT("keys:\n  - " K16 "\n"), KH_E_SYNTAX, 1, 1, YAML},
    {TEXT("# c\n\n[mariadb]\nplugin_load_add = keyhold_file\n"), KH_E_SYNTAX, 3, 1, OPTIONS},
    {TEXT("file_key_management_filename = /k\n"), KH_E_SYNTAX, 1, 1, OPTIONS},
    {TEXT("\n# 1;" K16 "\n"), KH_E_NO_SYSTEM_KEY, 2, 1, NO_KEY},
    {TEXT("2;" K16), KH_E_NO_SYSTEM_KEY, 1, 1,
     "other keys are there; restore the line 1;key from a copy, or specify the right file"},
    /* lines */
    {TEXT(BOM KEYS), KH_E_SYNTAX, 1, 1,
     "found a byte order mark; save the file as UTF-8 without one"},
    {TEXT(KEYS "\\# keys"), KH_E_SYNTAX, 2, 1,
     "found a backslash before the # of a comment; remove it"},
    {TEXT("1;{{ key }}"), KH_E_KEY_HEX, 1, 3, RENDER},
    {TEXT("{{ id }};{{ key }}"), KH_E_SYNTAX, 1, 1, RENDER},
    {TEXT("1;<%= @key %>"), KH_E_KEY_HEX, 1, 3, RENDER},
    {TEXT("{% for k in keys %}"), KH_E_SYNTAX, 1, 1, RENDER},
    {TEXT("1;${KEY}"), KH_E_KEY_HEX, 1, 3, EXPAND},
    {TEXT("1;$(openssl rand -hex 32)"), KH_E_KEY_HEX, 1, 3, EXPAND},
    {TEXT(";" K16), KH_E_SYNTAX, 1, 1, "the key id before the semicolon is missing; write id;key"},
    {TEXT("\"1;" K16 "\""), KH_E_SYNTAX, 1, 1, QUOTES},
    {TEXT("1;'" K16 "'"), KH_E_KEY_HEX, 1, 3, QUOTES},
    {TEXT("1;0x" K16), KH_E_KEY_HEX, 1, 3, "found 0x before the key; remove it"},
    {TEXT("1;0X" K16), KH_E_KEY_HEX, 1, 3, "found 0x before the key; remove it"},
    {TEXT("0x1;" K16), KH_E_KEY_ID, 1, 2, "found 0x; key ids are decimal"},
    {TEXT(K16), KH_E_SYNTAX, 1, 4, ALONE},
    {TEXT(" " K32), KH_E_SYNTAX, 1, 8, ALONE},
    {TEXT("12345678901234567890123456789012"), KH_E_KEY_ID, 1, 11, ALONE},
    {TEXT("1; " K16), KH_E_KEY_HEX, 1, 3, "found white space after the semicolon; remove it"},
    {TEXT("1;2;\t" K16), KH_E_KEY_HEX, 1, 5, "found white space after the semicolon; remove it"},
    {TEXT("1 ;" K16), KH_E_SYNTAX, 1, 2, "found white space before the semicolon; remove it"},
    {TEXT("1:" K16), KH_E_SYNTAX, 1, 2, SEPARATOR},
    {TEXT("1 = \"" K16), KH_E_SYNTAX, 1, 2, SEPARATOR},
    {TEXT("- 1;" K16), KH_E_SYNTAX, 1, 1, BEFORE},
    {TEXT("KEY=1;" K16), KH_E_SYNTAX, 1, 1, BEFORE},
    {TEXT("1;GXrOyoTPl0pVGhLZv9Sn6w=="), KH_E_KEY_HEX, 1, 3, BASE64},
    {TEXT("1;aGVsbG8gd29ybGQsIGhlbGxvIGFnYWlu"), KH_E_KEY_HEX, 1, 3, BASE64},
    {TEXT("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), KH_E_SYNTAX, 1, 1, BASE64},
    {TEXT("1;0123456789abcdef0123456789abcdeg"), KH_E_KEY_HEX, 1, 33,
     DIGITS "31, then a letter" RESTORE},
    /* what no row knows: the kind of the character alone */
    {TEXT("1;abababababababababababababababababababab"), KH_E_KEY_HEX, 1, 43,
     DIGITS "40, then the end of the line" RESTORE},
    {TEXT("1;" K32 K32 K32 K32), KH_E_KEY_HEX, 1, 67,
     DIGITS "256, then the end of the line" RESTORE},
    {TEXT("1;" K32 K32 K32 K32 "0"), KH_E_KEY_HEX, 1, 67, DIGITS "more than 256" RESTORE},
    {TEXT("1;" K32 K32 K32 K32 "\xa0"), KH_E_KEY_HEX, 1, 67,
     DIGITS "256, then a character that is not ASCII" RESTORE},
    {TEXT("1;"), KH_E_KEY_HEX, 1, 3, DIGITS "the end of the line" RESTORE},
    {TEXT("1;secret"), KH_E_KEY_HEX, 1, 3, DIGITS "a letter" RESTORE},
    {TEXT("1;11.11"), KH_E_KEY_HEX, 1, 5, DIGITS "2, then a punctuation mark" RESTORE},
    {TEXT("1;1\x01"), KH_E_KEY_HEX, 1, 3, DIGITS "1, then a control character" RESTORE},
    {TEXT("words"), KH_E_SYNTAX, 1, 1, ID "a letter" WRITE},
    {TEXT("+1;1"), KH_E_SYNTAX, 1, 1, ID "a punctuation mark" WRITE},
    {TEXT("\xa0"), KH_E_SYNTAX, 1, 1, ID "a character that is not ASCII" WRITE},
    {TEXT("17"), KH_E_SYNTAX, 1, 3,
     "expected a semicolon after the key id, found the end of the line" WRITE},
    {TEXT("17\""), KH_E_SYNTAX, 1, 3, "expected a semicolon after the key id, found a quote" WRITE},
    {TEXT("0;" K16), KH_E_KEY_ID, 1, 2, "expected 1 to 4294967295"},
    {TEXT("4294967296;" K16), KH_E_KEY_ID, 1, 10, "expected 1 to 4294967295"},
};

static void each_spoilt_file_has_its_place_and_its_hint(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(spoilt); i++) {
    kh_keylist *list = NULL;
    kh_fault fault = {0};
    print_message("  %zu: %.20s\n", i, (const char *)spoilt[i].text.data);
    kh_status status =
        kh_keyfile_parse_text("keys", spoilt[i].text, KH_REPEATS_AS_UPSTREAM, NULL, &list, &fault);
    assert_int_equal(status, spoilt[i].status);
    assert_int_equal(fault.line, spoilt[i].line);
    assert_int_equal(fault.column, spoilt[i].column);
    assert_string_equal(fault.quote, spoilt[i].hint);
    assert_null(list);
  }
}

/* a password file, say: no byte of it may be told, nor that it has one of our marks */
static void other_words_are_told_by_their_kind_alone(void **state)
{
  (void)state;
  static const char *const words[] = {
      "hunter2",       "{hunter",   "$hunter", "[hunter", "hunter: 2",
      "-hunter-2;abc", "hunter;22", "(hun)",   "<hun>",   "%h"};
  for (size_t i = 0; i < COUNT(words); i++) {
    kh_keylist *list = NULL;
    kh_fault fault;
    bool is_letter = words[i][0] == 'h';
    assert_int_equal(kh_keyfile_parse_text("keys", bytes_of(words[i]), KH_REPEATS_AS_UPSTREAM, NULL,
                                           &list, &fault),
                     KH_E_SYNTAX);
    assert_string_equal(fault.quote,
                        is_letter ? ID "a letter" WRITE : ID "a punctuation mark" WRITE);
  }
}

static void random_bytes_are_no_known_binary(void **state)
{
  (void)state;
  assert_true(kh_hint_is_known_binary(spoilt[1].text));
  assert_true(kh_hint_is_known_binary(bytes_of("\x1f\x8b\x08")));
  assert_false(kh_hint_is_known_binary((kh_bytes)TEXT("\0\1\2\3\4\5\6\7")));
  assert_false(kh_hint_is_known_binary((kh_bytes)TEXT("\xff\xfe\1\2\3\4\5\6")));
  assert_false(kh_hint_is_known_binary((kh_bytes)TEXT("\x1f\x8b")));
  assert_false(kh_hint_is_known_binary((kh_bytes){NULL, 0}));
}

/* All faults of a text. */
struct heard {
  kh_fault at[KH_FAULTS_MAX + 1];
  size_t count;
};

static void hear_fault(void *user, const kh_fault *fault)
{
  struct heard *heard = user;
  assert_in_range(heard->count, 0, KH_FAULTS_MAX - 1);
  heard->at[heard->count++] = *fault;
}

static kh_status parse_whole(kh_bytes text, struct heard *heard, size_t *ret_count)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_fault first = {0};
  kh_faults faults = {.add = hear_fault, .user = heard};
  heard->count = 0;
  kh_status status = kh_keyfile_parse_whole_text("keys", text, NULL, &faults, &list, &first);
  assert_int_equal(status == KH_OK, list != NULL);
  assert_int_equal(first.status, status);
  assert_in_range(heard->count, 0, faults.count);
  *ret_count = faults.count;
  return status;
}

struct place {
  kh_status status;
  unsigned line;
  size_t column;
};

static void assert_faults(const char *text, const struct place *expected, size_t count)
{
  static struct heard heard;
  size_t all = 0;
  (void)parse_whole(bytes_of(text), &heard, &all);
  assert_int_equal(all, count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(heard.at[i].status, expected[i].status);
    assert_int_equal(heard.at[i].line, expected[i].line);
    assert_int_equal(heard.at[i].column, expected[i].column);
  }
}

#define ASSERT_FAULTS(text, ...)                                                                   \
  assert_faults(text, (const struct place[]){__VA_ARGS__},                                         \
                COUNT(((const struct place[]){__VA_ARGS__})))

static void reading_goes_on_after_a_wrong_line(void **state)
{
  (void)state;
  ASSERT_FAULTS("bad\n" KEYS "2;11\n0;x\n3;0;" K16 "\n4;" K32 ";bits=1\n5;" K16 "\n5;2;" K16,
                {KH_E_SYNTAX, 1, 1}, {KH_E_KEY_HEX, 3, 5}, {KH_E_KEY_ID, 4, 2},
                {KH_E_KEY_VERSION, 5, 4}, {KH_E_ATTRIBUTE_VALUE, 6, 73});
}

static void every_repeated_key_is_told(void **state)
{
  (void)state;
  ASSERT_FAULTS("3;1;" K16 "\n3;1;" K24 "\n1;1;" K16 "\n1;1;" K24 "\n7;1;" K16 "\n7;1;retired\n",
                {KH_E_KEY_DUPLICATE, 4, 1}, {KH_E_KEY_DUPLICATE, 2, 1}, {KH_E_KEY_DUPLICATE, 6, 1});
}

static void key_1_is_missing_only_where_no_wrong_line_may_have_it(void **state)
{
  (void)state;
  ASSERT_FAULTS("1;11\n2;" K16, {KH_E_KEY_HEX, 1, 5});
  ASSERT_FAULTS("bad\n2;" K16, {KH_E_SYNTAX, 1, 1});
  ASSERT_FAULTS(K16 "\n2;" K16, {KH_E_SYNTAX, 1, 4});
  ASSERT_FAULTS("2;11\n3;" K16, {KH_E_KEY_HEX, 1, 5}, {KH_E_NO_SYSTEM_KEY, 2, 1});
}

static void a_file_of_another_kind_has_one_fault(void **state)
{
  (void)state;
  ASSERT_FAULTS("$ANSIBLE_VAULT;1.1;AES256\n66\n66\n", {KH_E_SYNTAX, 1, 1});
  ASSERT_FAULTS("", {KH_E_NO_SYSTEM_KEY, 0, 1});
}

static void a_second_key_in_a_line_is_told(void **state)
{
  (void)state;
  static const char text[] = "1;" K16 ";" K32 "\n2;" K16 "\\n3;" K24 "\n4;" K16 " # 5;" K16
                             "\n6;" K16 " old\n7;" K16 ";1;1\n";
  static struct heard heard;
  static recorder log_heard;
  kh_log log = recorder_log(&log_heard);
  KH_AUTO_KEYLIST list = NULL;
  size_t count = 0;
  assert_int_equal(parse_whole(bytes_of(text), &heard, &count), KH_OK);
  assert_int_equal(count, 2);
  assert_int_equal(heard.at[0].status, KH_E_KEY_REST);
  assert_int_equal(heard.at[0].line, 1);
  assert_int_equal(heard.at[0].column, 35);
  assert_non_null(
      strstr(heard.at[0].quote, "a second key follows, as in id;iv;key of MariaDB 10.1.3"));
  assert_int_equal(heard.at[1].line, 2);
  assert_non_null(strstr(heard.at[1].quote, "another id;key follows in the same line"));
  assert_int_equal(
      kh_keyfile_parse_text("keys", bytes_of(text), KH_REPEATS_AS_UPSTREAM, &log, &list, NULL),
      KH_OK);
  assert_int_equal(log_heard.count[KH_LOG_WARNING], 1);
  assert_true(
      recorder_has(&log_heard, "More than one key at keys line 1, column 35: a second key"));
  assert_true(recorder_has(&log_heard, "(2 such lines)"));
}

static void keys_after_a_nul_are_told(void **state)
{
  (void)state;
  static const char text[] = "1;" K16 "\n\0002;" K16 "\n";
  static struct heard heard;
  static recorder log_heard;
  kh_log log = recorder_log(&log_heard);
  KH_AUTO_KEYLIST list = NULL;
  size_t count = 0;
  kh_bytes bytes = {(const uint8_t *)text, sizeof text - 1};
  assert_int_equal(parse_whole(bytes, &heard, &count), KH_OK);
  assert_int_equal(count, 1);
  assert_int_equal(heard.at[0].status, KH_E_TEXT_NUL);
  assert_int_equal(heard.at[0].line, 2);
  assert_int_equal(heard.at[0].column, 1);
  assert_int_equal(kh_keyfile_parse_text("keys", bytes, KH_REPEATS_AS_UPSTREAM, &log, &list, NULL),
                   KH_OK);
  assert_int_equal(log_heard.count[KH_LOG_WARNING], 1);
  assert_true(recorder_has(&log_heard, "A NUL byte ends the text at keys line 2, column 1"));
}

/* `lines` wrong ones, for free() */
static char *wrong_lines(size_t lines)
{
  char *text = malloc(2 * lines + 1);
  for (size_t i = 0; i < lines; i++)
    memcpy(text + 2 * i, "x\n", 2);
  text[2 * lines] = '\0';
  return text;
}

static void faults_at_their_limit_and_one_past_it(void **state)
{
  (void)state;
  static struct heard heard;
  for (size_t lines = KH_FAULTS_MAX; lines <= KH_FAULTS_MAX + 1; lines++) {
    char *text = wrong_lines(lines);
    size_t count = 0;
    assert_int_equal(parse_whole(bytes_of(text), &heard, &count), KH_E_SYNTAX);
    assert_int_equal(count, lines);
    assert_int_equal(heard.count, KH_FAULTS_MAX);
    free(text);
  }
}

/* Every row looks at the beginning of a file and a line alone: else this would not end in time. */
static void a_hostile_file_is_read_to_its_end(void **state)
{
  (void)state;
  enum { SIZE = 1 << 20 };
  static const char *const begins[] = {"1;", "1;{{",          "{{", "1", " ",
                                       "\\", ("1;" K16 ";1"), "a:", "#"};
  static struct heard heard;
  size_t count = 0;
  char *text = malloc(SIZE);
  for (size_t i = 0; i < COUNT(begins); i++) {
    size_t len = strlen(begins[i]);
    for (size_t at = 0; at < SIZE; at++)
      text[at] = begins[i][at % len];
    (void)parse_whole((kh_bytes){(const uint8_t *)text, SIZE}, &heard, &count);
  }
  free(text);
  text = wrong_lines(SIZE / 2);
  assert_int_equal(parse_whole(bytes_of(text), &heard, &count), KH_E_SYNTAX);
  assert_int_equal(count, SIZE / 2);
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_spoilt_file_has_its_place_and_its_hint),
      cmocka_unit_test(other_words_are_told_by_their_kind_alone),
      cmocka_unit_test(random_bytes_are_no_known_binary),
      cmocka_unit_test(reading_goes_on_after_a_wrong_line),
      cmocka_unit_test(every_repeated_key_is_told),
      cmocka_unit_test(key_1_is_missing_only_where_no_wrong_line_may_have_it),
      cmocka_unit_test(a_file_of_another_kind_has_one_fault),
      cmocka_unit_test(a_second_key_in_a_line_is_told),
      cmocka_unit_test(keys_after_a_nul_are_told),
      cmocka_unit_test(faults_at_their_limit_and_one_past_it),
      cmocka_unit_test(a_hostile_file_is_read_to_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
