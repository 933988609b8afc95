/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptor is the contract with the server: compat facts, one by one. */
#include <dlfcn.h>
#include <limits.h>
#include <string.h>

#include "plugin.h"
#include "unit.h"
#include <typelib.h> /* needs mysql/plugin.h before it */

struct any {
  MYSQL_PLUGIN_VAR_HEADER;
};

static test_plugin loaded;

static int open_plugin(void **state)
{
  (void)state;
  plugin_open(&loaded);
  return 0;
}

static int close_plugin(void **state)
{
  (void)state;
  plugin_close(&loaded, false);
  return 0;
}

static void versions_of_the_interface(void **state)
{
  (void)state;
  assert_int_equal(*(int *)dlsym(loaded.so, "_maria_plugin_interface_version_"), 0x010f);
  assert_int_equal(*(int *)dlsym(loaded.so, "_maria_sizeof_struct_st_plugin_"),
                   sizeof(struct st_maria_plugin));
  assert_int_equal(loaded.methods->interface_version, 0x0300);
}

static void what_information_schema_shows(void **state)
{
  (void)state;
  const struct st_maria_plugin *d = loaded.declaration;
  assert_int_equal(d->type, MariaDB_ENCRYPTION_PLUGIN);
  assert_string_equal(d->name, "file_key_management");
  assert_int_equal(d->license, PLUGIN_LICENSE_GPL);
  assert_int_equal(d->maturity, MariaDB_PLUGIN_MATURITY_STABLE);
  assert_int_equal(d[1].type, 0);
  assert_null(d[1].name);
}

static void every_method_is_there(void **state)
{
  (void)state;
  assert_non_null(loaded.methods->get_latest_key_version);
  assert_non_null(loaded.methods->get_key);
  assert_non_null(loaded.methods->crypt_ctx_size);
  assert_non_null(loaded.methods->crypt_ctx_init);
  assert_non_null(loaded.methods->crypt_ctx_update);
  assert_non_null(loaded.methods->crypt_ctx_finish);
  assert_non_null(loaded.methods->encrypted_length);
}

static void assert_variable(const char *name, int type)
{
  const struct any *variable = (void *)plugin_variable(&loaded, name);
  assert_non_null(variable);
  assert_int_equal(variable->flags & (0x7f | PLUGIN_VAR_UNSIGNED), type);
  assert_true(variable->flags & PLUGIN_VAR_READONLY);
  assert_false(variable->flags & (PLUGIN_VAR_THDLOCAL | PLUGIN_VAR_NOCMDOPT | PLUGIN_VAR_NOSYSVAR));
}

static void the_variables_and_no_others(void **state)
{
  (void)state;
  size_t count = 0;
  while (loaded.declaration->system_vars[count] != NULL)
    count++;
  assert_int_equal(count, 5);
  assert_variable("filename", PLUGIN_VAR_STR);
  assert_variable("filekey", PLUGIN_VAR_STR);
  assert_variable("encryption_algorithm", PLUGIN_VAR_ENUM);
  assert_variable("digest", PLUGIN_VAR_ENUM);
  assert_variable("use_pbkdf2", PLUGIN_VAR_INT | PLUGIN_VAR_UNSIGNED);
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

static void choices_and_defaults(void **state)
{
  (void)state;
  static const char *const algorithms[] = {"aes_cbc", "aes_ctr"};
  static const char *const digests[] = {"sha1", "sha224", "sha256", "sha384", "sha512"};
  assert_choices("encryption_algorithm", 0, algorithms, COUNT(algorithms));
  assert_choices("digest", 0, digests, COUNT(digests));
  struct {
    MYSQL_PLUGIN_VAR_HEADER;
    unsigned *value;
    unsigned def_val, min_val, max_val, blk_sz;
  } *iterations = (void *)plugin_variable(&loaded, "use_pbkdf2");
  assert_int_equal(iterations->def_val, 0);
  assert_int_equal(iterations->min_val, 0);
  assert_int_equal(iterations->max_val, INT_MAX);
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_so = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(versions_of_the_interface), cmocka_unit_test(what_information_schema_shows),
      cmocka_unit_test(every_method_is_there),     cmocka_unit_test(the_variables_and_no_others),
      cmocka_unit_test(choices_and_defaults),
  };
  return cmocka_run_group_tests(tests, open_plugin, close_plugin);
}
