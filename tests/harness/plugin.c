/* SPDX-License-Identifier: GPL-2.0-only */
#include "plugin.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

plugin_heard plugin_heard_now;
const char *plugin_folder;

static char path[4096];

/* the layouts that the MYSQL_SYSVAR_* macros of mysql/plugin.h give a variable */
struct any_variable {
  MYSQL_PLUGIN_VAR_HEADER;
};
struct string_variable {
  MYSQL_PLUGIN_VAR_HEADER;
  char **value;
  char *def_val;
};
struct enum_variable {
  MYSQL_PLUGIN_VAR_HEADER;
  unsigned long *value;
  unsigned long def_val;
};
struct uint_variable {
  MYSQL_PLUGIN_VAR_HEADER;
  unsigned *value;
  unsigned def_val;
};

struct bool_variable {
  MYSQL_PLUGIN_VAR_HEADER;
  char *value;
  const char def_val;
};
struct longlong_variable {
  MYSQL_PLUGIN_VAR_HEADER;
  long long *value;
  long long def_val;
};

static void die(const char *what)
{
  fprintf(stderr, "%s: %s\n", path, what);
  abort();
}

static pthread_mutex_t hearing = PTHREAD_MUTEX_INITIALIZER;

static void hear(unsigned number, unsigned long flags, const char *format, va_list arguments)
{
  plugin_heard *heard = &plugin_heard_now;
  size_t used = strlen(heard->text);
  if (flags & ME_NOTE)
    heard->notes++;
  else if (flags & ME_WARNING)
    heard->warnings++;
  else {
    heard->errors++;
    heard->last_error = number;
  }
  if ((flags & (ME_ERROR_LOG | ME_ERROR_LOG_ONLY)) == 0)
    die("a message that does not reach the error log");
  if (used + 2 < sizeof heard->text) {
    vsnprintf(heard->text + used, sizeof heard->text - used - 1, format, arguments);
    strcat(heard->text, "\n");
  }
}

/* The server's program exports this, and so does the test's (CMakeLists.txt): the plugin finds it
 * there. */
#undef my_printf_error
__attribute__((visibility("default"))) void my_printf_error(unsigned number, const char *format,
                                                            unsigned long flags, ...);
void my_printf_error(unsigned number, const char *format, unsigned long flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  pthread_mutex_lock(&hearing);
  hear(number, flags, format, arguments);
  pthread_mutex_unlock(&hearing);
  va_end(arguments);
}

static void set_defaults(const test_plugin *plugin)
{
  for (struct st_mysql_sys_var **var = plugin->declaration->system_vars;
       var != NULL && *var != NULL; var++) {
    void *any = *var;
    switch (((struct any_variable *)any)->flags & 0x7f) {
    case PLUGIN_VAR_STR:
      *((struct string_variable *)any)->value = ((struct string_variable *)any)->def_val;
      break;
    case PLUGIN_VAR_ENUM:
      *((struct enum_variable *)any)->value = ((struct enum_variable *)any)->def_val;
      break;
    case PLUGIN_VAR_INT:
      *((struct uint_variable *)any)->value = ((struct uint_variable *)any)->def_val;
      break;
    case PLUGIN_VAR_BOOL:
      *((struct bool_variable *)any)->value = ((struct bool_variable *)any)->def_val;
      break;
    case PLUGIN_VAR_LONGLONG:
      *((struct longlong_variable *)any)->value = ((struct longlong_variable *)any)->def_val;
      break;
    default:
      die("a variable of a type that this harness does not know");
    }
  }
  const char *engine = getenv("KEYHOLD_TEST_ENGINE");
  if (engine != NULL && plugin_variable(plugin, "crypto_engine") != NULL)
    plugin_set_enum(plugin, "crypto_engine", strtoul(engine, NULL, 10));
}

