/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file udf.h
 * The SQL function file_key_management_keys() (docs/inventory.md). The server finds these three by
 * their names; cmake/plugin.map exports them.
 */
#ifndef KEYHOLD_PLUGINS_FILE_UDF_H
#define KEYHOLD_PLUGINS_FILE_UDF_H

#include <mysql.h>

my_bool file_key_management_keys_init(UDF_INIT *init, UDF_ARGS *args, char *message);
char *file_key_management_keys(UDF_INIT *init, UDF_ARGS *args, char *result, unsigned long *ret_len,
                               char *ret_is_null, char *ret_error);
void file_key_management_keys_deinit(UDF_INIT *init);

#endif
