/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file options.h
 * The system variables of file_key_management (docs/options.md).
 */
#ifndef KEYHOLD_PLUGINS_FILE_OPTIONS_H
#define KEYHOLD_PLUGINS_FILE_OPTIONS_H

#include <mysql/plugin.h>

#include "keyhold/keeper.h"
#include "keyhold/store_file.h"

/** The table for the plugin's descriptor. */
extern struct st_mysql_sys_var *kh_file_options[];

/** The settings as the key file reader takes them. The strings belong to the server. */
kh_keyfile_options kh_file_options_keyfile(void);

/** The cipher that `encryption_algorithm` names. */
kh_key_cipher kh_file_options_cipher(void);

/** What `auto_reload` and `auto_rotate` say. */
kh_keeper_background kh_file_options_background(void);

/** Sets the variables that act only when they are set while the server runs to "nothing": an option
 * file may have them, and mariadb-backup gives them back. */
void kh_file_options_calm(void);

/** The AES engine that `crypto_engine` asks for. */
kh_engine_choice kh_file_options_engine(void);

#endif
