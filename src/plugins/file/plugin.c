/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin file_key_management: descriptor, start and end. */
#include <mysql/plugin.h>

#include "keyhold/keyfile.h"
#include "keyhold/keytable.h"
#include "keyhold/version.h"
#include "options.h"
#include "server/encryption.h"
#include "server/report.h"
#include "source.h"

#define PLUGIN_NAME "file_key_management"

/* The value of the status variable; written by init, before anybody can ask for it. */
static char engines_in_use[256];

static void report_keys(const kh_log *log, const kh_keytable *table, const char *path,
                        const kh_keyfile_info *info)
{
  if (!info->locked || !kh_keytable_is_locked(table))
    kh_log_write(log, KH_LOG_WARNING,
                 "the keys cannot all be locked into memory and may reach swap: raise the limit of "
                 "locked memory (LimitMEMLOCK= of the server's systemd unit)");
  size_t ids = kh_keytable_id_count(table);
  size_t versions = kh_keytable_version_count(table);
  kh_log_write(log, KH_LOG_NOTE,
               "Keyhold " KEYHOLD_VERSION ": %zu key%s with %zu version%s from '%s' (%s), %s", ids,
               ids == 1 ? "" : "s", versions, versions == 1 ? "" : "s", kh_show_path(path).text,
               info->format, kh_file_options_cipher_name());
}

/* Loads the key file and builds the table of its keys. */
static kh_status load(const kh_crypt *crypt, const kh_log *log, kh_file_keys **ret_keys,
                      kh_fault *ret_fault)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keyfile_info info;
  kh_keyfile_options options = kh_file_options_keyfile();
  kh_status status = kh_keyfile_load(&options, crypt, log, &list, &info, ret_fault);
  if (status != KH_OK)
    return status;
  kh_keytable *table = NULL;
  status = kh_keytable_new(list, &table);
  if (status == KH_OK)
    status = kh_file_keys_new(table, kh_file_options_cipher(), ret_keys);
  if (status != KH_OK) {
    kh_keytable_free(&table);
    return kh_fault_set(ret_fault, status, options.path, 0);
  }
  report_keys(log, table, options.path, &info);
  return KH_OK;
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
