/* SPDX-License-Identifier: GPL-2.0-only */
#include "passphrase.h"

#include <string.h>

/* what the server's own plugin takes of a file; the length counts before the NUL does */
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

kh_status kh_passphrase_too_long(const char *name, kh_fault *ret_fault)
{
  kh_fault_set(ret_fault, KH_E_SECRET_TOO_LONG, name, 0);
  if (ret_fault != NULL)
    ret_fault->limit = KH_SECRET_FILE_MAX;
  return KH_E_SECRET_TOO_LONG;
}

kh_status kh_passphrase_cut(kh_secret *content, const char *name, const kh_log *log,
                            kh_fault *ret_fault)
{
  kh_bytes bytes = kh_secret_bytes(content);
  size_t len = passphrase_len(bytes);
  if (len > KH_SECRET_FILE_MAX)
    return kh_passphrase_too_long(name, ret_fault);
  if (len > 0 && len < bytes.len && bytes.data[len] == '\0')
    kh_log_write(log, KH_LOG_HINT,
                 "the passphrase from '%s' has a NUL after %zu bytes: the passphrase ends there",
                 kh_show_path(name).text, len);
  kh_secret_set_len(content, len);
  return KH_OK;
}

kh_status kh_passphrase_take(kh_secret **content, const char *name, const kh_log *log,
                             kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  kh_status status = kh_passphrase_cut(*content, name, log, ret_fault);
  if (status != KH_OK)
    return status;
  if (kh_secret_bytes(*content).len == 0)
    return kh_fault_set(ret_fault, KH_E_SOURCE_EMPTY, name, 0);
  *ret_passphrase = *content;
  *content = NULL;
  return KH_OK;
}

kh_status kh_passphrase_read_file(const char *path, kh_permissions permissions, const kh_log *log,
                                  kh_secret **ret_content, kh_fault *ret_fault)
{
  KH_AUTO_SECRET content = NULL;
  kh_file_info info;
  kh_status status =
      kh_file_read(path, KH_SECRET_FILE_MAX + 1, KH_FILE_ANY, &content, &info, ret_fault);
  if (status == KH_OK)
    status = kh_file_check_permissions(path, &info, permissions, ret_fault);
  if (status == KH_OK)
    status = kh_passphrase_cut(content, path, log, ret_fault);
  if (status != KH_OK)
    return status;
  kh_file_warn_of_mode(log, "passphrase", path, info.mode);
  *ret_content = content;
  content = NULL;
  return KH_OK;
}
