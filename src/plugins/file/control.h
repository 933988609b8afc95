/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file control.h
 * What SET GLOBAL does with the variables of file_key_management that can be set: the check
 * functions do the slow work without a lock of the server, the update functions put its result in
 * force (mysql/plugin.h).
 */
#ifndef KEYHOLD_PLUGINS_FILE_CONTROL_H
#define KEYHOLD_PLUGINS_FILE_CONTROL_H

#include <mysql/plugin.h>

#include "keyhold/keeper.h"

/** `reload`: ON reads the key file again. */
int kh_file_check_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                         struct st_mysql_value *value);

/** `rotate_key`: a key id, or -1 for all; 0 does nothing. */
int kh_file_check_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                             struct st_mysql_value *value);

/** After either, unless the value is OFF or 0 (which DEFAULT is too, without a check): puts the
 * keys in force. The variable keeps its value, which says "nothing". */
void kh_file_update_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                           const void *save);
void kh_file_update_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                               const void *save);

/** `auto_reload`, `auto_rotate`: takes the new value, and has it done. */
void kh_file_update_background(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                               const void *save);

/** Has the keeper do what `auto_reload` and `auto_rotate` say now, in a server; in any other
 * process nothing. */
void kh_file_begin_background(kh_keeper *keeper);

#endif
