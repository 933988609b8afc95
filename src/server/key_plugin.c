/* SPDX-License-Identifier: GPL-2.0-only */
#include "key_plugin.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/encryption.h"
#include "server/keeper_source.h"
#include "server/process.h"
#include "server/report.h"
#include "server/show.h"

enum { ALL_KEYS = -1, SWITCH_TEXT = 80, CHECK_EVERY = 60000 /* milliseconds */ };

kh_key_plugin_values kh_key_plugin_settings;

static const char *algorithm_names[] = {"aes_cbc", "aes_ctr", NULL};
kh_choices kh_key_plugin_algorithms = {
    .typelib = {.count = 2, .name = "", .type_names = algorithm_names}};

static const char *engine_names[] = {"auto", "openssl", "ipsec_mb", NULL};
kh_choices kh_key_plugin_engines = {
    .typelib = {.count = 3, .name = "", .type_names = engine_names}};

enum { SAVE_OFF, SAVE_ON, SAVE_REPLACE, SAVINGS };
static const char *saving_names[] = {"OFF", "ON", "REPLACE", NULL};
kh_choices kh_key_plugin_savings = {
    .typelib = {.count = SAVINGS, .name = "", .type_names = saving_names}};

/* Written by start, before another thread can read it. */
static struct {
  const kh_key_plugin *plugin;
  char engines[256]; /* the value of the status variable */
  char reload_advice[256];
} started;

/* Returns the keeper; NULL while the plugin is not running. */
static kh_keeper *running_keeper(void)
{
  const kh_keeper_keys *keys = kh_encryption_in_use();
  return keys == NULL ? NULL : kh_keeper_keys_keeper(keys);
}

static bool is_server_up(void *unused)
{
  (void)unused;
  return kh_process_is_up();
}

static kh_cipher default_cipher(void)
{
  return kh_key_plugin_settings.encryption_algorithm == 0 ? KH_CIPHER_AES_CBC : KH_CIPHER_AES_CTR;
}

/* A note and not a warning, since the server may not encrypt its redo log. mariadb-backup and the
 * bootstrap of a data directory do not repeat it. */
static void note_cipher_of_redo_log(const kh_log *log, const kh_keeper *keeper)
{
  char sentence[KH_MESSAGE_MAX];
  kh_fault fault;
  if (!kh_process_is_server())
    return;
  const kh_keyring *ring = kh_keeper_ring(keeper);
  kh_status status = kh_keytable_check_redo_log(kh_keyring_begin(ring), default_cipher(), &fault);
  kh_keyring_end(ring);
  if (status == KH_OK)
    return;
  fault.path = kh_show_path(kh_keeper_store_name(keeper).place);
  kh_fault_describe(&fault, sentence, sizeof sentence);
  kh_log_write(log, KH_LOG_NOTE, "%s", sentence);
}

