/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptor, which is the contract with the server. */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>

#include "plugin.h"
#include "unit.h"
#include <typelib.h> /* needs mysql/plugin.h before it */

struct any {
  MYSQL_PLUGIN_VAR_HEADER;
};

/* what differs between the plugins */
static const struct expectation {
  const char *so, *name;
  unsigned maturity, variables;
  bool crypts;
} plugins[] = {
    {"file", "file_key_management", MariaDB_PLUGIN_MATURITY_STABLE, 13, true},
    {"example", "example_key_management", MariaDB_PLUGIN_MATURITY_EXPERIMENTAL, 0, true},
    {"debug", "debug_key_management", MariaDB_PLUGIN_MATURITY_EXPERIMENTAL, 1, false},
};

static test_plugin loaded;

static void versions_of_the_interface(const struct expectation *expected)
{
  (void)expected;
  assert_int_equal(*(int *)dlsym(loaded.so, "_maria_plugin_interface_version_"), 0x010f);
  assert_int_equal(*(int *)dlsym(loaded.so, "_maria_sizeof_struct_st_plugin_"),
                   sizeof(struct st_maria_plugin));
  assert_int_equal(loaded.methods->interface_version, 0x0300);
}

static void what_information_schema_shows(const struct expectation *expected)
{
  const struct st_maria_plugin *d = loaded.declaration;
  assert_int_equal(d->type, MariaDB_ENCRYPTION_PLUGIN);
  assert_string_equal(d->name, expected->name);
  assert_string_equal(d->author, "Keyhold");
  assert_int_equal(d->license, PLUGIN_LICENSE_GPL);
  assert_int_equal(d->maturity, expected->maturity);
  assert_int_equal(d[1].type, 0);
  assert_null(d[1].name);
}

/* the server uses its own AES-CBC for NULL; either all five functions exist or none */
static void methods(const struct expectation *expected)
{
  assert_non_null(loaded.methods->get_latest_key_version);
  assert_non_null(loaded.methods->get_key);
  assert_int_equal(loaded.methods->crypt_ctx_size != NULL, expected->crypts);
  assert_int_equal(loaded.methods->crypt_ctx_init != NULL, expected->crypts);
  assert_int_equal(loaded.methods->crypt_ctx_update != NULL, expected->crypts);
  assert_int_equal(loaded.methods->crypt_ctx_finish != NULL, expected->crypts);
  assert_int_equal(loaded.methods->encrypted_length != NULL, expected->crypts);
}

static void number_of_variables(const struct expectation *expected)
{
  size_t count = 0;
  while (loaded.declaration->system_vars != NULL && loaded.declaration->system_vars[count] != NULL)
    count++;
  assert_int_equal(count, expected->variables);
}

static void of_every_plugin(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(plugins); i++) {
    plugin_open(&loaded, plugins[i].so);
    versions_of_the_interface(&plugins[i]);
    what_information_schema_shows(&plugins[i]);
    methods(&plugins[i]);
    number_of_variables(&plugins[i]);
    plugin_close(&loaded, false);
  }
}

static int open_file(void **state)
{
  plugin_open(&loaded, "file");
  *state = &loaded;
  return 0;
}

static int open_debug(void **state)
{
  plugin_open(&loaded, "debug");
  *state = &loaded;
  return 0;
}

static void assert_variable(const char *name, int type)
{
  const struct any *variable = (void *)plugin_variable(&loaded, name);
  assert_non_null(variable);
  assert_int_equal(variable->flags & (0x7f | PLUGIN_VAR_UNSIGNED), type);
  assert_false(variable->flags & (PLUGIN_VAR_THDLOCAL | PLUGIN_VAR_NOCMDOPT | PLUGIN_VAR_NOSYSVAR));
}

static void assert_read_only(const char *name, int type)
{
  assert_variable(name, type);
  assert_true(((struct any *)(void *)plugin_variable(&loaded, name))->flags & PLUGIN_VAR_READONLY);
}

