/* SPDX-License-Identifier: GPL-2.0-only */
#include "plugin.h"

#include <stdio.h>
#include <string.h>

#include "cli/output/message.h"

/* The status variable tells what the file's name does not: any file can be copied to another name.
 * An uninstalled plugin, whose status is DELETED, works until the server stops. */
static const char plugin_question[] =
    "SELECT p.PLUGIN_LIBRARY, s.VARIABLE_VALUE FROM information_schema.PLUGINS p LEFT JOIN "
    "information_schema.GLOBAL_STATUS s ON s.VARIABLE_NAME = 'FILE_KEY_MANAGEMENT_FINGERPRINT' "
    "WHERE p.PLUGIN_TYPE = 'ENCRYPTION' AND p.PLUGIN_STATUS IN ('ACTIVE', 'DELETED')";

bool kh_cli_plugin_read(kh_cli_server *server, kh_cli_plugin *ret_plugin)
{
  KH_CLI_AUTO_ROWS rows = kh_cli_server_ask(server, plugin_question);
  if (rows == NULL)
    return false;
  kh_cli_plugin plugin = {.library = ""};
  const char *const *row = kh_cli_rows_next(rows);
  if (row != NULL && row[0] != NULL)
    snprintf(plugin.library, sizeof plugin.library, "%s", row[0]);
  if (row != NULL && row[1] != NULL)
    snprintf(plugin.fingerprint.text, sizeof plugin.fingerprint.text, "%s", row[1]);
  *ret_plugin = plugin;
  return true;
}

bool kh_cli_plugin_warn_of_servers_own(const kh_cli_plugin *plugin)
{
  bool is_own =
      plugin->fingerprint.text[0] == '\0' && strcmp(plugin->library, "file_key_management.so") == 0;
  if (is_own)
    kh_cli_message("the server runs its own plugin, 'file_key_management.so', not "
                   "'keyhold_file.so': remove 'plugin_load_add = file_key_management' from all "
                   "option files, and restart the server");
  return is_own;
}