static kh_status load_keys(const kh_crypt *crypt, const kh_log *log, kh_keeper_keys **ret_keys,
                           kh_fault *ret_fault)
{
  kh_keeper_options options = {
      .default_cipher = default_cipher(),
      .log = *log,
      .clock = kh_clock_system(),
      .is_up = is_server_up,
      .reload_advice = started.reload_advice,
  };
  kh_store store;
  kh_status status = started.plugin->make_store(crypt, log, &store, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_keeper_keys_new(&options, &store, ret_keys, ret_fault);
  if (status != KH_OK)
    kh_store_free(&store);
  return status;
}

static kh_status open_engines(kh_crypt **ret_crypt, kh_fault *ret_fault)
{
  char option[128];
  kh_status status =
      kh_crypt_new((kh_engine_choice)kh_key_plugin_settings.crypto_engine, ret_crypt);
  if (status == KH_OK)
    return KH_OK;
  snprintf(option, sizeof option, "%s_crypto_engine", started.plugin->name);
  return kh_fault_set(ret_fault, status, option, 0);
}

/* Starts or ends the background tasks, as `auto_reload` and `auto_rotate` specify now. Does nothing
 * in a process that is not a server. If the thread cannot start, both variables show OFF. */
static void begin_background(kh_keeper *keeper)
{
  kh_fault fault;
  if (!kh_process_is_server())
    return;
  kh_status status = kh_keeper_set_background(
      keeper, (kh_keeper_background){.reload = kh_key_plugin_settings.auto_reload != 0,
                                     .rotate = kh_key_plugin_settings.auto_rotate != 0,
                                     .check_every = CHECK_EVERY});
  if (status == KH_OK)
    return;
  kh_key_plugin_settings.auto_reload = kh_key_plugin_settings.auto_rotate = 0;
  kh_fault_set(&fault, status, NULL, 0);
  kh_report_refusal("auto_reload and auto_rotate cannot start their thread", &fault,
                    "; both are OFF until SET GLOBAL sets them again");
}

/* Resets the variables that act only when SET GLOBAL sets them. An option file may set them, and
 * mariadb-backup passes them on. */
static void clear_actions(void)
{
  kh_key_plugin_settings.reload = 0;
  kh_key_plugin_settings.rotate_key = 0;
  kh_key_plugin_settings.save = SAVE_OFF;
}

int kh_key_plugin_start(const kh_key_plugin *plugin)
{
  kh_log log = kh_report_log(plugin->name);
  kh_crypt *crypt = NULL;
  kh_keeper_keys *keys = NULL;
  kh_fault fault = {0};
  started.plugin = plugin;
  snprintf(started.reload_advice, sizeof started.reload_advice,
           "; do not restart the server before a reload succeeds: the keys in use may now exist "
           "only in this process, and SET GLOBAL %s_save = ON writes them back",
           plugin->name);
  clear_actions();
  kh_status status = open_engines(&crypt, &fault);
  if (status == KH_OK)
    status = load_keys(crypt, &log, &keys, &fault);
  if (status != KH_OK) {
    kh_report_fault(&fault);
    kh_crypt_free(&crypt);
    if (status == KH_E_FILE_WAIT_ENDED)
      kh_process_end_as_told();
    return 1;
  }
  kh_crypt_describe_engines(crypt, started.engines, sizeof started.engines);
  kh_log_write(&log, KH_LOG_NOTE, "AES engines: %s", started.engines);
  note_cipher_of_redo_log(&log, kh_keeper_keys_keeper(keys));
  kh_encryption_start(&kh_keeper_source, keys, crypt);
  begin_background(kh_keeper_keys_keeper(keys));
  return 0;
}

int kh_key_plugin_stop(void *unused)
{
  (void)unused;
  kh_encryption_stop();
  return 0;
}

/* The values of all status variables, of one moment. */
struct plugin_status {
  kh_keeper_stats keys;
  const char *engines;
};

static const kh_show_field status_fields[] = {
    KH_SHOW_FIELD("keys", KH_SHOW_NUMBER, struct plugin_status, keys.ids),
    KH_SHOW_FIELD("versions", KH_SHOW_NUMBER, struct plugin_status, keys.versions),
    KH_SHOW_FIELD("fingerprint", KH_SHOW_CHARS, struct plugin_status, keys.fingerprint),
    KH_SHOW_FIELD("generation", KH_SHOW_NUMBER, struct plugin_status, keys.generation),
    KH_SHOW_FIELD("format", KH_SHOW_TEXT, struct plugin_status, keys.format),
    KH_SHOW_FIELD("last_reload", KH_SHOW_TIME, struct plugin_status, keys.last_reload),
    KH_SHOW_FIELD("last_reload_result", KH_SHOW_CHARS, struct plugin_status, keys.last_result),
    KH_SHOW_FIELD("rotations", KH_SHOW_NUMBER, struct plugin_status, keys.rotations),
    KH_SHOW_FIELD("failures", KH_SHOW_NUMBER, struct plugin_status, keys.failures),
    KH_SHOW_FIELD("next_rotation", KH_SHOW_TIME, struct plugin_status, keys.next_rotation),
    KH_SHOW_FIELD("last_load_timestamp", KH_SHOW_TIMESTAMP, struct plugin_status, keys.last_load),
    KH_SHOW_FIELD("last_reload_ok", KH_SHOW_NUMBER, struct plugin_status, keys.last_reload_ok),
    KH_SHOW_FIELD("next_rotation_timestamp", KH_SHOW_TIMESTAMP, struct plugin_status,
                  keys.next_rotation),
    KH_SHOW_FIELD("oldest_latest_version_timestamp", KH_SHOW_TIMESTAMP, struct plugin_status,
                  keys.oldest_latest),
    KH_SHOW_FIELD("keys_overdue", KH_SHOW_NUMBER, struct plugin_status, keys.overdue),
    KH_SHOW_FIELD("missing_keys", KH_SHOW_NUMBER, struct plugin_status, keys.missing),
    KH_SHOW_FIELD("last_missing_key", KH_SHOW_CHARS, struct plugin_status, keys.last_missing),
    KH_SHOW_FIELD("unsaved_versions", KH_SHOW_NUMBER, struct plugin_status, keys.unsaved),
    KH_SHOW_FIELD("crypto_engine", KH_SHOW_TEXT, struct plugin_status, engines),
};

int kh_key_plugin_show(MYSQL_THD thd, struct st_mysql_show_var *var, void *buff,
                       struct system_status_var *status_var, enum enum_var_type scope)
{
  (void)thd;
  (void)status_var;
  (void)scope;
  kh_keeper *keeper = running_keeper();
  struct plugin_status now = {.engines = started.engines};
  if (keeper != NULL)
    now.keys = kh_keeper_get_stats(keeper);
  kh_show_fields(status_fields, sizeof status_fields / sizeof status_fields[0], &now, buff, var);
  return 0;
}

/* What the check function of `reload` passes to its update function, in the 8 bytes that the server
 * has for a value. DEFAULT, which is OFF, fills only the first byte. For `rotate_key` the token
 * itself is the value. */
typedef struct saved_reload {
  char is_wanted;
  kh_keeper_token token;
} saved_reload;
_Static_assert(sizeof(saved_reload) <= sizeof(long long),
               "larger than the server's room for a value");

/* Reads ON, TRUE, 1 and their opposites, as the server does; false: it is another value. */
static bool read_switch(struct st_mysql_value *value, bool *ret_on)
{
  char buffer[SWITCH_TEXT];
  int len = sizeof buffer;
  long long number = 0;
  if (value->value_type(value) != MYSQL_VALUE_TYPE_STRING) {
    if (value->val_int(value, &number) != 0 || number < 0 || number > 1)
      return false;
    *ret_on = number == 1;
    return true;
  }
  const char *text = value->val_str(value, buffer, &len);
  if (text == NULL)
    return false;
  *ret_on = strcasecmp(text, "ON") == 0 || strcasecmp(text, "TRUE") == 0 || strcmp(text, "1") == 0;
  return *ret_on || strcasecmp(text, "OFF") == 0 || strcasecmp(text, "FALSE") == 0 ||
         strcmp(text, "0") == 0;
}

static void report_refused_reload(const kh_keeper *keeper, const kh_fault *fault)
{
  char what[128];
  snprintf(what, sizeof what, "%s was not reloaded", kh_keeper_store_name(keeper).noun);
  bool is_lost = fault->status == KH_E_FILE_NOT_FOUND;
  kh_report_refusal(what, fault, is_lost ? started.reload_advice : "");
}

int kh_key_plugin_check_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                               struct st_mysql_value *value)
{
  (void)thd;
  (void)var;
  kh_fault fault;
  bool is_wanted = false;
  kh_keeper *keeper = running_keeper();
  if (keeper == NULL || !read_switch(value, &is_wanted))
    return 1;
  saved_reload saved = {.is_wanted = (char)is_wanted};
  if (is_wanted && kh_keeper_prepare_reload(keeper, &saved.token, &fault) != KH_OK) {
    report_refused_reload(keeper, &fault);
    return 1;
  }
  memcpy(save, &saved, sizeof saved);
  return 0;
}

