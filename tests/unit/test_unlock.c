/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/unlock.h"
#include "recorder.h"
#include "unit.h"

static recorder heard;

static kh_status unlock(const char *filekey, kh_secret **passphrase, kh_fault *fault)
{
  kh_log log = recorder_log(&heard);
  static const kh_unlock_how how = {.permissions = KH_PERMISSIONS_WARN};
  return kh_unlock(filekey, &how, &log, passphrase, fault);
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

static void without_a_setting_there_is_no_passphrase(void **state)
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

/* Each looks like the name of a source. The value is not in the warning. */
static void a_literal_that_looks_like_a_source_is_doubted(void **state)
{
  (void)state;
  const char *here = test_text("s3cr3t-name", "x", 0600);
  const struct {
    const char *filekey;
    const char *look; /* NULL: no doubt */
  } cases[] = {
      {"/etc/s3cr3t", "looks like a path; to read the passphrase from a file, write FILE:/path"},
      {"./s3cr3t", "looks like a path"},
      {"../s3cr3t", "looks like a path"},
      {"~/s3cr3t", "begins with '~'"},
      {"~mysql/s3cr3t", "begins with '~'"},
      {"'FILE:/s3cr3t'", "is in quotation marks"},
      {"\"s3cr3t\"", "is in quotation marks"},
      {"file:/s3cr3t", "begins like 'FILE:', in another case or after white space"},
      {"File:/s3cr3t", "begins like 'FILE:'"},
      {" FILE:/s3cr3t", "begins like 'FILE:'"},
      {"env:S3CR3T", "begins like 'ENV:'"},
      {"Exec:/s3cr3t", "begins like 'EXEC:'"},
      {"credential:s3cr3t", "begin it with CREDENTIAL: in capitals"},
      {"socket:/s3cr3t", "begins like 'SOCKET:'"},
      {strrchr(here, '/') + 1, "is the name of an existing file"},
      {"s3cr3t", NULL},
      {"'s3cr3t", NULL},
      {"FILE", NULL},
      {"a/s3cr3t", NULL},
      {"/", NULL},
      {"/s3cr3tInBase64+/A==", NULL},
      {"FILE:/s3cr3t", NULL}, /* a source */
      {"ENV:S3CR3T", NULL},
      {"", NULL},
      {NULL, NULL},
  };
  char folder[1024];
  char before[1024];
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(here, '/') - here), here);
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(folder), 0);
  for (size_t i = 0; i < COUNT(cases); i++) {
    char sentence[KH_ADVICE_MAX] = "untouched";
    kh_secret *passphrase = NULL;
    print_message("  %s\n", cases[i].filekey);
    assert_int_equal(kh_unlock_doubt_literal(cases[i].filekey, sentence), cases[i].look != NULL);
    assert_non_null(strstr(sentence, cases[i].look == NULL ? "untouched" : cases[i].look));
    assert_null(strcasestr(sentence, "s3cr3t"));
    if (cases[i].look == NULL)
      continue;
    assert_int_equal(unlock(cases[i].filekey, &passphrase, NULL), KH_OK);
    assert_true(recorder_has(&heard, cases[i].look));
    assert_int_equal(heard.count[KH_LOG_WARNING], 2);
    assert_null(strcasestr(heard.text, "s3cr3t"));
    kh_secret_free(&passphrase);
  }
  assert_int_equal(chdir(before), 0);
}

