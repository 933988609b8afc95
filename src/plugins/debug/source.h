/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file source.h
 * The key source of debug_key_management, and its one system variable: only key id 1, whose latest
 * version is the value of the variable, and whose key is made from the version. Anyone can compute
 * these keys: they protect nothing.
 */
#ifndef KEYHOLD_PLUGINS_DEBUG_SOURCE_H
#define KEYHOLD_PLUGINS_DEBUG_SOURCE_H

#include <mysql/plugin.h>

#include "server/key_source.h"

/** Its functions need no `keys`; it has no uses, for kh_encryption_keys. */
extern const kh_key_source kh_debug_source;

/** The table for the plugin's descriptor (docs/options.md). */
extern struct st_mysql_sys_var *kh_debug_options[];

#endif