/* Converts the value to a key id, or to 0 for all keys. Reports a value that is out of range, and
 * returns false. */
static bool read_key_id(struct st_mysql_value *value, long long number, uint32_t *ret_id)
{
  bool is_too_low = number < ALL_KEYS || (number < 0 && value->is_unsigned(value));
  if (is_too_low || number > (long long)KH_KEY_ID_MAX) {
    kh_report_error(
        "invalid value for %s_rotate_key (expected a key id from 1 to 4294967295, or -1 "
        "for all keys)",
        started.plugin->name);
    return false;
  }
  *ret_id = number == ALL_KEYS ? 0 : (uint32_t)number;
  return true;
}

int kh_key_plugin_check_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                                   struct st_mysql_value *value)
{
  (void)thd;
  (void)var;
  kh_fault fault;
  long long wanted = 0;
  uint32_t id = 0;
  kh_keeper_token token = 0;
  kh_keeper *keeper = running_keeper();
  if (keeper == NULL || value->value_type(value) != MYSQL_VALUE_TYPE_INT ||
      value->val_int(value, &wanted) != 0 || !read_key_id(value, wanted, &id))
    return 1;
  if (wanted != 0 && kh_keeper_prepare_rotation(keeper, id, &token, &fault) != KH_OK) {
    kh_report_refusal("the key was not rotated", &fault, "");
    return 1;
  }
  *(long long *)save = token;
  return 0;
}

