/* SPDX-License-Identifier: GPL-2.0-only */
/* needs: openssl */
/* slow: derives keys with many iterations */
/* wraps: kh_kdf_openssl_enc */
/* How a file was made that does not open. The files are made by the openssl command, as users make
 * them. */
#include <stdio.h>
#include <string.h>

#include "core/keyfile/guess.h"
#include "engines.h"
#include "files.h"
#include "keyhold/clock.h"
#include "keyhold/enc.h"
#include "keyhold/file.h"
#include "keyhold/store_file.h"
#include "recorder.h"
#include "unit.h"
#include "wrap.h"

#define KEY "770A8A65DA156D24EE2A093277530142"

static unsigned derivations;
static unsigned expensive; /* with 600000 iterations */

kh_status __real_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived);
kh_status __wrap_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived);

kh_status __wrap_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived)
{
  derivations++;
  expensive += iterations == 600000;
  return __real_kh_kdf_openssl_enc(passphrase, salt, digest, iterations, ret_derived);
}

static const char *make(const char *text, const char *passphrase_file, const char *options)
{
  const char *pw = test_text("pw", passphrase_file, 0600);
  const char *plain = test_text("plain", text, 0600);
  const char *enc = test_path("enc");
  test_run("openssl enc %s -pass file:'%s' -in '%s' -out '%s' 2>/dev/null; chmod 600 '%s'", options,
           pw, plain, enc, enc);
  return enc;
}

/* what is said about a file that is opened with digest sha1 and these iterations */
static const char *guess_of(const char *path, const char *passphrase, uint32_t iterations)
{
  static char advice[KH_ADVICE_MAX];
  kh_keyfile_options options = {.path = path, .pbkdf2_iterations = iterations};
  KH_AUTO_SECRET file = NULL;
  assert_int_equal(kh_file_read(path, KH_KEYFILE_MAX, KH_FILE_REGULAR, &file, NULL, NULL), KH_OK);
  assert_true(kh_guess_how_made(&options, kh_secret_bytes(file), bytes_of(passphrase), 0, advice));
  assert_null(strstr(advice, "s3cr3t"));
  return advice;
}

static void assert_guess(const char *options, uint32_t iterations, const char *expected)
{
  print_message("  %s\n", options);
  assert_string_equal(guess_of(make("1;" KEY "\n", "s3cr3t\n", options), "s3cr3t", iterations),
                      expected);
}

static void another_digest_or_number_of_iterations(void **state)
{
  (void)state;
  static const struct {
    const char *digest;
    unsigned iterations;
  } made[] = {{"md5", 0},        {"sha224", 0},     {"sha256", 0},   {"sha384", 0},
              {"sha512", 0},     {"md5", 10000},    {"sha1", 10000}, {"sha256", 10000},
              {"sha512", 10000}, {"sha256", 600000}};
  for (size_t i = 0; i < COUNT(made); i++) {
    char options[128];
    char expected[256];
    if (made[i].iterations == 0)
      snprintf(options, sizeof options, "-aes-256-cbc -md %s", made[i].digest);
    else
      snprintf(options, sizeof options, "-aes-256-cbc -md %s -pbkdf2 -iter %u", made[i].digest,
               made[i].iterations);
    snprintf(expected, sizeof expected,
             "It opens with digest=%s and use_pbkdf2=%u: set these (in the command: --digest=%s "
             "--pbkdf2-iterations=%u)",
             made[i].digest, made[i].iterations, made[i].digest, made[i].iterations);
    assert_guess(options, 7, expected);
  }
  assert_guess("-aes-256-cbc -md sha512 -pbkdf2 -iter 4321", 4321,
               "It opens with digest=sha512 and use_pbkdf2=4321: set these (in the command: "
               "--digest=sha512 --pbkdf2-iterations=4321)");
  assert_guess("-aes-256-cbc -md sha256 -a", 0,
               "It opens with digest=sha256 and use_pbkdf2=0: set these (in the command: "
               "--digest=sha256 --pbkdf2-iterations=0)");
}

#define MADE_BY(options)                                                                           \
  "It was made by 'openssl enc " options                                                           \
  "', which is not supported: decrypt it by that command with -d, then run 'keyhold seal'"

