/* SPDX-License-Identifier: GPL-2.0-only */
/* The SQL function file_key_management_keys(), called as the server calls it. */
#include <dlfcn.h>
#include <mysql.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "plugin.h"
#include "threads.h"
#include "unit.h"

#define K16 "770A8A65DA156D24EE2A093277530142"
#define K32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

enum { THREADS = 8, ROUNDS = 200 };

static const char keys[] = "1;" K16 "\n7;9;" K32 "\n7;3;" K16 "\n";
static const char inventory[] =
    "[{\"key_id\":1,\"latest_version\":1,\"next_rotation\":null,\"versions\":["
    "{\"version\":1,\"bits\":128,\"cipher\":\"aes-ctr\",\"created\":null,"
    "\"fingerprint\":\"4095dfe3e4fa3d05\"}]},"
    "{\"key_id\":7,\"latest_version\":9,\"next_rotation\":null,\"versions\":["
    "{\"version\":3,\"bits\":128,\"cipher\":\"aes-ctr\",\"created\":null,"
    "\"fingerprint\":\"4095dfe3e4fa3d05\"},"
    "{\"version\":9,\"bits\":256,\"cipher\":\"aes-ctr\",\"created\":null,"
    "\"fingerprint\":\"8751a315ecc52cce\"}]}]";

static test_plugin loaded;

static struct {
  my_bool (*init)(UDF_INIT *init, UDF_ARGS *args, char *message);
  char *(*call)(UDF_INIT *init, UDF_ARGS *args, char *result, unsigned long *len, char *is_null,
                char *error);
  void (*deinit)(UDF_INIT *init);
} udf;

static void find_functions(void)
{
  *(void **)&udf.init = dlsym(loaded.so, "file_key_management_keys_init");
  *(void **)&udf.call = dlsym(loaded.so, "file_key_management_keys");
  *(void **)&udf.deinit = dlsym(loaded.so, "file_key_management_keys_deinit");
  assert_true(udf.init != NULL && udf.call != NULL && udf.deinit != NULL);
}

static int open_plugin(void **state)
{
  plugin_open(&loaded, "file");
  plugin_set_string(&loaded, "filename", test_text("keys", keys, 0600));
  plugin_set_string(&loaded, "filekey", "");
  plugin_set_enum(&loaded, "encryption_algorithm", 1);
  find_functions();
  *state = &loaded;
  return 0;
}

/* what a statement with the function gets: 0 and the text, for free(); 1 and the message. NULL
 * without a text. */
static my_bool statement(unsigned arg_count, char *message, char **text)
{
  UDF_ARGS args = {.arg_count = arg_count};
  UDF_INIT init = {.maybe_null = 1};
  char room[255], is_null = 0, error = 0;
  unsigned long len = 0;
  message[0] = '\0';
  if (udf.init(&init, &args, message) != 0)
    return 1;
  const char *result = udf.call(&init, &args, room, &len, &is_null, &error);
  *text = result == NULL || is_null || error ? NULL : strndup(result, len);
  udf.deinit(&init);
  return 0;
}

static void assert_refused(unsigned arg_count, const char *reason)
{
  char message[MYSQL_ERRMSG_SIZE];
  char *text = NULL;
  assert_int_equal(statement(arg_count, message, &text), 1);
  assert_string_equal(message, reason);
}

static void only_while_the_plugin_runs(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE];
  char *text = NULL;
  assert_refused(0, "plugin file_key_management of Keyhold is not loaded; see the error log");
  assert_true(plugin_start(&loaded));
  assert_int_equal(statement(0, message, &text), 0);
  assert_string_equal(text, inventory);
  free(text);
  assert_refused(1, "the function takes no arguments");
  assert_int_equal(loaded.declaration->deinit(NULL), 0);
  assert_refused(0, "plugin file_key_management of Keyhold is not loaded; see the error log");
}

static void not_after_a_start_that_failed(void **state)
{
  (void)state;
  plugin_set_string(&loaded, "filename", test_path("missing"));
  assert_false(plugin_start(&loaded));
  assert_refused(0, "plugin file_key_management of Keyhold is not loaded; see the error log");
}

static atomic_uint refused, right, wrong;
static atomic_bool started;

static bool ask_until_it_has_started(void *unused, size_t number)
{
  (void)unused;
  (void)number;
  char message[MYSQL_ERRMSG_SIZE];
  for (unsigned left = ROUNDS; left > 0;) {
    left -= atomic_load(&started);
    char *text = NULL;
    if (statement(0, message, &text) != 0)
      atomic_fetch_add(&refused, 1);
    else if (text != NULL && strcmp(text, inventory) == 0)
      atomic_fetch_add(&right, 1);
    else
      atomic_fetch_add(&wrong, 1);
    free(text);
  }
  return true;
}

/* a function that an earlier INSTALL SONAME made exists before the plugin */
static void threads_that_ask_while_the_plugin_starts(void **state)
{
  (void)state;
  threads asking = {.count = 0};
  threads_start(&asking, THREADS, ask_until_it_has_started, NULL);
  while (atomic_load(&refused) == 0)
    ;
  bool starts = plugin_start(&loaded);
  atomic_store(&started, true);
  threads_join(&asking);
  assert_true(starts);
  assert_int_equal(atomic_load(&wrong), 0);
  assert_true(atomic_load(&right) > 0);
  assert_int_equal(loaded.declaration->deinit(NULL), 0);
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(only_while_the_plugin_runs, open_plugin,
                                      plugin_tear_down_unstarted),
      cmocka_unit_test_setup_teardown(not_after_a_start_that_failed, open_plugin,
                                      plugin_tear_down_unstarted),
      cmocka_unit_test_setup_teardown(threads_that_ask_while_the_plugin_starts, open_plugin,
                                      plugin_tear_down_unstarted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
