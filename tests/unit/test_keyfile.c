/* SPDX-License-Identifier: GPL-2.0-only */
/* needs: openssl */
/* slow: reads files of the largest size */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engines.h"
#include "files.h"
#include "keyhold/keyfile.h"
#include "recorder.h"
#include "unit.h"

#define KEY "770A8A65DA156D24EE2A093277530142"

static recorder heard;

static kh_status load(const char *path, const char *filekey, kh_keyfile **file, kh_fault *fault)
{
  kh_log log = recorder_log(&heard);
  kh_keyfile_options options = {.path = path, .filekey = filekey, .digest = KH_DIGEST_SHA256};
  return kh_keyfile_open(&options, test_engines, &log, file, fault);
}

static void assert_refused(const char *path, const char *filekey, kh_status expected)
{
  kh_keyfile *file = NULL;
  kh_fault fault = {0};
  assert_int_equal(load(path, filekey, &file, &fault), expected);
  assert_int_equal(fault.status, expected);
  assert_null(file);
}

static void assert_format(const kh_keyfile *file, const kh_keyfile_format *format)
{
  assert_ptr_equal(kh_keyfile_format_of(file), format);
}

static const char *encrypted(const char *name, const char *text, const char *passphrase)
{
  const char *path = test_path(name);
  test_run("openssl enc -aes-256-cbc -md sha256 -pass file:'%s' -in '%s' -out '%s' 2>/dev/null && "
           "chmod 600 '%s'",
           test_text("pass", passphrase, 0600), test_text("text", text, 0600), path, path);
  return path;
}

static void a_text_file(void **state)
{
  (void)state;
  KH_AUTO_KEYFILE file = NULL;
  assert_int_equal(load(test_text("keys", "1;" KEY "\n", 0600), NULL, &file, NULL), KH_OK);
  assert_format(file, &kh_keyfile_format_text);
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(file)), 1);
  assert_string_equal(heard.text, "");
}

static void an_encrypted_file(void **state)
{
  (void)state;
  KH_AUTO_KEYFILE file = NULL;
  KH_AUTO_KEYFILE again = NULL;
  const char *path = encrypted("enc", "1;" KEY "\n", "secret");
  char filekey[1024];
  assert_int_equal(load(path, "secret", &file, NULL), KH_OK);
  assert_format(file, &kh_keyfile_format_openssl);
  snprintf(filekey, sizeof filekey, "FILE:%s", test_text("pass", "secret\n", 0600));
  assert_int_equal(load(path, filekey, &again, NULL), KH_OK);
  assert_string_equal(heard.text, "");
}

static void a_passphrase_that_is_given(void **state)
{
  (void)state;
  kh_secret *passphrase = NULL;
  const char *path = encrypted("enc", "1;" KEY "\n", "secret");
  kh_keyfile_options options = {
      .path = path, .filekey = "FILE:/is/not/read", .digest = KH_DIGEST_SHA256};
  assert_int_equal(kh_secret_new(6, &passphrase), KH_OK);
  memcpy(kh_secret_data(passphrase), "secret", 6);
  kh_secret_set_len(passphrase, 6);
  options.passphrase = passphrase;
  KH_AUTO_KEYFILE file = NULL;
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, NULL), KH_OK);
  assert_memory_equal(kh_secret_bytes(passphrase).data, "secret", 6); /* the caller still owns it */

  kh_keyfile *none = NULL;
  kh_secret_set_len(passphrase, 0); /* the empty one is one too */
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &none, NULL),
                   KH_E_WRONG_PASSPHRASE);
  options.path = test_text("keys", "1;" KEY "\n", 0600);
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &none, NULL), KH_E_NOT_ENCRYPTED);
  kh_secret_free(&passphrase);
}

static void what_a_file_is_before_it_is_opened(void **state)
{
  (void)state;
  const kh_keyfile_format *format = NULL;
  kh_fault fault = {0};
  assert_int_equal(kh_keyfile_recognise(encrypted("enc", "1;" KEY "\n", "a"), &format, NULL),
                   KH_OK);
  assert_ptr_equal(format, &kh_keyfile_format_openssl);
  assert_true(format->is_encrypted);
  assert_int_equal(kh_keyfile_recognise(test_text("keys", "no key file", 0600), &format, NULL),
                   KH_OK);
  assert_ptr_equal(format, &kh_keyfile_format_text);
  assert_false(format->is_encrypted);
  assert_int_equal(kh_keyfile_recognise(test_path("missing"), &format, &fault),
                   KH_E_FILE_NOT_FOUND);
  assert_string_equal(fault.path.text, test_path("missing"));
  assert_ptr_equal(format, &kh_keyfile_format_text);
}

