/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin debug_key_management: descriptor, start and end. */
#include <mysql/plugin.h>

#include "keyhold/version.h"
#include "server/encryption.h"
#include "server/report.h"
#include "source.h"

#define PLUGIN_NAME "debug_key_management"

static int debug_init(void *unused)
{
  (void)unused;
  kh_report_for_tests_only(PLUGIN_NAME, "the key version");
  kh_encryption_start(&kh_debug_source, NULL, NULL);
  return 0;
}

static int debug_deinit(void *unused)
{
  (void)unused;
  kh_encryption_stop();
  return 0;
}

maria_declare_plugin(debug_key_management){
    MariaDB_ENCRYPTION_PLUGIN,
    &kh_encryption_keys,
    PLUGIN_NAME,
    "Keyhold",
    "One key whose version is set by hand, for tests of key rotation only",
    PLUGIN_LICENSE_GPL,
    debug_init,
    debug_deinit,
    KEYHOLD_VERSION_HEX,
    NULL,
    kh_debug_options,
    KEYHOLD_VERSION,
    MariaDB_PLUGIN_MATURITY_EXPERIMENTAL,
} maria_declare_plugin_end;
