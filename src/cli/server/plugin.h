/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file plugin.h
 * The encryption plugin that a server runs: Keyhold's and the server's own have the same name.
 */
#ifndef KEYHOLD_CLI_PLUGIN_H
#define KEYHOLD_CLI_PLUGIN_H

#include "keyhold/fingerprint.h"
#include "server.h"

/** Bytes of a file name with its NUL. */
enum { KH_CLI_LIBRARY_MAX = 255 + 1 };

/** The plugin. */
typedef struct kh_cli_plugin {
  char library[KH_CLI_LIBRARY_MAX]; /**< the name of its file; "": there is no encryption plugin */
  kh_fingerprint fingerprint;       /**< of the keys in use; "": it is not keyhold_file */
} kh_cli_plugin;

/**
 * Queries a server. Needs no privilege.
 *
 * @param ret_plugin  untouched on failure.
 * @return false: a message has the reason.
 */
bool kh_cli_plugin_read(kh_cli_server *server, kh_cli_plugin *ret_plugin);

/** Prints a message if the server runs its own file_key_management. Returns whether it does. */
bool kh_cli_plugin_warn_of_servers_own(const kh_cli_plugin *plugin);

#endif
