/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin with sealed key files that do not open: each damaged one is refused, and the message
 * names the file and the cause. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "plugin.h"
#include "sealed.h"
#include "unit.h"

#define KEY  "770A8A65DA156D24EE2A093277530142"
#define TEXT "# the keys\n1;" KEY ";rotate=90d\n2;" KEY "\n"

enum { END_LINE = 69 };

static test_plugin loaded;
static kh_secret *original;

static int open_plugin(void **state)
{
  (void)state;
  plugin_open(&loaded, "file");
  original = sealed_file(TEXT);
  return 0;
}

static int close_plugin(void **state)
{
  (void)state;
  plugin_close(&loaded, false);
  kh_secret_free(&original);
  return 0;
}

/* whether the plugin starts with this file */
static bool starts(const uint8_t *data, size_t len, const char *passphrase)
{
  plugin_quiet();
  plugin_set_string(&loaded, "filename", test_file("keys", data, len, 0600));
  plugin_set_string(&loaded, "filekey", passphrase);
  return plugin_start(&loaded);
}

static void assert_refused(const uint8_t *data, size_t len, const char *message)
{
  char begin[1024];
  char wrong_key[1024];
  snprintf(begin, sizeof begin, "Cannot decrypt '%s': ", test_path("keys"));
  snprintf(wrong_key, sizeof wrong_key, "Cannot decrypt %s. Wrong key?\n", test_path("keys"));
  assert_false(starts(data, len, "first"));
  assert_int_equal(plugin_heard_now.errors, 1);
  assert_true(plugin_said(wrong_key) || plugin_must_say(begin));
  assert_true(plugin_must_say(message));
  assert_false(plugin_said("first"));
  assert_false(plugin_said(KEY));
}

/* with the right last line */
static void assert_mended_is_refused(uint8_t *data, size_t len, const char *message)
{
  len = sealed_mend(data, len);
  assert_refused(data, len, message);
}

static void each_passphrase_opens_it(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(original);
  static const char *const passphrases[] = {"first", "second"};
  for (size_t i = 0; i < COUNT(passphrases); i++) {
    assert_true(starts(file.data, file.len, passphrases[i]));
    assert_true(plugin_must_say("2 keys with 2 versions from '"));
    assert_int_equal(loaded.declaration->deinit(NULL), 0);
  }
}

/* Makes a file in which one text is replaced by another, of any length, with the right last line.
 */
static void assert_exchanged(const char *from, const char *to, const char *message)
{
  kh_bytes file = kh_secret_bytes(original);
  const uint8_t *at = memmem(file.data, file.len, from, strlen(from));
  assert_non_null(at);
  size_t before = (size_t)(at - file.data);
  size_t after = file.len - END_LINE - before - strlen(from);
  uint8_t *data = sealed_copy(file);
  memcpy(data + before, to, strlen(to));
  memcpy(data + before + strlen(to), at + strlen(from), after);
  assert_mended_is_refused(data, before + strlen(to) + after, message);
  free(data);
}

static void each_cause_has_its_message(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(original);
  assert_false(starts(file.data, file.len, "wrong"));
  assert_true(plugin_must_say(". Wrong key?\n"));
  assert_exchanged("sealed 1\n", "sealed 2\n", "sealed key file format 2 is not supported");
  assert_exchanged(
      "memory=8 passes=1", "memory=1048577 passes=1",
      "key derivation cost in line 2 of the sealed key file is too high: 1048577 (maximum "
      "1048576)\n");
  assert_exchanged("iterations=1000", "iterations=8388609",
                   "cost in line 3 of the sealed key file is too high: 8388609");
  assert_exchanged("slot two", "slot one",
                   "is truncated or damaged in line 3, column 9; restore it from a copy\n");
  assert_exchanged("slot two", "slot three",
                   "the rest of the sealed key file was changed without the key");
  uint8_t *data = sealed_copy(file);
  data[file.len - 2] = data[file.len - 2] == '0' ? '1' : '0';
  assert_refused(data, file.len,
                 "is truncated or damaged: wrong checksum; restore it from a copy\n");
  free(data);
}

static void every_byte_is_changed(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(original);
  uint8_t *data = sealed_copy(file);
  for (size_t at = 0; at < file.len; at++) {
    data[at] ^= (uint8_t)(1u << at % 8);
    assert_refused(data, file.len, "the sealed key file is truncated or damaged");
    if (at < file.len - END_LINE)
      assert_mended_is_refused(data, file.len, "");
    memcpy(data, file.data, file.len);
  }
  free(data);
}

static void it_is_cut_at_every_length(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(original);
  for (size_t len = sizeof "keyhold-sealed " - 1; len < file.len; len++) {
    uint8_t *data = sealed_copy(file);
    assert_refused(data, len, "the sealed key file is truncated or damaged");
    if (len < file.len - END_LINE)
      assert_mended_is_refused(data, len, "");
    free(data);
  }
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_passphrase_opens_it),
      cmocka_unit_test(each_cause_has_its_message),
      cmocka_unit_test(every_byte_is_changed),
      cmocka_unit_test(it_is_cut_at_every_length),
  };
  return cmocka_run_group_tests(tests, open_plugin, close_plugin);
}
