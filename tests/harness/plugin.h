/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file plugin.h
 * A plugin loaded as the server loads one: its descriptor, its variables, its service pointers and
 * its methods.
 */
#ifndef KEYHOLD_TEST_PLUGIN_H
#define KEYHOLD_TEST_PLUGIN_H

#include <mysql/plugin.h>
#include <mysql/plugin_encryption.h>
#include <stdbool.h>

/** One loaded plugin. */
typedef struct test_plugin {
  void *so;
  struct st_maria_plugin *declaration;
  struct st_mariadb_encryption *methods;
  unsigned version; /**< of the key, as plugin_crypt() names it; plugin_open() sets 1 */
} test_plugin;

/** What the plugin has reported by its error service since plugin_open() or plugin_quiet(). */
typedef struct plugin_heard {
  unsigned errors, warnings, notes; /**< lines for the error log, by severity */
  unsigned last_error;              /**< number of the last error */
  char text[32768];                 /**< all of them, a line each */
} plugin_heard;

extern plugin_heard plugin_heard_now;

/** The first argument of the test program: the folder of the plugins. Set by main(). */
extern const char *plugin_folder;

/** Loads keyhold_NAME.so, fills its service pointers and sets every variable to its default. Any
 * failure ends the program. */
void plugin_open(test_plugin *plugin, const char *name);

/** Calls deinit if init had succeeded, and unloads. */
void plugin_close(test_plugin *plugin, bool started);

/** Tear-down: plugin_close() of the plugin that a set-up left in *state, which was started or not.
 */
int plugin_tear_down(void **state);
int plugin_tear_down_unstarted(void **state);

/** Calls init. Returns whether it succeeded. */
bool plugin_start(test_plugin *plugin);

/** Loads and starts; both must succeed. */
void plugin_run(test_plugin *plugin, const char *name);

/** The same for the file plugin, with filename, filekey and encryption_algorithm. */
void plugin_run_file(test_plugin *plugin, const char *filename, const char *filekey,
                     unsigned long algorithm);

/** Returns a variable by its name without the plugin's prefix; NULL if it does not exist. */
struct st_mysql_sys_var *plugin_variable(const test_plugin *plugin, const char *name);

/** Sets a variable, as the server does before init. */
void plugin_set_string(const test_plugin *plugin, const char *name, const char *value);
void plugin_set_enum(const test_plugin *plugin, const char *name, unsigned long value);
void plugin_set_bool(const test_plugin *plugin, const char *name, bool value);
void plugin_set_longlong(const test_plugin *plugin, const char *name, long long value);
void plugin_set_uint(const test_plugin *plugin, const char *name, unsigned value);

/**
 * Does what `SET GLOBAL name = value` does: calls the variable's check function, if it has one, and
 * if that succeeds its update function.
 *
 * @param text  the value as a string; NULL: `number` is the value.
 * @return whether the check function accepted it.
 */
bool plugin_set_checked(const test_plugin *plugin, const char *name, const char *text,
                        long long number, bool is_unsigned);

/** Calls only the check function, with a number: another variable of the statement has failed. */
bool plugin_set_half(const test_plugin *plugin, const char *name, long long number);

/** The value that the server keeps between the check and the update function of a SET statement. */
typedef struct plugin_saved {
  long long value;
} plugin_saved;

/** The two halves of plugin_set_checked() with a number, for statements of several sessions.
 *
 * @return whether the check function accepted it. */
bool plugin_check(const test_plugin *plugin, const char *name, long long number,
                  plugin_saved *ret_saved);
void plugin_update(const test_plugin *plugin, const char *name, const plugin_saved *saved);

/** Does what `SET GLOBAL name = DEFAULT` does with a BOOL or LONGLONG: calls the update function
 * with the default value, and no check function. */
void plugin_set_default(const test_plugin *plugin, const char *name);

/** Returns the value of a variable of type BOOL or LONGLONG. */
long long plugin_get(const test_plugin *plugin, const char *name);

/** Calls the variable's update function, as SET GLOBAL does. */
void plugin_set_global(const test_plugin *plugin, const char *name, unsigned value);

/** Discards the messages so far. */
void plugin_quiet(void);

/** Returns whether some message contains this. */
bool plugin_said(const char *part);

/** Returns whether some message contains this; if none does, prints all messages. */
bool plugin_must_say(const char *part);

/** Crypts a whole message by the server's own function, encryption_crypt() of
 * mysql/service_encryption.h. */
int plugin_crypt(const test_plugin *plugin, const unsigned char *src, unsigned slen,
                 unsigned char *dst, unsigned *dlen, const unsigned char *key, unsigned klen,
                 const unsigned char *iv, int flags);

#endif