static void assert_dynamic(const char *name, int type)
{
  const struct any *variable = (void *)plugin_variable(&loaded, name);
  assert_variable(name, type);
  assert_false(variable->flags & PLUGIN_VAR_READONLY);
  assert_non_null(variable->update);
}

static void variables_of_the_file_plugin(void **state)
{
  (void)state;
  assert_read_only("filename", PLUGIN_VAR_STR);
  assert_read_only("filekey", PLUGIN_VAR_STR);
  assert_read_only("encryption_algorithm", PLUGIN_VAR_ENUM);
  assert_read_only("digest", PLUGIN_VAR_ENUM);
  assert_read_only("crypto_engine", PLUGIN_VAR_ENUM);
  assert_read_only("use_pbkdf2", PLUGIN_VAR_INT | PLUGIN_VAR_UNSIGNED);
  assert_read_only("strict_permissions", PLUGIN_VAR_BOOL);
  assert_read_only("argon2_memory_max", PLUGIN_VAR_INT | PLUGIN_VAR_UNSIGNED);
  assert_dynamic("reload", PLUGIN_VAR_BOOL);
  assert_dynamic("rotate_key", PLUGIN_VAR_LONGLONG);
  assert_dynamic("save", PLUGIN_VAR_ENUM);
  assert_dynamic("auto_reload", PLUGIN_VAR_BOOL);
  assert_dynamic("auto_rotate", PLUGIN_VAR_BOOL);
}

struct enum_variable {
  MYSQL_PLUGIN_VAR_HEADER;
  unsigned long *value;
  unsigned long def_val;
  TYPELIB *typelib;
};

static void assert_choices(const char *name, unsigned long def_val, const char *const *choices,
                           unsigned count)
{
  const struct enum_variable *variable = (void *)plugin_variable(&loaded, name);
  assert_int_equal(variable->def_val, def_val);
  assert_int_equal(variable->typelib->count, count);
  for (unsigned i = 0; i < count; i++)
    assert_string_equal(variable->typelib->type_names[i], choices[i]);
  assert_null(variable->typelib->type_names[count]);
}

static void assert_limits(const char *name, unsigned def_val, unsigned min_val, unsigned max_val)
{
  const struct {
    MYSQL_PLUGIN_VAR_HEADER;
    unsigned *value;
    unsigned def_val, min_val, max_val, blk_sz;
  } *variable = (void *)plugin_variable(&loaded, name);
  assert_int_equal(variable->def_val, def_val);
  assert_int_equal(variable->min_val, min_val);
  assert_int_equal(variable->max_val, max_val);
}

static void choices_and_defaults(void **state)
{
  (void)state;
  static const char *const algorithms[] = {"aes_cbc", "aes_ctr"};
  static const char *const digests[] = {"sha1", "sha224", "sha256", "sha384", "sha512", "md5"};
  assert_choices("encryption_algorithm", 0, algorithms, COUNT(algorithms));
  static const char *const engines[] = {"auto", "openssl", "ipsec_mb"};
  assert_choices("digest", 0, digests, COUNT(digests));
  assert_choices("crypto_engine", 0, engines, COUNT(engines));
  assert_limits("use_pbkdf2", 0, 0, INT_MAX);
}

static void the_variable_of_the_debug_plugin(void **state)
{
  (void)state;
  assert_variable("version", PLUGIN_VAR_INT | PLUGIN_VAR_UNSIGNED);
  assert_false(((struct any *)(void *)plugin_variable(&loaded, "version"))->flags &
               PLUGIN_VAR_READONLY);
  assert_limits("version", 1, 1, 4294967294u);
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_every_plugin),
      cmocka_unit_test_setup_teardown(variables_of_the_file_plugin, open_file,
                                      plugin_tear_down_unstarted),
      cmocka_unit_test_setup_teardown(choices_and_defaults, open_file, plugin_tear_down_unstarted),
      cmocka_unit_test_setup_teardown(the_variable_of_the_debug_plugin, open_debug,
                                      plugin_tear_down_unstarted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
