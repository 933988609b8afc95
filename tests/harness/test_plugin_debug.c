/* SPDX-License-Identifier: GPL-2.0-only */
/* debug_key_management: one key id, and a version that SET GLOBAL sets while threads read it. */
#include <string.h>

#include "plugin.h"
#include "reference.h"
#include "threads.h"
#include "unit.h"

enum { THREADS = 4, ROUNDS = 20000 };

static test_plugin loaded;

static int start(void **state)
{
  plugin_run(&loaded, "debug");
  *state = &loaded;
  return 0;
}

static void it_warns_that_it_protects_nothing(void **state)
{
  (void)state;
  assert_int_equal(plugin_heard_now.warnings, 1);
  assert_int_equal(plugin_heard_now.errors, 0);
  assert_true(plugin_must_say("debug_key_management: Keyhold "));
  assert_true(plugin_must_say("the key version, so anyone can compute them and data is not "
                              "protected: use it for tests only\n"));
}

static void the_version_is_the_variable(void **state)
{
  (void)state;
  static const unsigned versions[] = {10, 4294967294u, 2,
                                      1}; /* lower versions too: tests set them */
  assert_int_equal(loaded.methods->get_latest_key_version(1), 1);
  for (size_t i = 0; i < COUNT(versions); i++) {
    plugin_set_global(&loaded, "version", versions[i]);
    assert_int_equal(loaded.methods->get_latest_key_version(1), versions[i]);
  }
}

static void other_ids_do_not_exist(void **state)
{
  (void)state;
  static const unsigned ids[] = {0, 2, 100, 4294967295u};
  for (size_t i = 0; i < COUNT(ids); i++) {
    unsigned char key[32] = "untouched";
    unsigned length = sizeof key;
    assert_int_equal(loaded.methods->get_latest_key_version(ids[i]),
                     ENCRYPTION_KEY_VERSION_INVALID);
    assert_int_equal(loaded.methods->get_key(ids[i], 1, key, &length),
                     ENCRYPTION_KEY_VERSION_INVALID);
    assert_string_equal((const char *)key, "untouched");
  }
}

/* what debug_key_management.so of MariaDB 10.11.19 returns, for versions above the latest too */
static void the_keys_of_the_servers_own(void **state)
{
  (void)state;
  static const struct {
    unsigned version;
    const char *key;
  } keys[] = {
      {0, "00000000000000000000000000000000"},
      {1, "00000001000000000000000000000000"},
      {1000, "000003e8000000000000000000000000"},
      {4294967294u, "fffffffe000000000000000000000000"},
      {4294967295u, "ffffffff000000000000000000000000"},
  };
  for (size_t i = 0; i < COUNT(keys); i++) {
    unsigned char key[32], expected[16];
    unsigned length = sizeof key;
    test_unhex(keys[i].key, expected);
    assert_int_equal(loaded.methods->get_key(1, keys[i].version, key, &length), 0);
    assert_int_equal(length, 16);
    assert_memory_equal(key, expected, 16);
  }
}

static void buffers_of_any_size(void **state)
{
  (void)state;
  unsigned char key[16];
  unsigned length = 15;
  assert_int_equal(loaded.methods->get_key(1, 1, key, &length), ENCRYPTION_KEY_BUFFER_TOO_SMALL);
  assert_int_equal(length, 16);
  length = 0;
  assert_int_equal(loaded.methods->get_key(1, 1, NULL, &length), 0);
  assert_int_equal(length, 16);
}

static bool read_versions(void *unused, size_t number)
{
  (void)unused;
  (void)number;
  for (unsigned i = 0; i < ROUNDS; i++) {
    unsigned version = loaded.methods->get_latest_key_version(1);
    if (version == 0 || version > ROUNDS)
      return false;
  }
  return true;
}

static void set_while_it_is_read(void **state)
{
  (void)state;
  threads readers = {.count = 0};
  threads_start(&readers, THREADS, read_versions, NULL);
  for (unsigned version = 1; version <= ROUNDS; version++)
    plugin_set_global(&loaded, "version", version);
  threads_join(&readers);
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_warns_that_it_protects_nothing),
      cmocka_unit_test(the_version_is_the_variable),
      cmocka_unit_test(other_ids_do_not_exist),
      cmocka_unit_test(the_keys_of_the_servers_own),
      cmocka_unit_test(buffers_of_any_size),
      cmocka_unit_test(set_while_it_is_read),
  };
  return cmocka_run_group_tests(tests, start, plugin_tear_down);
}