static void every_other_cipher(void **state)
{
  (void)state;
  for (size_t i = 1; kh_enc_cipher(i) != NULL; i++) {
    char options[64];
    char expected[256];
    snprintf(options, sizeof options, "-%s -pbkdf2", kh_enc_cipher(i));
    snprintf(expected, sizeof expected, MADE_BY("-%s -md sha256 -pbkdf2 -iter 10000"),
             kh_enc_cipher(i));
    assert_guess(options, 0, expected);
  }
  assert_guess("-aes-128-cbc -md md5", 0, MADE_BY("-aes-128-cbc -md md5"));
}

static void without_a_salt(void **state)
{
  (void)state;
  assert_guess("-aes-256-cbc -nosalt", 0, MADE_BY("-aes-256-cbc -md sha256 -nosalt"));
  assert_guess("-aes-256-cbc -nosalt -pbkdf2", 0,
               MADE_BY("-aes-256-cbc -md sha256 -pbkdf2 -iter 10000 -nosalt"));
  assert_guess("-aes-256-ctr -nosalt -md sha1 -a", 0, MADE_BY("-aes-256-ctr -md sha1 -nosalt -a"));
}

/* `made` is the content of the password file for openssl, `used` the passphrase of this program */
static void assert_variant(const char *made, const char *used, const char *expected)
{
  print_message("  %s\n", expected);
  assert_string_equal(guess_of(make("1;" KEY "\n", made, "-aes-256-cbc -md sha1"), used, 0),
                      expected);
}

static void a_passphrase_with_something_too_many(void **state)
{
  (void)state;
  assert_variant("s3cr3t\n# a note\n", "s3cr3t\n# a note",
                 "It opens with the first line of the passphrase alone: remove its other lines");
  assert_variant("s3cr3t\r\n", "s3cr3t",
                 "It opens with a carriage return (CR) after the passphrase: 'openssl enc -pass "
                 "file:' took it from a line end CR LF; encrypt the key file again");
  assert_variant("s3cr3t\r\nx\r\n", "s3cr3t\r\nx",
                 "It opens with the first line of the passphrase alone, with its carriage return: "
                 "encrypt the key file again");
  assert_variant("s3cr3t", "\xEF\xBB\xBFs3cr3t",
                 "It opens with the passphrase without its byte order mark: remove the mark");
  assert_variant("s3cr3t", " s3cr3t\t",
                 "It opens with the passphrase without the white space around it: remove that");
  assert_variant("s3cr3t", "'s3cr3t'",
                 "It opens with the passphrase without the quotation marks around it: remove them");
  assert_string_equal(
      guess_of(make("1;" KEY "\n", "s3cr3t", "-aes-256-cbc -md md5"), "s3cr3t ", 0),
      "It opens with digest=md5, use_pbkdf2=0 and the passphrase without the white space around "
      "it");
}

/* Also where the padding is right: what does not parse as keys was not found. */
static void what_does_not_open_is_not_named(void **state)
{
  (void)state;
  assert_string_equal(guess_of(make("1;" KEY "\n", "s3cr3t", "-aes-256-cbc"), "another", 0), "");
  assert_string_equal(guess_of(make("1;not a key, but a text that is long enough\n", "s3cr3t",
                                    "-aes-256-cbc -md sha256"),
                               "s3cr3t", 0),
                      "");
  derivations = 0; /* what is too short for a key is not tried */
  for (size_t len = 9; len < 16 + 32; len++)
    assert_string_equal(
        guess_of(test_file("enc", "Salted__12345678abcdefghijklmnopqrstuvwxyz123456", len, 0600),
                 "s3cr3t", 0),
        "");
  assert_int_equal(derivations, 0);
}

/* No derivation begins that would not end within the time. */
static void the_time_is_limited(void **state)
{
  (void)state;
  char advice[KH_ADVICE_MAX];
  kh_keyfile_options options = {.path = "enc", .pbkdf2_iterations = 1000000000};
  const char *path = make("1;" KEY "\n", "s3cr3t", "-aes-256-cbc -pbkdf2 -iter 600000");
  KH_AUTO_SECRET file = NULL;
  assert_int_equal(kh_file_read(path, KH_KEYFILE_MAX, KH_FILE_REGULAR, &file, NULL, NULL), KH_OK);
  expensive = 0;
  int64_t begun = kh_clock_milliseconds();
  assert_false(kh_guess_how_made(&options, kh_secret_bytes(file), bytes_of("s3cr3t"), 100, advice));
  assert_string_equal(advice, "");
  assert_in_range(kh_clock_milliseconds() - begun, 0, 60000);
  assert_int_equal(expensive, 0);
}

