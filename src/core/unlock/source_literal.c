/* SPDX-License-Identifier: GPL-2.0-only */
/* The setting is the passphrase. */
#include <string.h>

#include "source.h"

static kh_status read_literal(const char *argument, const kh_unlock_how *how, const kh_log *log,
                              kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  (void)how;
  char doubt[KH_ADVICE_MAX];
  size_t len = strnlen(argument, KH_SECRET_LITERAL_MAX + 1);
  if (len > KH_SECRET_LITERAL_MAX) {
    kh_fault_set(ret_fault, KH_E_SECRET_TOO_LONG, "the setting", 0);
    if (ret_fault != NULL)
      ret_fault->limit = KH_SECRET_LITERAL_MAX;
    return KH_E_SECRET_TOO_LONG;
  }
  kh_secret *passphrase = NULL;
  kh_status status = kh_secret_new(len, &passphrase);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, NULL, 0);
  memcpy(kh_secret_data(passphrase), argument, len);
  kh_secret_set_len(passphrase, len);
  kh_log_write(log, KH_LOG_WARNING,
               "the passphrase is in filekey itself: SHOW VARIABLES shows it to every user, and "
               "backups contain it; use FILE:, CREDENTIAL:, EXEC:, SOCKET: or ENV:");
  if (kh_unlock_doubt_literal(argument, doubt))
    kh_log_write(log, KH_LOG_WARNING, "%s", doubt);
  *ret_passphrase = passphrase;
  return KH_OK;
}

const kh_unlock_source kh_unlock_literal = {.prefix = "", .read = read_literal};
