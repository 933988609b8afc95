/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "keyhold/unlock.h"
#include "recorder.h"
#include "unit.h"

static recorder heard;

static kh_status unlock(const char *filekey, kh_secret **passphrase, kh_fault *fault)
{
  kh_log log = recorder_log(&heard);
  return kh_unlock(filekey, &log, passphrase, fault);
}

/* the passphrase that FILE: makes of a file's content must be `expected` */
static void assert_from_file(const char *content, size_t len, const char *expected,
                             size_t expected_len)
{
  kh_secret *passphrase = NULL;
  char filekey[1024];
  snprintf(filekey, sizeof filekey, "FILE:%s", test_file("pw", content, len, 0600));
  assert_int_equal(unlock(filekey, &passphrase, NULL), KH_OK);
  assert_int_equal(kh_secret_bytes(passphrase).len, expected_len);
  assert_memory_equal(kh_secret_bytes(passphrase).data, expected, expected_len);
  kh_secret_free(&passphrase);
}

static void no_setting_is_no_passphrase(void **state)
{
  (void)state;
  kh_secret *passphrase = (kh_secret *)1;
  assert_int_equal(unlock(NULL, &passphrase, NULL), KH_OK);
  assert_null(passphrase);
  passphrase = (kh_secret *)1;
  assert_int_equal(unlock("", &passphrase, NULL), KH_OK);
  assert_null(passphrase);
}

static void anything_else_is_the_passphrase(void **state)
{
  (void)state;
  static const char *const literals[] = {"secret",  "file:x",   "FILE",
                                         "File:/x", " FILE:/x", "ENVIRONMENT:x"};
  for (size_t i = 0; i < COUNT(literals); i++) {
    kh_secret *passphrase = NULL;
    assert_int_equal(unlock(literals[i], &passphrase, NULL), KH_OK);
    assert_int_equal(kh_secret_bytes(passphrase).len, strlen(literals[i]));
    assert_memory_equal(kh_secret_bytes(passphrase).data, literals[i], strlen(literals[i]));
    kh_secret_free(&passphrase);
  }
}

static void a_literal_at_its_limit_and_one_past_it(void **state)
{
  (void)state;
  char *literal = malloc(KH_SECRET_LITERAL_MAX + 2);
  kh_secret *passphrase = NULL;
  kh_fault fault;
  memset(literal, 'x', KH_SECRET_LITERAL_MAX + 1);
  literal[KH_SECRET_LITERAL_MAX + 1] = '\0';
  assert_int_equal(unlock(literal, &passphrase, &fault), KH_E_SECRET_TOO_LONG);
  assert_int_equal(fault.limit, KH_SECRET_LITERAL_MAX);
  literal[KH_SECRET_LITERAL_MAX] = '\0';
  assert_int_equal(unlock(literal, &passphrase, &fault), KH_OK);
  kh_secret_free(&passphrase);
  free(literal);
}

static void line_ends_at_the_end_do_not_count(void **state)
{
  (void)state;
  assert_from_file("secret", 6, "secret", 6);
  assert_from_file("secret\n", 7, "secret", 6);
  assert_from_file("secret\r\n\n\r", 10, "secret", 6);
  assert_from_file("sec\nret \n", 9, "sec\nret ", 8);
  assert_from_file("\nsecret", 7, "\nsecret", 7);
}

static void a_nul_ends_the_passphrase_and_is_said(void **state)
{
  (void)state;
  assert_from_file("sec\0ret\n", 8, "sec", 3);
  assert_true(recorder_has(&heard, "NUL after 3 bytes"));
  assert_from_file("sec\n\0ret\n", 9, "sec\n", 4);
  assert_from_file("secret\n", 7, "secret", 6);
  assert_false(recorder_has(&heard, "NUL"));
}

