/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file key_plugin.h
 * What the key management plugins over a keeper share: the system variables that act on keys, the
 * status variables, start and end. A plugin adds two small files: options.c has its own system
 * variables and makes a store of them, plugin.c has its descriptor (docs/writing-a-plugin.md).
 */
#ifndef KEYHOLD_SERVER_KEY_PLUGIN_H
#define KEYHOLD_SERVER_KEY_PLUGIN_H

#include <mysql/plugin.h>

#include "keyhold/crypt.h"
#include "keyhold/limits.h"
#include "keyhold/log.h"
#include "keyhold/store.h"
#include "server/quirks.h"

/** A plugin. */
typedef struct kh_key_plugin {
  const char *name; /**< "file_key_management"; constant */

  /**
   * Makes the store that the plugin's system variables describe.
   *
   * @param crypt      outlives the store.
   * @param log        outlives the call.
   * @param ret_store  for kh_store_free(); untouched on failure.
   * @param ret_fault  filled on failure.
   */
  kh_status (*make_store)(const kh_crypt *crypt, const kh_log *log, kh_store *ret_store,
                          kh_fault *ret_fault);
} kh_key_plugin;

/**
 * Does the work of the plugin's init: loads the keys and, in a server, starts the background
 * thread. Reports a failure.
 *
 * @param plugin  a constant table.
 * @return 0, or 1: the plugin cannot start.
 */
int kh_key_plugin_start(const kh_key_plugin *plugin);

/** Does the work of the plugin's deinit. @param unused  any value. @return 0. */
int kh_key_plugin_stop(void *unused);

/** Shows the status variables; their names begin with the plugin's. Thread-safe. */
int kh_key_plugin_show(MYSQL_THD thd, struct st_mysql_show_var *var, void *buff,
                       struct system_status_var *status_var, enum enum_var_type scope);

/** The initializer of the plugin's array of status variables.
 *
 * @param prefix  the plugin's name with a capital, a string. */
#define KH_KEY_PLUGIN_STATUS(prefix)                                                               \
  {                                                                                                \
    {prefix, (void *)kh_key_plugin_show, SHOW_FUNC},                                               \
    {                                                                                              \
      NULL, NULL, SHOW_UNDEF                                                                       \
    }                                                                                              \
  }

/** The values of the system variables that all plugins share. The server writes them. */
typedef struct kh_key_plugin_values {
  unsigned long encryption_algorithm;
  unsigned long crypto_engine;
  char reload;
  long long rotate_key;
  unsigned long save;
  char auto_reload;
  char auto_rotate;
} kh_key_plugin_values;

extern kh_key_plugin_values kh_key_plugin_settings;

extern kh_choices kh_key_plugin_algorithms, kh_key_plugin_engines, kh_key_plugin_savings;

/*
 * The callbacks of SET GLOBAL (mysql/plugin.h). The check functions do the slow work without a lock
 * of the server, and pass a token to the update functions, which put its change in force. The
 * variables `reload`, `rotate_key` and `save` always keep their defaults. The server does not call
 * check functions for DEFAULT.
 */
int kh_key_plugin_check_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                               struct st_mysql_value *value);
int kh_key_plugin_check_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                                   struct st_mysql_value *value);
int kh_key_plugin_check_save(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                             struct st_mysql_value *value);
void kh_key_plugin_update_save(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                               const void *save);
void kh_key_plugin_update_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                                 const void *save);
void kh_key_plugin_update_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                                     const void *save);
void kh_key_plugin_update_background(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                                     const void *save);

/**
 * Defines the system variables that all plugins share.
 *
 * @param noun  what the comments of the variables call the store: "key file".
 */
#define KH_KEY_PLUGIN_SYSVARS(noun)                                                                \
  static MYSQL_SYSVAR_ENUM(                                                                        \
      encryption_algorithm, kh_key_plugin_settings.encryption_algorithm,                           \
      PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,                                                   \
      "Cipher: aes_cbc, or aes_ctr (with GCM where the server asks for padding)", NULL, NULL, 0,   \
      &kh_key_plugin_algorithms.typelib);                                                          \
  static MYSQL_SYSVAR_ENUM(                                                                        \
      crypto_engine, kh_key_plugin_settings.crypto_engine,                                         \
      PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY,                                                   \
      "Library that computes AES: auto uses the fastest one available for each operation", NULL,   \
      NULL, KH_ENGINE_AUTO, &kh_key_plugin_engines.typelib);                                       \
  static MYSQL_SYSVAR_BOOL(reload, kh_key_plugin_settings.reload, PLUGIN_VAR_OPCMDARG,             \
                           "ON reads the " noun " again. The value shown is always OFF",           \
                           kh_key_plugin_check_reload, kh_key_plugin_update_reload, 0);            \
  static MYSQL_SYSVAR_LONGLONG(rotate_key, kh_key_plugin_settings.rotate_key, PLUGIN_VAR_RQCMDARG, \
                               "Make a new version of the key with this id (-1: of all keys) and " \
                               "write it into the " noun ". The value shown is always 0",          \
                               kh_key_plugin_check_rotate_key, kh_key_plugin_update_rotate_key, 0, \
                               -1, KH_KEY_ID_MAX, 1);                                              \
  static MYSQL_SYSVAR_ENUM(                                                                        \
      save, kh_key_plugin_settings.save, PLUGIN_VAR_RQCMDARG,                                      \
      "ON writes the keys in use that the " noun " lacks into it; REPLACE writes all into a new "  \
      "one, if the present one does not open. The value shown is always OFF",                      \
      kh_key_plugin_check_save, kh_key_plugin_update_save, 0, &kh_key_plugin_savings.typelib);     \
  static MYSQL_SYSVAR_BOOL(auto_reload, kh_key_plugin_settings.auto_reload, PLUGIN_VAR_OPCMDARG,   \
                           "Reload the " noun " when it changes", NULL,                            \
                           kh_key_plugin_update_background, 0);                                    \
  static MYSQL_SYSVAR_BOOL(auto_rotate, kh_key_plugin_settings.auto_rotate, PLUGIN_VAR_OPCMDARG,   \
                           "Rotate keys whose interval (rotate= in the " noun ") has passed",      \
                           NULL, kh_key_plugin_update_background, 0)

/** The same variables, for the plugin's table of them. */
#define KH_KEY_PLUGIN_SYSVARS_LIST                                                                 \
  MYSQL_SYSVAR(encryption_algorithm), MYSQL_SYSVAR(crypto_engine), MYSQL_SYSVAR(reload),           \
      MYSQL_SYSVAR(rotate_key), MYSQL_SYSVAR(save), MYSQL_SYSVAR(auto_reload),                     \
      MYSQL_SYSVAR(auto_rotate)

#endif