/* Reads OFF, ON, REPLACE and their numbers; false: it is another value. */
static bool read_saving(struct st_mysql_value *value, long long *ret_saving)
{
  char buffer[SWITCH_TEXT];
  int len = sizeof buffer;
  if (value->value_type(value) != MYSQL_VALUE_TYPE_STRING)
    return value->val_int(value, ret_saving) == 0 && *ret_saving >= 0 && *ret_saving < SAVINGS;
  const char *text = value->val_str(value, buffer, &len);
  for (*ret_saving = 0; text != NULL && *ret_saving < SAVINGS; (*ret_saving)++)
    if (strcasecmp(text, saving_names[*ret_saving]) == 0)
      return true;
  return false;
}

/* A file that opens and has another key for a version in use is not replaced. */
static const char *next_step_of_saving(const kh_fault *fault)
{
  return fault->status == KH_E_KEY_CHANGED
             ? "; move it away, do not delete it, and repeat the statement, which then writes a "
               "new one"
             : "";
}

static bool may_replace(kh_status status)
{
  kh_class class = kh_status_class(status);
  return class == KH_CLASS_AUTHENTICATION || class == KH_CLASS_FORMAT;
}

static void report_refused_saving(const kh_keeper *keeper, bool replaces, const kh_fault *fault)
{
  kh_store_name store = kh_keeper_store_name(keeper);
  kh_log log = kh_report_log(started.plugin->name);
  kh_report_refusal("the keys were not saved", fault, next_step_of_saving(fault));
  if (!replaces && may_replace(fault->status))
    kh_log_write(
        &log, KH_LOG_HINT,
        "if %s is damaged or its passphrase was replaced, SET GLOBAL %s_save = 'REPLACE' keeps "
        "the old file under another name and writes a new one",
        store.noun, started.plugin->name);
}

int kh_key_plugin_check_save(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                             struct st_mysql_value *value)
{
  (void)thd;
  (void)var;
  kh_fault fault;
  long long saving = SAVE_OFF;
  kh_keeper_token token = 0;
  kh_keeper *keeper = running_keeper();
  if (keeper == NULL || !read_saving(value, &saving))
    return 1;
  bool replaces = saving == SAVE_REPLACE;
  if (saving != SAVE_OFF && kh_keeper_prepare_save(keeper, replaces, &token, &fault) != KH_OK) {
    report_refused_saving(keeper, replaces, &fault);
    return 1;
  }
  *(unsigned long *)save = token;
  return 0;
}

static void commit_change(kh_keeper_token token)
{
  kh_keeper *keeper = running_keeper();
  if (keeper != NULL)
    kh_keeper_commit(keeper, token);
}

void kh_key_plugin_update_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                                 const void *save)
{
  (void)thd;
  (void)var;
  (void)var_ptr;
  saved_reload saved;
  if (*(const char *)save == 0)
    return;
  memcpy(&saved, save, sizeof saved);
  commit_change(saved.token);
}

void kh_key_plugin_update_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                                     const void *save)
{
  (void)thd;
  (void)var;
  (void)var_ptr;
  commit_change((kh_keeper_token)(*(const long long *)save));
}

void kh_key_plugin_update_save(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                               const void *save)
{
  (void)thd;
  (void)var;
  (void)var_ptr;
  commit_change((kh_keeper_token)(*(const unsigned long *)save));
}

void kh_key_plugin_update_background(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                                     const void *save)
{
  (void)thd;
  (void)var;
  *(char *)var_ptr = *(const char *)save;
  if (running_keeper() != NULL)
    begin_background(running_keeper());
}
