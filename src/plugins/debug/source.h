/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file source.h
 * The key source of debug_key_management, and its one system variable. It has key id 1 only. The
 * variable is the latest version, and the key is computed from the version. Anyone can compute
 * these keys: they protect nothing.
 */
#ifndef KEYHOLD_PLUGINS_DEBUG_SOURCE_H
#define KEYHOLD_PLUGINS_DEBUG_SOURCE_H

#include <mysql/plugin.h>

#include "server/key_source.h"

/** Its functions need no `keys`. It has no `cipher`: for kh_encryption_keys. */
extern const kh_key_source kh_debug_source;

/** The table for the plugin's descriptor (docs/options.md). */
extern struct st_mysql_sys_var *kh_debug_options[];

#endif
