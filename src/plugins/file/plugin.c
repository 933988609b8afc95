/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin file_key_management: descriptor, start and end. */
#include <mysql/plugin.h>

#include "control.h"
#include "keyhold/version.h"
#include "options.h"
#include "server/encryption.h"
#include "server/process.h"
#include "server/report.h"
#include "source.h"

#define PLUGIN_NAME "file_key_management"

/* The value of the status variable; written by init, before anybody can ask for it. */
static char engines_in_use[256];

static bool is_up(void *unused)
{
  (void)unused;
  return kh_process_is_up();
}

/* Loads the key file. */
static kh_status load(const kh_crypt *crypt, const kh_log *log, kh_file_keys **ret_keys,
                      kh_fault *ret_fault)
{
  kh_keeper_options options = {
      .keyfile = kh_file_options_keyfile(),
      .default_cipher = kh_file_options_cipher(),
      .crypt = crypt,
      .log = *log,
      .clock = kh_clock_system(),
      .is_up = is_up,
  };
  return kh_file_keys_new(&options, ret_keys, ret_fault);
}

static int file_init(void *unused)
{
  (void)unused;
  if (kh_file_options_keyfile().path[0] == '\0') {
    kh_report_error("file-key-management-filename is not set");
    return 1;
  }
  kh_log log = kh_report_log(PLUGIN_NAME);
  kh_crypt *crypt = NULL;
  kh_file_keys *keys = NULL;
  kh_fault fault = {0};
  kh_file_options_calm();
  kh_status status = kh_crypt_new(kh_file_options_engine(), &crypt);
  if (status != KH_OK)
    kh_fault_set(&fault, status, PLUGIN_NAME "_crypto_engine", 0);
  else
    status = load(crypt, &log, &keys, &fault);
  if (status != KH_OK) {
    kh_report_fault(&fault);
    kh_crypt_free(&crypt);
    return 1;
  }
  kh_crypt_describe_engines(crypt, engines_in_use, sizeof engines_in_use);
  kh_log_write(&log, KH_LOG_NOTE, "AES engines: %s", engines_in_use);
  kh_encryption_start(&kh_file_source, keys, crypt);
  kh_file_begin_duties(kh_file_keys_keeper(keys));
  return 0;
}

static struct st_mysql_show_var status_variables[] = {
    {"File_key_management_crypto_engine", engines_in_use, SHOW_CHAR},
    {NULL, NULL, SHOW_UNDEF},
};

static int file_deinit(void *unused)
{
  (void)unused;
  kh_encryption_stop();
  return 0;
}

maria_declare_plugin(file_key_management){
    MariaDB_ENCRYPTION_PLUGIN,
    &kh_encryption,
    PLUGIN_NAME,
    "Keyhold",
    "Keys for data-at-rest encryption from a file",
    PLUGIN_LICENSE_GPL,
    file_init,
    file_deinit,
    KEYHOLD_VERSION_HEX,
    status_variables,
    kh_file_options,
    KEYHOLD_VERSION,
    MariaDB_PLUGIN_MATURITY_STABLE,
} maria_declare_plugin_end;
