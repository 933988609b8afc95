/* SPDX-License-Identifier: GPL-2.0-only */
/* What a user sees of every failure to load, and that the plugin can be loaded after a failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "plugin.h"
#include "unit.h"

#define KEY "770A8A65DA156D24EE2A093277530142"

enum { EE_READ = 2, EE_FILENOTFOUND = 29 };

static test_plugin loaded;

static int open_plugin(void **state)
{
  plugin_open(&loaded, "file");
  *state = &loaded;
  return 0;
}

static void assert_refused(const char *filename, const char *filekey, const char *message,
                           unsigned number)
{
  plugin_quiet();
  plugin_set_string(&loaded, "filename", filename);
  plugin_set_string(&loaded, "filekey", filekey);
  assert_false(plugin_start(&loaded));
  assert_true(plugin_must_say(message));
  assert_int_equal(plugin_heard_now.errors, 1);
  assert_int_equal(plugin_heard_now.last_error, number);
}

static const char *numbered(const char *format, const char *path)
{
  static char text[1024];
  snprintf(text, sizeof text, format, path);
  return text;
}

static void no_file_name(void **state)
{
  (void)state;
  assert_refused("", "", "file-key-management-filename is not set\n", EE_READ);
  assert_refused(NULL, NULL, "file-key-management-filename is not set\n", EE_READ);
}

static void files_that_are_none(void **state)
{
  (void)state;
  const char *missing = test_path("missing");
  assert_refused(
      missing, "",
      numbered("File '%s' not found (Errcode: 2 \"No such file or directory\")\n", missing),
      EE_FILENOTFOUND);
  mkdir(test_path("folder"), 0700);
  assert_refused(test_path("folder"), "", "it is a directory; specify a file\n", EE_READ);
}

/* the error is that of the server's own plugin, and a note after it has what is there */
static void texts_that_are_none(void **state)
{
  (void)state;
  static const struct {
    const char *text, *message, *note;
  } cases[] = {
      {"1;" KEY "\nbad\n", "Syntax error at %s line 2, column 1\n",
       "%s line 2, column 1: expected a key id, or # for a comment, found a letter; write "
       "id;key\n"},
      {"1;" KEY "\n0;" KEY "\n", "Invalid key id at %s line 2, column 2\n",
       "%s line 2, column 2: expected 1 to 4294967295\n"},
      {"1;" KEY "\n3;11\n", "Invalid key at %s line 2, column 5\n",
       "%s line 2, column 5: expected 32, 48 or 64 hexadecimal digits, found 2, then the end of "
       "the line; restore the line from a copy\n"},
      {"2;" KEY "\n", "System key id 1 is missing at %s line 1, column 1\n",
       "%s line 1, column 1: other keys are there; restore the line 1;key from a copy, or specify "
       "the right file\n"},
      {"\xef\xbb\xbf"
       "1;" KEY "\n",
       "Syntax error at %s line 1, column 1\n",
       "%s line 1, column 1: found a byte order mark; save the file as UTF-8 without one\n"},
      {"$ANSIBLE_VAULT;1.1;AES256\n6162\n", "Syntax error at %s line 1, column 1\n",
       "%s line 1, column 1: the file is encrypted by ansible-vault; deploy it decrypted "
       "(ansible-vault decrypt)\n"},
      {"1; " KEY "\n", "Invalid key at %s line 1, column 3\n",
       "%s line 1, column 3: found white space after the semicolon; remove it\n"},
      {"1;0;" KEY "\n", "Invalid key version at %s line 1, column 4 (expected 1 to 4294967294)\n",
       ""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *path = test_text("keys", cases[i].text, 0600);
    char message[1024];
    char note[1024];
    snprintf(message, sizeof message, cases[i].message, path);
    snprintf(note, sizeof note, cases[i].note, path);
    assert_refused(path, "", message, EE_READ);
    assert_true(plugin_must_say(note));
    assert_int_equal(plugin_heard_now.notes, note[0] != '\0');
    assert_false(plugin_said("770A"));
  }
}

static void containers_that_are_none(void **state)
{
  (void)state;
  static const char bytes[] = "Salted__12345678xxxxxxxxxxxxxxxxxxxx";
  for (size_t len = 9; len < 36; len++) {
    const char *path = test_file("keys", bytes, len, 0600);
    char message[1024];
    if (len == 32)
      continue;
    snprintf(message, sizeof message,
             len < 32 ? "Cannot decrypt '%s': the file is truncated or damaged: %zu bytes"
                      : "Cannot decrypt '%s': %zu bytes are not a multiple of 16: it is cut short, "
                        "or was not encrypted with aes-256-cbc. Restore it from a copy, or see how "
                        "it was made\n",
             path, len);
    assert_refused(path, "secret", message, EE_READ);
    assert_false(plugin_said("secret"));
  }
  assert_refused(test_file("keys", bytes, 32, 0600), "secret",
                 numbered("Cannot decrypt %s. Wrong key?\n", test_path("keys")), EE_READ);
  assert_refused(test_file("keys", bytes, 8, 0600), "secret", ". Not encrypted\n", EE_READ);
  assert_refused(test_file("keys", bytes, 8, 0600), "", "Syntax error at", EE_READ);
}

static void passwords_that_do_not_fit(void **state)
{
  (void)state;
  const char *enc = test_path("enc");
  char filekey[1024];
  test_run("openssl enc -aes-256-cbc -md sha1 -pass file:'%s' -in '%s' -out '%s' 2>/dev/null; "
           "chmod 600 '%s'",
           test_text("pass", "s3cr3t", 0600), test_text("plain", "1;" KEY "\n", 0600), enc, enc);
  assert_refused(enc, "wr0ng", numbered("Cannot decrypt %s. Wrong key?\n", enc), EE_READ);
  assert_false(plugin_said("wr0ng"));
  assert_true(plugin_must_say("digest sha1 and 0 PBKDF2 iterations"));
  assert_refused(
      enc, "",
      numbered("Cannot decrypt %s. Wrong key? The file is encrypted, and filekey is not set\n",
               enc),
      EE_READ);
  assert_refused(test_path("plain"), "s3cr3t", ". Not encrypted\n", EE_READ);
  assert_false(plugin_said("s3cr3t"));
  snprintf(filekey, sizeof filekey, "FILE:%s", test_text("empty", "\n", 0600));
  assert_refused(enc, filekey, numbered("Cannot decrypt %s. Wrong key?\n", enc), EE_READ);
  assert_true(plugin_must_say("only line ends"));
  snprintf(filekey, sizeof filekey, "FILE:%s", test_path("nothing"));
  assert_refused(enc, filekey, "nothing' not found", EE_FILENOTFOUND);
}

static void after_failures_it_still_starts(void **state)
{
  (void)state;
  plugin_quiet();
  plugin_set_string(&loaded, "filekey", "");
  plugin_set_string(&loaded, "filename",
                    test_text("keys", "1;" KEY "\n2;" KEY "\n2;5;" KEY "\n", 0644));
  assert_true(plugin_start(&loaded));
  assert_int_equal(plugin_heard_now.errors, 0);
  assert_int_equal(plugin_heard_now.warnings, 1);
  assert_true(plugin_must_say("file_key_management: key file '"));
  assert_true(plugin_must_say("can be read by other users (mode 0644)"));
  assert_true(plugin_must_say("2 keys with 3 versions from '"));
  assert_true(plugin_must_say("(text), aes-cbc; latest: key id 1 version 1, key id 2 version 5\n"));
  assert_false(plugin_said("770A"));
  assert_int_equal(loaded.methods->get_latest_key_version(2), 5);
  assert_int_equal(loaded.declaration->deinit(NULL), 0);
}

static void every_digest_and_pbkdf2(void **state)
{
  (void)state;
  static const char *const names[] = {"sha1", "sha224", "sha256", "sha384", "sha512"};
  static const unsigned iterations[] = {0, 1, 10000};
  const char *enc = test_path("enc");
  plugin_set_string(&loaded, "filename", enc);
  for (size_t digest = 0; digest < COUNT(names); digest++) {
    for (size_t i = 0; i < COUNT(iterations); i++) {
      char pbkdf2[64] = "";
      if (iterations[i] != 0)
        snprintf(pbkdf2, sizeof pbkdf2, "-pbkdf2 -iter %u", iterations[i]);
      test_run("openssl enc -aes-256-cbc -md %s %s -pass file:'%s' -in '%s' -out '%s' 2>/dev/null",
               names[digest], pbkdf2, test_text("pass", "pass phrase\n", 0600),
               test_text("plain", "1;" KEY "\n", 0600), enc);
      plugin_set_enum(&loaded, "digest", digest);
      plugin_set_uint(&loaded, "use_pbkdf2", iterations[i]);
      plugin_set_string(&loaded, "filekey", "pass phrase");
      assert_true(plugin_start(&loaded));
      assert_int_equal(loaded.declaration->deinit(NULL), 0);
      plugin_set_enum(&loaded, "digest", (digest + 1) % COUNT(names));
      assert_false(plugin_start(&loaded));
    }
  }
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_file_name),
      cmocka_unit_test(files_that_are_none),
      cmocka_unit_test(texts_that_are_none),
      cmocka_unit_test(containers_that_are_none),
      cmocka_unit_test(passwords_that_do_not_fit),
      cmocka_unit_test(after_failures_it_still_starts),
      cmocka_unit_test(every_digest_and_pbkdf2),
  };
  return cmocka_run_group_tests(tests, open_plugin, plugin_tear_down_unstarted);
}