void plugin_open(test_plugin *plugin, const char *name)
{
  plugin_quiet();
  snprintf(path, sizeof path, "%s/keyhold_%s.so", plugin_folder, name);
  plugin->so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin->so == NULL)
    die(dlerror());
  plugin->declaration = dlsym(plugin->so, "_maria_plugin_declarations_");
  if (plugin->declaration == NULL)
    die("no descriptor");
  plugin->methods = plugin->declaration->info;
  plugin->version = 1;
  set_defaults(plugin);
}

void plugin_close(test_plugin *plugin, bool started)
{
  if (started && plugin->declaration->deinit(NULL) != 0)
    die("deinit failed");
  dlclose(plugin->so);
  memset(plugin, 0, sizeof *plugin);
}

int plugin_tear_down(void **state)
{
  plugin_close(*state, true);
  return 0;
}

int plugin_tear_down_unstarted(void **state)
{
  plugin_close(*state, false);
  return 0;
}

bool plugin_start(test_plugin *plugin)
{
  return plugin->declaration->init(NULL) == 0;
}

void plugin_run(test_plugin *plugin, const char *name)
{
  plugin_open(plugin, name);
  if (!plugin_start(plugin))
    die(plugin_heard_now.text);
}

void plugin_run_file(test_plugin *plugin, const char *filename, const char *filekey,
                     unsigned long algorithm)
{
  plugin_open(plugin, "file");
  plugin_set_string(plugin, "filename", filename);
  plugin_set_string(plugin, "filekey", filekey);
  plugin_set_enum(plugin, "encryption_algorithm", algorithm);
  if (!plugin_start(plugin))
    die(plugin_heard_now.text);
}

struct st_mysql_sys_var *plugin_variable(const test_plugin *plugin, const char *name)
{
  for (struct st_mysql_sys_var **var = plugin->declaration->system_vars;
       var != NULL && *var != NULL; var++)
    if (strcmp(((struct any_variable *)(void *)*var)->name, name) == 0)
      return *var;
  return NULL;
}

static void *needed(const test_plugin *plugin, const char *name)
{
  void *variable = plugin_variable(plugin, name);
  if (variable == NULL)
    die(name);
  return variable;
}

void plugin_set_string(const test_plugin *plugin, const char *name, const char *value)
{
  *((struct string_variable *)needed(plugin, name))->value = (char *)value;
}

void plugin_set_enum(const test_plugin *plugin, const char *name, unsigned long value)
{
  *((struct enum_variable *)needed(plugin, name))->value = value;
}

void plugin_set_bool(const test_plugin *plugin, const char *name, bool value)
{
  *((struct bool_variable *)needed(plugin, name))->value = value ? 1 : 0;
}

void plugin_set_longlong(const test_plugin *plugin, const char *name, long long value)
{
  *((struct longlong_variable *)needed(plugin, name))->value = value;
}

void plugin_set_uint(const test_plugin *plugin, const char *name, unsigned value)
{
  *((struct uint_variable *)needed(plugin, name))->value = value;
}

void plugin_set_global(const test_plugin *plugin, const char *name, unsigned value)
{
  struct uint_variable *variable = needed(plugin, name);
  variable->update(NULL, (void *)variable, variable->value, &value);
}

/* a value of a SET statement */
struct literal {
  struct st_mysql_value methods; /* first: the methods get a pointer to it */
  const char *text;
  long long number;
  int is_unsigned;
};

static int literal_type(struct st_mysql_value *value)
{
  return ((struct literal *)value)->text == NULL ? MYSQL_VALUE_TYPE_INT : MYSQL_VALUE_TYPE_STRING;
}

static const char *literal_text(struct st_mysql_value *value, char *buffer, int *length)
{
  (void)buffer;
  *length = (int)strlen(((struct literal *)value)->text);
  return ((struct literal *)value)->text;
}

static int literal_number(struct st_mysql_value *value, long long *number)
{
  *number = ((struct literal *)value)->number;
  return 0;
}

