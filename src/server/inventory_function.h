/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file inventory_function.h
 * The SQL function NAME_key_management_keys() of a key management plugin (docs/inventory.md).
 */
#ifndef KEYHOLD_SERVER_INVENTORY_FUNCTION_H
#define KEYHOLD_SERVER_INVENTORY_FUNCTION_H

#include <mysql.h>

/** Implements `function`_init: refuses arguments, and a call without the plugin.
 *
 * @param plugin_name  a constant string. */
my_bool kh_inventory_init(UDF_INIT *init, const UDF_ARGS *args, char *message,
                          const char *plugin_name);

/** Implements `function`: returns the inventory of the keys in force. The server ends the plugin
 * only after the last statement.
 *
 * @param name  of the function, for messages; a constant string. */
char *kh_inventory_text(const UDF_INIT *init, const char *name, unsigned long *ret_len,
                        char *ret_error);

/** Implements `function`_deinit. */
void kh_inventory_deinit(UDF_INIT *init);

/**
 * Defines the three functions that the server finds by their names; cmake/plugin.map exports them.
 * The server's own buffer, `result`, has room for a short text only.
 *
 * @param function     NAME_key_management_keys, without quotes.
 * @param plugin_name  NAME_key_management, a string.
 */
#define KH_INVENTORY_FUNCTION(function, plugin_name)                                               \
  my_bool function##_init(UDF_INIT *init, UDF_ARGS *args, char *message);                          \
  my_bool function##_init(UDF_INIT *init, UDF_ARGS *args, char *message)                           \
  {                                                                                                \
    return kh_inventory_init(init, args, message, plugin_name);                                    \
  }                                                                                                \
  char *function(UDF_INIT *init, UDF_ARGS *args, char *result, unsigned long *ret_len,             \
                 char *ret_is_null, char *ret_error);                                              \
  char *function(UDF_INIT *init, UDF_ARGS *args, char *result, unsigned long *ret_len,             \
                 char *ret_is_null, char *ret_error)                                               \
  {                                                                                                \
    (void)args;                                                                                    \
    (void)result;                                                                                  \
    (void)ret_is_null;                                                                             \
    return kh_inventory_text(init, #function, ret_len, ret_error);                                 \
  }                                                                                                \
  void function##_deinit(UDF_INIT *init);                                                          \
  void function##_deinit(UDF_INIT *init)                                                           \
  {                                                                                                \
    kh_inventory_deinit(init);                                                                     \
  }

#endif
