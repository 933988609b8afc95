/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file options.h
 * The system variables of file_key_management (docs/options.md), and the store that they describe.
 */
#ifndef KEYHOLD_PLUGINS_FILE_OPTIONS_H
#define KEYHOLD_PLUGINS_FILE_OPTIONS_H

#include <mysql/plugin.h>
#include <stdbool.h>

#include "keyhold/crypt.h"
#include "keyhold/log.h"
#include "keyhold/store.h"

/** The table for the plugin's descriptor. */
extern struct st_mysql_sys_var *kh_file_options[];

/** Returns whether the variables name a key file. */
bool kh_file_options_are_set(void);

/** Warns in a server whose key file is inside its data directory (links are followed), or cannot be
 * rotated: by mistake, or while `auto_rotate` is on. */
void kh_file_warn_of_place(const kh_log *log);

/** Makes the store: kh_key_plugin.make_store of this plugin. */
KH_MUST_USE kh_status kh_file_make_store(const kh_crypt *crypt, const kh_log *log,
                                         kh_store *ret_store, kh_fault *ret_fault);

#endif
