/* SPDX-License-Identifier: GPL-2.0-only */
/* The passphrase is the content of a file. */
#include "passphrase.h"
#include "source.h"

static kh_status read_file(const char *path, const kh_unlock_how *how, const kh_log *log,
                           kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  kh_status status = kh_passphrase_read_file(path, how, log, ret_passphrase, ret_fault);
  if (status == KH_OK && kh_secret_bytes(*ret_passphrase).len == 0)
    kh_log_write(log, KH_LOG_HINT,
                 "passphrase file '%s' is empty, begins with a NUL byte or has only line ends: the "
                 "passphrase is empty",
                 kh_show_path(path).text);
  return status;
}

const kh_unlock_source kh_unlock_file = {.prefix = "FILE:", .read = read_file};
