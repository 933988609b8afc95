/* SPDX-License-Identifier: GPL-2.0-only */
/* The passphrase is the content of a file. */
#include <string.h>

#include "keyhold/file.h"
#include "source.h"

/* without the line ends at the end, then up to the first NUL: what the server's own plugin takes */
static size_t passphrase_len(kh_bytes content)
{
  size_t len = content.len;
  while (len > 0 && (content.data[len - 1] == '\n' || content.data[len - 1] == '\r'))
    len--;
  if (len > KH_SECRET_FILE_MAX)
    return len;
  const uint8_t *nul = len == 0 ? NULL : memchr(content.data, '\0', len);
  return nul == NULL ? len : (size_t)(nul - content.data);
}

static void remark(const char *path, mode_t mode, kh_bytes content, size_t len, const kh_log *log)
{
  kh_file_warn_of_mode(log, "passphrase", path, mode);
  if (len == 0)
    kh_log_write(log, KH_LOG_HINT,
                 "the passphrase file '%s' is empty or begins with a NUL or holds only line ends: "
                 "the passphrase is the empty one",
                 kh_show_path(path).text);
  else if (len < content.len && content.data[len] == '\0')
    kh_log_write(log, KH_LOG_HINT,
                 "the passphrase file '%s' has a NUL after %zu bytes: the passphrase ends there",
                 kh_show_path(path).text, len);
}

static kh_status read_file(const char *path, const kh_log *log, kh_secret **ret_passphrase,
                           kh_fault *ret_fault)
{
  KH_AUTO_SECRET content = NULL;
  kh_file_info info;
  kh_status status =
      kh_file_read(path, KH_SECRET_FILE_MAX + 1, KH_FILE_ANY, &content, &info, ret_fault);
  if (status != KH_OK)
    return status;
  size_t len = passphrase_len(kh_secret_bytes(content));
  if (len > KH_SECRET_FILE_MAX) {
    kh_fault_set(ret_fault, KH_E_SECRET_TOO_LONG, path, 0);
    if (ret_fault != NULL)
      ret_fault->limit = KH_SECRET_FILE_MAX;
    return KH_E_SECRET_TOO_LONG;
  }
  remark(path, info.mode, kh_secret_bytes(content), len, log);
  kh_secret_set_len(content, len);
  *ret_passphrase = content;
  content = NULL;
  return KH_OK;
}

const kh_unlock_source kh_unlock_file = {"FILE:", read_file};