static void what_may_be_without_a_salt(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    bool may;
  } files[] = {{"1;" KEY "\n", false},      {"# caf\xC3\xA9\n", false},  {"", false},
               {"\x1F\x8B\x08\x01", false}, {"\xFF\xFE\x31\x01", false}, {"ab\x01", true},
               {"QUJD\nRA==\n", true},      {"QUJDR\n", false}};
  for (size_t i = 0; i < COUNT(files); i++)
    assert_int_equal(kh_guess_may_be_unsalted(bytes_of(files[i].bytes)), files[i].may);
}

/* A store that is loaded again and again, as auto_reload does, searches once for each content. */
static void a_store_searches_once_for_each_content(void **state)
{
  (void)state;
  static recorder said;
  kh_log log = recorder_log(&said);
  kh_store store;
  kh_store_content content;
  kh_fault fault;
  const char *path = make("1;" KEY "\n", "s3cr3t", "-aes-256-cbc -md sha512");
  kh_keyfile_options options = {.path = path, .filekey = "s3cr3t"};
  assert_int_equal(kh_store_file_new(&options, test_engines, &log, &store), KH_OK);
  for (int i = 0; i < 3; i++) {
    derivations = 0;
    assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, &fault),
                     KH_E_WRONG_PASSPHRASE);
    assert_string_equal(fault.advice, "It opens with digest=sha512 and use_pbkdf2=0: set these (in "
                                      "the command: --digest=sha512 --pbkdf2-iterations=0)");
    if (i == 0)
      assert_true(derivations > 1);
    else
      assert_int_equal(derivations, 1);
  }
  make("1;" KEY "\n", "s3cr3t", "-aes-256-cbc -md sha384");
  derivations = 0;
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, &fault),
                   KH_E_WRONG_PASSPHRASE);
  assert_non_null(strstr(fault.advice, "digest=sha384"));
  assert_true(derivations > 1);
  kh_store_free(&store);
}

/* A literal that was meant as a path, and facts about the passphrase, are in the error too. */
static void the_error_has_what_is_unusual(void **state)
{
  (void)state;
  static const struct {
    const char *filekey; /* NULL: a file with this content */
    const char *content;
    const char *advice;
  } cases[] = {
      {"/etc/s3cr3t", NULL, "filekey is the passphrase itself, but it looks like a path"},
      {"file:/s3cr3t", NULL, "begins like 'FILE:'"},
      {NULL, "s3cr3t\nx\n", "The passphrase has 2 lines"},
      {NULL, "s3cr3t\r\n", "The passphrase has a line end CR LF"},
      {NULL, "s3cr3t \n", "The passphrase ends with white space"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char filekey[1024];
    kh_keyfile *file = NULL;
    kh_fault fault;
    const char *path = make("1;" KEY "\n", "another", "-aes-256-cbc -md sha1");
    if (cases[i].filekey != NULL)
      snprintf(filekey, sizeof filekey, "%s", cases[i].filekey);
    else
      snprintf(filekey, sizeof filekey, "FILE:%s", test_text("used", cases[i].content, 0600));
    kh_keyfile_options options = {.path = path, .filekey = filekey};
    assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, &fault),
                     KH_E_WRONG_PASSPHRASE);
    assert_non_null(strstr(fault.advice, cases[i].advice));
    assert_null(strstr(fault.advice, "s3cr3t"));
    assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, NULL),
                     KH_E_WRONG_PASSPHRASE);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_digest_or_number_of_iterations),
      cmocka_unit_test(every_other_cipher),
      cmocka_unit_test(without_a_salt),
      cmocka_unit_test(a_passphrase_with_something_too_many),
      cmocka_unit_test(what_does_not_open_is_not_named),
      cmocka_unit_test(the_time_is_limited),
      cmocka_unit_test(what_may_be_without_a_salt),
      cmocka_unit_test(a_store_searches_once_for_each_content),
      cmocka_unit_test(the_error_has_what_is_unusual),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