static void what_is_unusual_in_a_passphrase_is_named(void **state)
{
  (void)state;
  static const struct {
    const char *passphrase;
    bool has_cr;
    const char *sentence;
  } cases[] = {
      {"s3cr3t\n# note", false,
       "The passphrase has 2 lines, of which 'openssl enc -pass file:' reads the first"},
      {"s3cr3t", true,
       "The passphrase has a line end CR LF, of which 'openssl enc -pass file:' "
       "keeps the CR"},
      {"\xEF\xBB\xBFs3cr3t", false, "The passphrase begins with a byte order mark"},
      {"\xFF\xFEs", false, "The passphrase begins with a byte order mark"},
      {"# s3cr3t ", false, "The passphrase begins with '#', ends with white space"},
      {"\ts3cr3t", false, "The passphrase begins with white space"},
      {"\"s3cr3t\"", false, "The passphrase is in quotation marks"},
      {"s3\rcr3t", false, "The passphrase has a carriage return in it"},
      {"s3cr3t", false, NULL},
      {"", false, NULL},
      {"\"", false, NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char sentence[KH_ADVICE_MAX] = "untouched";
    const char *expected = cases[i].sentence;
    assert_int_equal(
        kh_unlock_describe_passphrase(bytes_of(cases[i].passphrase), cases[i].has_cr, sentence),
        expected != NULL);
    assert_string_equal(sentence, expected != NULL ? expected : "untouched");
  }
}

/* Facts that do not fit are left out whole. */
static void too_many_facts(void **state)
{
  (void)state;
  char sentence[KH_ADVICE_MAX + 1] = "";
  memset(sentence, 'x', KH_ADVICE_MAX);
  assert_true(kh_unlock_describe_passphrase(bytes_of("# a\r\nb "), true, sentence));
  assert_string_equal(sentence,
                      "The passphrase has 2 lines, of which 'openssl enc -pass file:' reads the "
                      "first, has a line end CR LF, of which 'openssl enc -pass file:' keeps the "
                      "CR, begins with '#', ends with white space");
}

static void a_carriage_return_that_is_cut_is_noted(void **state)
{
  (void)state;
  static const struct {
    const char *content;
    bool has_cr;
  } cases[] = {{"x\r\n", true},   {"x\r", true}, {"x\r\n\n", true}, {"x\n", false},
               {"x\ry\n", false}, {"x", false},  {"", false}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    bool has_cr = false;
    kh_unlock_how how = {.permissions = KH_PERMISSIONS_WARN, .ret_has_cr = &has_cr};
    kh_secret *passphrase = NULL;
    char filekey[1024];
    snprintf(filekey, sizeof filekey, "FILE:%s", test_text("pw", cases[i].content, 0600));
    assert_int_equal(kh_unlock(filekey, &how, NULL, &passphrase, NULL), KH_OK);
    assert_int_equal(has_cr, cases[i].has_cr);
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

static void a_nul_ends_the_passphrase_and_is_logged(void **state)
{
  (void)state;
  assert_from_file("sec\0ret\n", 8, "sec", 3);
  assert_true(recorder_has(&heard, "after 3 bytes, at a NUL byte"));
  assert_from_file("sec\n\0ret\n", 9, "sec\n", 4);
  assert_from_file("secret\n", 7, "secret", 6);
  assert_false(recorder_has(&heard, "NUL"));
}

static void an_empty_file_is_the_empty_passphrase_and_is_logged(void **state)
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
  content[3] = '\0'; /* as in the server's own plugin, the length is checked before the NUL */
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

/* a pipe that has these bytes and ends after them */
static int pipe_with(const char *content, size_t len)
{
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], content, len), len);
  close(ends[1]);
  return ends[0];
}

static kh_status unlock_fd(const char *content, size_t len, kh_secret **passphrase, kh_fault *fault)
{
  int fd = pipe_with(content, len);
  kh_log log = recorder_log(&heard);
  kh_status status = kh_unlock_fd(fd, "file descriptor 3", &log, passphrase, fault);
  assert_int_equal(close(fd), 0); /* it is still open */
  return status;
}

static void assert_from_fd(const char *content, size_t len, const char *expected)
{
  kh_secret *passphrase = NULL;
  assert_int_equal(unlock_fd(content, len, &passphrase, NULL), KH_OK);
  assert_int_equal(kh_secret_bytes(passphrase).len, strlen(expected));
  assert_memory_equal(kh_secret_bytes(passphrase).data, expected, strlen(expected));
  kh_secret_free(&passphrase);
}

static void a_descriptor_follows_the_same_rules(void **state)
{
  (void)state;
  assert_from_fd("secret", 6, "secret");
  assert_from_fd("sec\nret \r\n\n", 11, "sec\nret ");
  assert_false(recorder_has(&heard, "NUL"));
  assert_from_fd("sec\0ret\n", 8, "sec");
  assert_true(recorder_has(&heard, "'file descriptor 3' ends after 3 bytes, at a NUL byte"));
  assert_false(recorder_has(&heard, "sec\n"));
}