static void the_stamp_is_that_of_the_file(void **state)
{
  (void)state;
  const char *paths[] = {test_text("keys", "1;" KEY "\n", 0600),
                         encrypted("enc", "1;" KEY "\n", "secret")};
  for (size_t i = 0; i < COUNT(paths); i++) {
    KH_AUTO_KEYFILE file = NULL;
    kh_file_stamp stamp;
    assert_int_equal(load(paths[i], i == 0 ? NULL : "secret", &file, NULL), KH_OK);
    assert_int_equal(kh_file_stamp_of(paths[i], &stamp, NULL), KH_OK);
    kh_file_stamp found = kh_keyfile_stamp(file);
    assert_true(kh_file_is_same(&stamp, &found));
  }
}

static void whether_the_last_line_has_an_end(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    size_t len;
    bool ends_line;
  } cases[] = {
      {"1;" KEY, 34, false},           {"1;" KEY "\n", 35, true},
      {"1;" KEY "\r", 35, false},      {"1;" KEY "\r\n", 36, true},
      {"1;" KEY "\n\n", 36, true},     {"1;" KEY "\n ", 36, false},
      {"1;" KEY "\n\0junk", 40, true}, {"1;" KEY "\0junk\n", 40, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    KH_AUTO_KEYFILE file = NULL;
    const char *path = test_file("keys", cases[i].text, cases[i].len, 0600);
    assert_int_equal(load(path, NULL, &file, NULL), KH_OK);
    assert_int_equal(kh_keyfile_ends_line(file), cases[i].ends_line);
  }
}

static void an_encrypted_file_is_never_unfinished(void **state)
{
  (void)state;
  KH_AUTO_KEYFILE file = NULL;
  assert_int_equal(load(encrypted("enc", "1;" KEY, "secret"), "secret", &file, NULL), KH_OK);
  assert_true(kh_keyfile_ends_line(file));
}

static void passphrase_and_file_must_fit(void **state)
{
  (void)state;
  const char *plain = test_text("keys", "1;" KEY "\n", 0600);
  const char *path = encrypted("enc", "1;" KEY "\n", "secret");
  assert_refused(plain, "secret", KH_E_NOT_ENCRYPTED);
  assert_refused(path, NULL, KH_E_NO_PASSPHRASE);
  assert_refused(path, "wrong", KH_E_WRONG_PASSPHRASE);
  assert_true(
      recorder_has(&heard, "the passphrase of filekey, digest sha256 and 0 PBKDF2 iterations"));
  assert_refused(path, "FILE:/nonexistent", KH_E_FILE_NOT_FOUND);
  assert_int_equal(heard.count[KH_LOG_HINT], 0);
  assert_refused(path, "ENV:KEYHOLD_NOT_SET", KH_E_SOURCE_VARIABLE);
  assert_true(recorder_has(&heard, "if this is the passphrase itself, put it into a file"));
}

/* Wrong passphrases whose padding is right by chance must all be reported as wrong passphrases. */
static void a_wrong_passphrase_is_never_a_syntax_error(void **state)
{
  (void)state;
  const char *path = encrypted("enc", "1;" KEY "\n2;" KEY "\n", "secret");
  for (unsigned i = 0; i < 3000; i++) {
    char wrong[32];
    snprintf(wrong, sizeof wrong, "wrong%u", i);
    assert_refused(path, wrong, KH_E_WRONG_PASSPHRASE);
  }
}

static void an_error_inside_an_encrypted_file_names_its_place(void **state)
{
  (void)state;
  kh_keyfile *file = NULL;
  kh_fault fault;
  const char *path = encrypted("enc", "# k\xc3\xa9y \xe9\n1;" KEY "\n3:bad\n", "secret");
  assert_int_equal(load(path, "secret", &file, &fault), KH_E_SYNTAX);
  assert_int_equal(fault.line, 3);
  assert_int_equal(fault.column, 2);
  assert_string_equal(fault.path.text, path);
}

static void a_text_file_with_odd_bytes_has_a_syntax_error(void **state)
{
  (void)state;
  assert_refused(test_text("keys", "1;" KEY "\n\x01\n", 0600), NULL, KH_E_SYNTAX);
}

