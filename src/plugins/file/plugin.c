/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin file_key_management: descriptor, start and SQL function. */
#include <mysql/plugin.h>

#include "keyhold/version.h"
#include "options.h"
#include "server/encryption.h"
#include "server/inventory_function.h"
#include "server/key_plugin.h"
#include "server/report.h"

#define PLUGIN_NAME "file_key_management"

static const kh_key_plugin file_plugin = {.name = PLUGIN_NAME, .make_store = kh_file_make_store};

static int file_init(void *unused)
{
  (void)unused;
  if (!kh_file_options_are_set()) {
    kh_report_error("file-key-management-filename is not set");
    return 1;
  }
  kh_log log = kh_report_log(PLUGIN_NAME);
  kh_file_warn_of_place(&log);
  return kh_key_plugin_start(&file_plugin);
}

static struct st_mysql_show_var status_variables[] = KH_KEY_PLUGIN_STATUS("File_key_management");

KH_INVENTORY_FUNCTION(file_key_management_keys, PLUGIN_NAME)

maria_declare_plugin(file_key_management){
    MariaDB_ENCRYPTION_PLUGIN,
    &kh_encryption,
    PLUGIN_NAME,
    "Keyhold",
    "Keys for data-at-rest encryption from a file",
    PLUGIN_LICENSE_GPL,
    file_init,
    kh_key_plugin_stop,
    KEYHOLD_VERSION_HEX,
    status_variables,
    kh_file_options,
    KEYHOLD_VERSION,
    MariaDB_PLUGIN_MATURITY_STABLE,
} maria_declare_plugin_end;
