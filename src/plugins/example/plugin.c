/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin example_key_management: descriptor, start and end. */
#include <mysql/plugin.h>

#include "keyhold/version.h"
#include "server/encryption.h"
#include "server/report.h"
#include "source.h"

#define PLUGIN_NAME "example_key_management"

static int example_init(void *unused)
{
  (void)unused;
  kh_clock clock = kh_clock_system();
  kh_crypt *crypt = NULL;
  kh_example_keys *keys = NULL;
  kh_fault fault = {0};
  kh_status status = kh_crypt_new(KH_ENGINE_AUTO, &crypt);
  if (status == KH_OK)
    status = kh_example_keys_new(&clock, &keys);
  if (status != KH_OK) {
    kh_fault_set(&fault, status, PLUGIN_NAME, 0);
    kh_report_fault(&fault);
    kh_crypt_free(&crypt);
    return 1;
  }
  kh_report_for_tests_only(PLUGIN_NAME, "the key id and the time");
  kh_encryption_start(&kh_example_source, keys, crypt);
  return 0;
}

static int example_deinit(void *unused)
{
  (void)unused;
  kh_encryption_stop();
  return 0;
}

maria_declare_plugin(example_key_management){
    MariaDB_ENCRYPTION_PLUGIN,
    &kh_encryption,
    PLUGIN_NAME,
    "Keyhold",
    "Keys made from the time, for tests of key rotation only",
    PLUGIN_LICENSE_GPL,
    example_init,
    example_deinit,
    KEYHOLD_VERSION_HEX,
    NULL,
    NULL,
    KEYHOLD_VERSION,
    MariaDB_PLUGIN_MATURITY_EXPERIMENTAL,
} maria_declare_plugin_end;
