/* SPDX-License-Identifier: GPL-2.0-only */
/* get_latest_key_version and get_key, called in all ways of the server, the unusual ones too. */
#include <string.h>

#include "files.h"
#include "plugin.h"
#include "reference.h"
#include "unit.h"

#define K16 "770A8A65DA156D24EE2A093277530142"
#define K24 "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
#define K32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

static test_plugin loaded;

static int start(void **state)
{
  plugin_run_file(&loaded,
                  test_text("keys",
                            "1;" K16 "\n2;" K24 "\n4294967295;" K32 "\n7;3;" K16 "\n7;9;" K32 "\n",
                            0600),
                  "", 0);
  *state = &loaded;
  return 0;
}

static void assert_key(unsigned id, unsigned version, const char *digits)
{
  unsigned char expected[32];
  unsigned char key[32];
  unsigned length = sizeof key;
  size_t expected_length = test_unhex(digits, expected);
  assert_int_equal(loaded.methods->get_key(id, version, key, &length), 0);
  assert_int_equal(length, expected_length);
  assert_memory_equal(key, expected, expected_length);
}

static void keys_that_are_there(void **state)
{
  (void)state;
  assert_key(1, 1, K16);
  assert_key(2, 1, K24);
  assert_key(4294967295u, 1, K32);
  assert_key(7, 3, K16);
  assert_key(7, 9, K32);
}

static void latest_versions(void **state)
{
  (void)state;
  assert_int_equal(loaded.methods->get_latest_key_version(1), 1);
  assert_int_equal(loaded.methods->get_latest_key_version(4294967295u), 1);
  assert_int_equal(loaded.methods->get_latest_key_version(7), 9);
  assert_int_equal(loaded.methods->get_latest_key_version(0), ENCRYPTION_KEY_VERSION_INVALID);
  assert_int_equal(loaded.methods->get_latest_key_version(3), ENCRYPTION_KEY_VERSION_INVALID);
}

static void keys_that_are_not_there(void **state)
{
  (void)state;
  static const unsigned absent[][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 2},  {1, 4294967295u}, {3, 1},
                                       {7, 1}, {7, 4}, {7, 8}, {7, 10}, {4294967294u, 1}};
  for (size_t i = 0; i < COUNT(absent); i++) {
    unsigned char key[32] = "untouched";
    unsigned length = sizeof key;
    assert_int_equal(loaded.methods->get_key(absent[i][0], absent[i][1], key, &length),
                     ENCRYPTION_KEY_VERSION_INVALID);
    assert_string_equal((const char *)key, "untouched");
    assert_int_equal(loaded.methods->get_key(absent[i][0], absent[i][1], NULL, &length),
                     ENCRYPTION_KEY_VERSION_INVALID);
  }
}

/* encryption_key_version_exists() calls with a NULL buffer and an uninitialised length */
static void a_null_buffer_with_any_length(void **state)
{
  (void)state;
  static const unsigned lengths[] = {0, 1, 15, 16, 4294967295u, 0xaaaaaaaa};
  for (size_t i = 0; i < COUNT(lengths); i++) {
    unsigned length = lengths[i];
    assert_int_equal(loaded.methods->get_key(2, 1, NULL, &length), 0);
    assert_int_equal(length, 24);
  }
  unsigned uninitialised;
  assert_int_equal(loaded.methods->get_key(7, 9, NULL, &uninitialised), 0);
  assert_int_equal(uninitialised, 32);
}

static void a_buffer_that_is_too_small(void **state)
{
  (void)state;
  for (unsigned room = 0; room <= 24; room++) {
    unsigned char key[32];
    unsigned length = room;
    memset(key, 'x', sizeof key);
    unsigned result = loaded.methods->get_key(2, 1, key, &length);
    assert_int_equal(result, room < 24 ? ENCRYPTION_KEY_BUFFER_TOO_SMALL : 0);
    assert_int_equal(length, 24);
    for (unsigned i = room; i < sizeof key; i++)
      assert_int_equal(key[i], 'x');
  }
}

static void a_miss_changes_nothing(void **state)
{
  (void)state;
  for (unsigned id = 3; id < 100000; id += 7)
    (void)loaded.methods->get_latest_key_version(id);
  latest_versions(state);
  keys_that_are_there(state);
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_that_are_there),        cmocka_unit_test(latest_versions),
      cmocka_unit_test(keys_that_are_not_there),    cmocka_unit_test(a_null_buffer_with_any_length),
      cmocka_unit_test(a_buffer_that_is_too_small), cmocka_unit_test(a_miss_changes_nothing),
  };
  return cmocka_run_group_tests(tests, start, plugin_tear_down);
}