static void an_empty_descriptor_is_refused(void **state)
{
  (void)state;
  static const char *const contents[] = {"", "\n\r\n", "\0abc"};
  static const size_t lens[] = {0, 3, 4};
  for (size_t i = 0; i < COUNT(contents); i++) {
    kh_secret *passphrase = NULL;
    kh_fault fault;
    assert_int_equal(unlock_fd(contents[i], lens[i], &passphrase, &fault), KH_E_SOURCE_EMPTY);
    assert_string_equal(fault.path.text, "file descriptor 3");
    assert_null(passphrase);
  }
}

static void a_descriptor_at_its_limits_and_one_past_them(void **state)
{
  (void)state;
  char content[KH_SECRET_STREAM_MAX + 1];
  char expected[KH_SECRET_FILE_MAX + 1] = "";
  kh_secret *passphrase = NULL;
  kh_fault fault;
  memset(content, '\n', sizeof content);
  memset(content, 'x', KH_SECRET_FILE_MAX);
  memset(expected, 'x', KH_SECRET_FILE_MAX);
  assert_from_fd(content, KH_SECRET_STREAM_MAX, expected);
  assert_int_equal(unlock_fd(content, sizeof content, &passphrase, &fault), KH_E_SECRET_TOO_LONG);
  assert_int_equal(fault.limit, KH_SECRET_FILE_MAX);
  content[KH_SECRET_FILE_MAX] = 'x';
  assert_int_equal(unlock_fd(content, KH_SECRET_FILE_MAX + 1, &passphrase, &fault),
                   KH_E_SECRET_TOO_LONG);
  assert_null(passphrase);
}

static void a_descriptor_that_cannot_be_read(void **state)
{
  (void)state;
  kh_secret *passphrase = NULL;
  kh_fault fault;
  assert_int_equal(kh_unlock_fd(-1, "x", NULL, &passphrase, &fault), KH_E_FILE_READ);
  assert_int_equal(fault.os_error, EBADF);
  int folder = open("/", O_RDONLY | O_DIRECTORY);
  assert_int_equal(kh_unlock_fd(folder, "x", NULL, &passphrase, &fault), KH_E_FILE_READ);
  assert_int_equal(fault.os_error, EISDIR);
  close(folder);
  assert_null(passphrase);
}

static void which_settings_are_literal(void **state)
{
  (void)state;
  assert_false(kh_unlock_is_literal("FILE:pass"));
  assert_false(kh_unlock_is_literal("FILE:"));
  assert_true(kh_unlock_is_literal("file:pass"));
  assert_true(kh_unlock_is_literal("secret"));
  assert_true(kh_unlock_is_literal(""));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_setting_there_is_no_passphrase),
      cmocka_unit_test(anything_else_is_the_passphrase),
      cmocka_unit_test(a_literal_that_looks_like_a_source_is_doubted),
      cmocka_unit_test(what_is_unusual_in_a_passphrase_is_named),
      cmocka_unit_test(too_many_facts),
      cmocka_unit_test(a_carriage_return_that_is_cut_is_noted),
      cmocka_unit_test(a_literal_at_its_limit_and_one_past_it),
      cmocka_unit_test(line_ends_at_the_end_do_not_count),
      cmocka_unit_test(a_nul_ends_the_passphrase_and_is_logged),
      cmocka_unit_test(an_empty_file_is_the_empty_passphrase_and_is_logged),
      cmocka_unit_test(a_file_at_the_limit_and_one_past_it),
      cmocka_unit_test(files_that_cannot_be_read),
      cmocka_unit_test(a_file_open_to_others_is_warned_of_with_its_mode),
      cmocka_unit_test(a_descriptor_follows_the_same_rules),
      cmocka_unit_test(an_empty_descriptor_is_refused),
      cmocka_unit_test(a_descriptor_at_its_limits_and_one_past_them),
      cmocka_unit_test(a_descriptor_that_cannot_be_read),
      cmocka_unit_test(which_settings_are_literal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