static int literal_is_unsigned(struct st_mysql_value *value)
{
  return ((struct literal *)value)->is_unsigned;
}

/* the check function; a BOOL without one takes the number */
static bool check(struct any_variable *variable, struct literal *literal, long long *save)
{
  if (variable->check != NULL)
    return variable->check(NULL, (void *)variable, save, &literal->methods) == 0;
  memcpy(save, &literal->number, (variable->flags & 0x7f) == PLUGIN_VAR_BOOL ? 1 : sizeof *save);
  return true;
}

static struct literal literal_of(const char *text, long long number, bool is_unsigned)
{
  return (struct literal){{literal_type, literal_text, NULL, literal_number, literal_is_unsigned},
                          text,
                          number,
                          is_unsigned};
}

bool plugin_set_checked(const test_plugin *plugin, const char *name, const char *text,
                        long long number, bool is_unsigned)
{
  struct literal literal = literal_of(text, number, is_unsigned);
  struct longlong_variable *variable = needed(plugin, name);
  long long save = 0;
  if (!check((void *)variable, &literal, &save))
    return false;
  variable->update(NULL, (void *)variable, variable->value, &save);
  return true;
}

bool plugin_check(const test_plugin *plugin, const char *name, long long number,
                  plugin_saved *ret_saved)
{
  struct literal literal = literal_of(NULL, number, false);
  ret_saved->value = 0;
  return check(needed(plugin, name), &literal, &ret_saved->value);
}

void plugin_update(const test_plugin *plugin, const char *name, const plugin_saved *saved)
{
  struct longlong_variable *variable = needed(plugin, name);
  variable->update(NULL, (void *)variable, variable->value, &saved->value);
}

void plugin_set_default(const test_plugin *plugin, const char *name)
{
  struct longlong_variable *variable = needed(plugin, name);
  const void *value = &variable->def_val;
  if ((variable->flags & 0x7f) == PLUGIN_VAR_BOOL)
    value = &((struct bool_variable *)(void *)variable)->def_val;
  variable->update(NULL, (void *)variable, variable->value, value);
}

bool plugin_set_half(const test_plugin *plugin, const char *name, long long number)
{
  struct literal literal = literal_of(NULL, number, false);
  long long save = 0;
  return check(needed(plugin, name), &literal, &save);
}

long long plugin_get(const test_plugin *plugin, const char *name)
{
  struct longlong_variable *variable = needed(plugin, name);
  if ((variable->flags & 0x7f) == PLUGIN_VAR_BOOL)
    return *((struct bool_variable *)(void *)variable)->value;
  return *variable->value;
}

void plugin_quiet(void)
{
  memset(&plugin_heard_now, 0, sizeof plugin_heard_now);
}

bool plugin_said(const char *part)
{
  pthread_mutex_lock(&hearing);
  bool found = strstr(plugin_heard_now.text, part) != NULL;
  pthread_mutex_unlock(&hearing);
  return found;
}

bool plugin_must_say(const char *part)
{
  bool found = plugin_said(part);
  if (!found)
    fprintf(stderr, "'%s' is not among what was said:\n%s\n", part, plugin_heard_now.text);
  return found;
}

int plugin_crypt(const test_plugin *plugin, const unsigned char *src, unsigned slen,
                 unsigned char *dst, unsigned *dlen, const unsigned char *key, unsigned klen,
                 const unsigned char *iv, int flags)
{
  _Alignas(16) unsigned char ctx[1024];
  unsigned body = 0xdeadbeef;
  unsigned tail = 0xdeadbeef;
  int init = plugin->methods->crypt_ctx_init(ctx, key, klen, iv, 16, flags, 1, plugin->version);
  if (init != 0)
    return init;
  int update = plugin->methods->crypt_ctx_update(ctx, src, slen, dst, &body);
  int finish = plugin->methods->crypt_ctx_finish(ctx, dst + body, &tail);
  *dlen = body + tail;
  return update != 0 ? update : finish;
}
