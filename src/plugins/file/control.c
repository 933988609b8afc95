/* SPDX-License-Identifier: GPL-2.0-only */
#include "control.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "options.h"
#include "server/encryption.h"
#include "server/process.h"
#include "server/report.h"
#include "source.h"

enum { ALL_KEYS = -1, SWITCH_TEXT = 80 };

/* What the check function of `reload` hands to its update function, in the 8 bytes that the server
 * has for the value. The default value, which is OFF, is one byte. */
typedef struct saved_change {
  char is_wanted;
  kh_keeper_token token;
} saved_change;
_Static_assert(sizeof(saved_change) <= sizeof(long long), "more than the server keeps");

/* NULL while the plugin is not running */
static kh_keeper *keeper(void)
{
  const kh_file_keys *keys = kh_encryption_in_use();
  return keys == NULL ? NULL : kh_file_keys_keeper(keys);
}

/* ON, TRUE, 1 and their opposites, as for every variable of this kind; false: it is none of them */
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

int kh_file_check_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                         struct st_mysql_value *value)
{
  (void)thd;
  (void)var;
  kh_fault fault;
  bool wanted = false;
  if (keeper() == NULL || !read_switch(value, &wanted))
    return 1;
  saved_change saved = {.is_wanted = (char)wanted};
  if (!wanted || kh_keeper_prepare_reload(keeper(), &saved.token, &fault) == KH_OK) {
    memcpy(save, &saved, sizeof saved);
    return 0;
  }
  kh_report_refusal("the key file was not reloaded", &fault);
  return 1;
}

int kh_file_check_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *save,
                             struct st_mysql_value *value)
{
  (void)thd;
  (void)var;
  kh_fault fault;
  long long wanted = 0;
  if (keeper() == NULL || value->value_type(value) == MYSQL_VALUE_TYPE_STRING ||
      value->val_int(value, &wanted) != 0)
    return 1;
  *(long long *)save = 0;
  if (wanted == 0)
    return 0;
  bool too_low = wanted < ALL_KEYS || (wanted < 0 && value->is_unsigned(value));
  if (too_low || wanted > (long long)KH_KEY_ID_MAX) {
    kh_report_error("file_key_management_rotate_key takes a key id, 1 to 4294967295, or -1 for all "
                    "keys");
    return 1;
  }
  uint32_t id = wanted == ALL_KEYS ? 0 : (uint32_t)wanted;
  kh_keeper_token token;
  if (kh_keeper_prepare_rotation(keeper(), id, &token, &fault) == KH_OK) {
    *(long long *)save = token;
    return 0;
  }
  kh_report_refusal("the key was not rotated", &fault);
  return 1;
}

static void commit_change(kh_keeper_token token)
{
  if (keeper() != NULL)
    kh_keeper_commit(keeper(), token);
}

void kh_file_update_reload(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                           const void *save)
{
  (void)thd;
  (void)var;
  (void)var_ptr;
  saved_change saved = {0};
  if (*(const char *)save == 0)
    return;
  memcpy(&saved, save, sizeof saved);
  commit_change(saved.token);
}

void kh_file_update_rotate_key(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                               const void *save)
{
  (void)thd;
  (void)var;
  (void)var_ptr;
  commit_change((kh_keeper_token) * (const long long *)save);
}

void kh_file_begin_background(kh_keeper *the_keeper)
{
  kh_fault fault;
  if (!kh_process_is_server())
    return;
  kh_status status = kh_keeper_set_background(the_keeper, kh_file_options_background());
  if (status == KH_OK)
    return;
  kh_fault_set(&fault, status, NULL, 0);
  kh_report_refusal("auto_reload and auto_rotate cannot start", &fault);
}

void kh_file_update_background(MYSQL_THD thd, struct st_mysql_sys_var *var, void *var_ptr,
                               const void *save)
{
  (void)thd;
  (void)var;
  *(char *)var_ptr = *(const char *)save;
  if (keeper() != NULL)
    kh_file_begin_background(keeper());
}
