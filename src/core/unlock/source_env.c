/* SPDX-License-Identifier: GPL-2.0-only */
/* The passphrase is the value of an environment variable. */
#include <stdlib.h>
#include <string.h>

#include "passphrase.h"
#include "source.h"

/* POSIX, "Environment Variables", and either case */
static bool is_variable_name(const char *argument)
{
  static const char characters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return argument[0] != '\0' && (argument[0] < '0' || argument[0] > '9') &&
         argument[strspn(argument, characters)] == '\0';
}

/* The variable cannot be wiped: it is in /proc/PID/environ and in the environment of every program
 * that the server runs. */
static kh_status read_variable(const char *name, const kh_unlock_how *how, const kh_log *log,
                               kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  (void)how;
  KH_AUTO_SECRET content = NULL;
  const char *value = getenv(name);
  if (value == NULL)
    return kh_fault_set(ret_fault, KH_E_SOURCE_VARIABLE, name, 0);
  size_t len = strnlen(value, KH_SECRET_STREAM_MAX + 1);
  if (len > KH_SECRET_STREAM_MAX)
    return kh_passphrase_too_long(name, ret_fault);
  kh_status status = kh_secret_new(len, &content);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, name, 0);
  memcpy(kh_secret_data(content), value, len);
  kh_secret_set_len(content, len);
  return kh_passphrase_take(&content, name, log, ret_passphrase, ret_fault);
}

const kh_unlock_source kh_unlock_env = {
    .prefix = "ENV:",
    .takes = "the name of an environment variable: letters, digits and _, no digit first",
    .fits = is_variable_name,
    .read = read_variable};