static void the_size_limit_and_one_past_it(void **state)
{
  (void)state;
  char *text = malloc(KH_KEYFILE_MAX + 1);
  KH_AUTO_KEYFILE file = NULL;
  kh_fault fault;
  memset(text, '\n', KH_KEYFILE_MAX + 1);
  memcpy(text, "1;" KEY, 34);
  assert_int_equal(load(test_file("keys", text, KH_KEYFILE_MAX, 0600), NULL, &file, &fault), KH_OK);
  kh_keyfile_free(&file);
  assert_int_equal(load(test_file("keys", text, KH_KEYFILE_MAX + 1, 0600), NULL, &file, &fault),
                   KH_E_FILE_TOO_LARGE);
  assert_int_equal(fault.size, KH_KEYFILE_MAX + 1);
  assert_int_equal(fault.limit, KH_KEYFILE_MAX);
  free(text);
}

static void names_that_are_not_files(void **state)
{
  (void)state;
  mkdir(test_path("folder"), 0700);
  mkfifo(test_path("fifo"), 0600);
  assert_refused(test_path("missing"), NULL, KH_E_FILE_NOT_FOUND);
  assert_refused(test_path("folder"), NULL, KH_E_FILE_DIRECTORY);
  assert_refused(test_path("fifo"), NULL, KH_E_FILE_FIFO);
}

static void a_file_open_to_others_is_warned_of_with_its_mode(void **state)
{
  (void)state;
  static const mode_t modes[] = {0600, 0640, 0644, 0606};
  for (size_t i = 0; i < COUNT(modes); i++) {
    KH_AUTO_KEYFILE file = NULL;
    char mode[16];
    snprintf(mode, sizeof mode, "mode %04o", (unsigned)modes[i]);
    assert_int_equal(load(test_text("keys", "1;" KEY "\n", modes[i]), NULL, &file, NULL), KH_OK);
    assert_int_equal(heard.count[KH_LOG_WARNING], i < 2 ? 0 : 1);
    assert_int_equal(recorder_has(&heard, mode), i < 2 ? 0 : 1);
  }
}

/* the modes of the key file and of the passphrase file */
static kh_status load_strictly(mode_t mode, mode_t passphrase_mode, kh_fault *fault)
{
  KH_AUTO_KEYFILE file = NULL;
  char filekey[1024];
  const char *path = encrypted("sealed", "1;" KEY "\n", "secret");
  assert_int_equal(chmod(path, mode), 0);
  snprintf(filekey, sizeof filekey, "FILE:%s", test_text("pass", "secret", passphrase_mode));
  kh_keyfile_options options = {.path = path,
                                .filekey = filekey,
                                .permissions = KH_PERMISSIONS_STRICT,
                                .digest = KH_DIGEST_SHA256};
  return kh_keyfile_open(&options, test_engines, NULL, &file, fault);
}

static void strict_permissions_are_for_both_files(void **state)
{
  (void)state;
  kh_fault fault;
  assert_int_equal(load_strictly(0600, 0640, NULL), KH_OK);
  assert_int_equal(load_strictly(0604, 0600, &fault), KH_E_FILE_UNSAFE);
  assert_string_equal(fault.path.text, test_path("sealed"));
  assert_int_equal(fault.mode & 07777, 0604);
  assert_int_equal(load_strictly(0600, 0660, &fault), KH_E_FILE_UNSAFE);
  assert_string_equal(fault.path.text, test_path("pass"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_text_file),
      cmocka_unit_test(an_encrypted_file),
      cmocka_unit_test(a_passphrase_that_is_given),
      cmocka_unit_test(what_a_file_is_before_it_is_opened),
      cmocka_unit_test(the_stamp_is_that_of_the_file),
      cmocka_unit_test(whether_the_last_line_has_an_end),
      cmocka_unit_test(an_encrypted_file_is_never_unfinished),
      cmocka_unit_test(passphrase_and_file_must_fit),
      cmocka_unit_test(a_wrong_passphrase_is_never_a_syntax_error),
      cmocka_unit_test(an_error_inside_an_encrypted_file_names_its_place),
      cmocka_unit_test(a_text_file_with_odd_bytes_has_a_syntax_error),
      cmocka_unit_test(the_size_limit_and_one_past_it),
      cmocka_unit_test(names_that_are_not_files),
      cmocka_unit_test(a_file_open_to_others_is_warned_of_with_its_mode),
      cmocka_unit_test(strict_permissions_are_for_both_files),
  };
  return cmocka_run_group_tests(tests, test_engines_open, test_engines_close);
}
