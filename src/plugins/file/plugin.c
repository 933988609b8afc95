/* SPDX-License-Identifier: GPL-2.0-only */
/* The plugin file_key_management: descriptor, start and end. */
#include <mysql/plugin.h>

#include "control.h"
#include "keyhold/version.h"
#include "options.h"
#include "server/encryption.h"
#include "server/process.h"
#include "server/report.h"
#include "server/show.h"
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
      .default_cipher = kh_file_options_cipher(),
      .log = *log,
      .clock = kh_clock_system(),
      .is_up = is_up,
  };
  kh_keyfile_options keyfile = kh_file_options_keyfile();
  kh_store store;
  kh_status status = kh_store_file_new(&keyfile, crypt, log, &store);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, keyfile.path, 0);
  status = kh_file_keys_new(&options, &store, ret_keys, ret_fault);
  if (status != KH_OK)
    kh_store_free(&store);
  return status;
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
  kh_file_begin_background(kh_file_keys_keeper(keys));
  return 0;
}

/* What SHOW STATUS shows, at one moment. */
struct status {
  kh_keeper_stats keys;
  const char *engines;
};

static const kh_show_field status_fields[] = {
    KH_SHOW_FIELD("keys", KH_SHOW_NUMBER, struct status, keys.ids),
    KH_SHOW_FIELD("versions", KH_SHOW_NUMBER, struct status, keys.versions),
    KH_SHOW_FIELD("fingerprint", KH_SHOW_CHARS, struct status, keys.fingerprint),
    KH_SHOW_FIELD("generation", KH_SHOW_NUMBER, struct status, keys.generation),
    KH_SHOW_FIELD("format", KH_SHOW_TEXT, struct status, keys.format),
    KH_SHOW_FIELD("last_reload", KH_SHOW_TIME, struct status, keys.last_reload),
    KH_SHOW_FIELD("last_reload_result", KH_SHOW_CHARS, struct status, keys.last_result),
    KH_SHOW_FIELD("rotations", KH_SHOW_NUMBER, struct status, keys.rotations),
    KH_SHOW_FIELD("failures", KH_SHOW_NUMBER, struct status, keys.failures),
    KH_SHOW_FIELD("next_rotation", KH_SHOW_TIME, struct status, keys.next_rotation),
    KH_SHOW_FIELD("crypto_engine", KH_SHOW_TEXT, struct status, engines),
};

static int show_status(MYSQL_THD thd, struct st_mysql_show_var *var, void *buff,
                       struct system_status_var *status_var, enum enum_var_type scope)
{
  (void)thd;
  (void)status_var;
  (void)scope;
  const kh_file_keys *keys = kh_encryption_in_use();
  struct status now = {.engines = engines_in_use};
  if (keys != NULL)
    now.keys = kh_keeper_get_stats(kh_file_keys_keeper(keys));
  kh_show_fields(status_fields, sizeof status_fields / sizeof status_fields[0], &now, buff, var);
  return 0;
}

static struct st_mysql_show_var status_variables[] = {
    {"File_key_management", (void *)show_status, SHOW_FUNC},
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
