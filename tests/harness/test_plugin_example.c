/* SPDX-License-Identifier: GPL-2.0-only */
/* example_key_management: what the server sees of it. tests/unit/test_example_source.c shows with a
 * clock that it sets how versions change. */
#include <string.h>
#include <time.h>

#include "plugin.h"
#include "reference.h"
#include "unit.h"

static test_plugin loaded;

static int start(void **state)
{
  plugin_run(&loaded, "example");
  *state = &loaded;
  return 0;
}

static void it_warns_that_it_protects_nothing(void **state)
{
  (void)state;
  assert_int_equal(plugin_heard_now.warnings, 1);
  assert_int_equal(plugin_heard_now.errors, 0);
  assert_true(plugin_must_say("example_key_management: Keyhold "));
  assert_true(plugin_must_say(
      "the key id and the time, so anyone can compute them and data is not protected: use it "
      "for tests only\n"));
}

static void one_version_for_every_id_and_it_is_the_time(void **state)
{
  (void)state;
  static const unsigned ids[] = {0, 1, 2, 77, 4294967295u};
  unsigned version = loaded.methods->get_latest_key_version(1);
  time_t now = time(NULL);
  assert_in_range(version, now - 300, now);
  for (size_t i = 0; i < COUNT(ids); i++)
    assert_int_equal(loaded.methods->get_latest_key_version(ids[i]), version);
}

/* what example_key_management.so of MariaDB 10.11.19 on x86-64 returns */
static const struct {
  unsigned id, version;
  const char *key;
} keys[] = {
    {0, 0, "7dea362b3fac8e00956a4952a3d4f474"},
    {0, 1000, "56bc3a26fe053f48be7f85f7813b2f5a"},
    {1, 0, "33cdeccccebe80329f1fdbee7f5874cb"},
    {1, 1, "39d997ae6b77dab1dfbabb6cf0e4783a"},
    {1, 1795301783, "70150e3280383804875635ec6529c3e7"},
    {1, 1795301883, "3d11c9c499aa0a75da5f40b8df069b5b"},
};

static void the_keys_of_the_servers_own(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(keys); i++) {
    unsigned char key[32], expected[16];
    unsigned length = sizeof key;
    test_unhex(keys[i].key, expected);
    assert_int_equal(loaded.methods->get_key(keys[i].id, keys[i].version, key, &length), 0);
    assert_int_equal(length, 16);
    assert_memory_equal(key, expected, 16);
  }
}

static void buffers_of_any_size(void **state)
{
  (void)state;
  for (unsigned room = 0; room <= 17; room++) {
    unsigned char key[32];
    unsigned length = room;
    memset(key, 'x', sizeof key);
    assert_int_equal(loaded.methods->get_key(1, 1, key, &length),
                     room < 16 ? ENCRYPTION_KEY_BUFFER_TOO_SMALL : 0);
    assert_int_equal(length, 16);
    for (unsigned i = room < 16 ? 0 : 16; i < sizeof key; i++)
      assert_int_equal(key[i], 'x');
    length = room;
    assert_int_equal(loaded.methods->get_key(1, 1, NULL, &length), 0);
    assert_int_equal(length, 16);
  }
}

/* 39 bytes as the server's own of 10.11.19 encrypts them: odd versions ECB, even ones CBC */
static const struct {
  unsigned version;
  int flags;
  const char *cipher;
} messages[] = {
    {1, 0,
     "170ebd13cefc8ed641cdd8a1dec5e6982134e126ed62e72020d058884e236a3c"
     "2a1bfb3a048f6b3ea2ccf60929bc25ea"},
    {1, ENCRYPTION_FLAG_NOPAD,
     "170ebd13cefc8ed641cdd8a1dec5e6982134e126ed62e72020d058884e236a3cc2cf39334e50cb"},
    {2, 0,
     "11ba438f226efa0af3f48ab1a760a0871835c66df134070ae39e9bcda6d92419"
     "83faab8d501e882a3619c7ed80478745"},
    {2, ENCRYPTION_FLAG_NOPAD,
     "11ba438f226efa0af3f48ab1a760a0871835c66df134070ae39e9bcda6d92419c2cf39334e50cb"},
};

static void the_bytes_of_the_servers_own(void **state)
{
  (void)state;
  unsigned char key[16], iv[16], plain[39], expected[48], out[64];
  for (unsigned i = 0; i < 39; i++)
    plain[i] = (unsigned char)(i * 13 + 5);
  for (unsigned i = 0; i < 16; i++) {
    key[i] = (unsigned char)(i * 7 + 1);
    iv[i] = (unsigned char)(0xf0 - i);
  }
  for (size_t i = 0; i < COUNT(messages); i++) {
    unsigned made = 0;
    size_t want = test_unhex(messages[i].cipher, expected);
    int flags = messages[i].flags;
    loaded.version = messages[i].version;
    assert_int_equal(
        plugin_crypt(&loaded, plain, 39, out, &made, key, 16, iv, flags | ENCRYPTION_FLAG_ENCRYPT),
        0);
    assert_int_equal(made, want);
    assert_memory_equal(out, expected, want);
    assert_int_equal(
        plugin_crypt(&loaded, expected, (unsigned)want, out, &made, key, 16, iv, flags), 0);
    assert_int_equal(made, 39);
    assert_memory_equal(out, plain, 39);
  }
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_warns_that_it_protects_nothing),
      cmocka_unit_test(one_version_for_every_id_and_it_is_the_time),
      cmocka_unit_test(the_keys_of_the_servers_own),
      cmocka_unit_test(buffers_of_any_size),
      cmocka_unit_test(the_bytes_of_the_servers_own),
  };
  return cmocka_run_group_tests(tests, start, plugin_tear_down);
}