static void an_empty_file_is_the_empty_passphrase_and_is_said(void **state)
{
  (void)state;
  assert_from_file("", 0, "", 0);
  assert_true(recorder_has(&heard, "only line ends"));
  assert_from_file("\n\r\n", 3, "", 0);
  assert_true(recorder_has(&heard, "only line ends"));
  assert_from_file("\0abc", 4, "", 0);
  assert_true(recorder_has(&heard, "begins with a NUL"));
}

static void a_file_at_the_limit_and_one_past_it(void **state)
{
  (void)state;
  char content[KH_SECRET_FILE_MAX + 20];
  char filekey[1024];
  kh_secret *passphrase = NULL;
  kh_fault fault;
  memset(content, 'x', sizeof content);
  assert_from_file(content, KH_SECRET_FILE_MAX, content, KH_SECRET_FILE_MAX);
  memset(content + KH_SECRET_FILE_MAX, '\n', 20);
  assert_from_file(content, sizeof content, content, KH_SECRET_FILE_MAX);
  content[KH_SECRET_FILE_MAX] = 'x';
  snprintf(filekey, sizeof filekey, "FILE:%s",
           test_file("pw", content, KH_SECRET_FILE_MAX + 1, 0600));
  assert_int_equal(unlock(filekey, &passphrase, &fault), KH_E_SECRET_TOO_LONG);
  assert_int_equal(fault.limit, KH_SECRET_FILE_MAX);
  assert_string_equal(fault.path.text, filekey + 5);
  content[3] = '\0'; /* as in the server's own plugin, the length counts before the NUL does */
  test_file("pw", content, KH_SECRET_FILE_MAX + 1, 0600);
  assert_int_equal(unlock(filekey, &passphrase, &fault), KH_E_SECRET_TOO_LONG);
  assert_null(passphrase);
}

static void files_that_cannot_be_read(void **state)
{
  (void)state;
  char filekey[1024];
  kh_secret *passphrase = NULL;
  kh_fault fault;
  snprintf(filekey, sizeof filekey, "FILE:%s", test_path("missing"));
  assert_int_equal(unlock(filekey, &passphrase, &fault), KH_E_FILE_NOT_FOUND);
  assert_string_equal(fault.path.text, test_path("missing"));
  assert_int_equal(unlock("FILE:", &passphrase, &fault), KH_E_FILE_NOT_FOUND);
  assert_int_equal(unlock("FILE:/", &passphrase, &fault), KH_E_FILE_DIRECTORY);
  assert_null(passphrase);
}

static void a_file_open_to_others_is_warned_of_with_its_mode(void **state)
{
  (void)state;
  static const mode_t modes[] = {0600, 0640, 0644, 0602};
  for (size_t i = 0; i < COUNT(modes); i++) {
    kh_secret *passphrase = NULL;
    char filekey[1024];
    char mode[16];
    snprintf(filekey, sizeof filekey, "FILE:%s", test_text("open", "secret", modes[i]));
    snprintf(mode, sizeof mode, "mode %04o", (unsigned)modes[i]);
    assert_int_equal(unlock(filekey, &passphrase, NULL), KH_OK);
    assert_int_equal(heard.count[KH_LOG_WARNING], i < 2 ? 0 : 1);
    assert_int_equal(recorder_has(&heard, mode), i < 2 ? 0 : 1);
    assert_false(recorder_has(&heard, "secret"));
    kh_secret_free(&passphrase);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_setting_is_no_passphrase),
      cmocka_unit_test(anything_else_is_the_passphrase),
      cmocka_unit_test(a_literal_at_its_limit_and_one_past_it),
      cmocka_unit_test(line_ends_at_the_end_do_not_count),
      cmocka_unit_test(a_nul_ends_the_passphrase_and_is_said),
      cmocka_unit_test(an_empty_file_is_the_empty_passphrase_and_is_said),
      cmocka_unit_test(a_file_at_the_limit_and_one_past_it),
      cmocka_unit_test(files_that_cannot_be_read),
      cmocka_unit_test(a_file_open_to_others_is_warned_of_with_its_mode),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
