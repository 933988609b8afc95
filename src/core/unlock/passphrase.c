/* SPDX-License-Identifier: GPL-2.0-only */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream.h"

/* as the server's own plugin: the length limit applies before the content is cut at a NUL */
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

/* Returns whether the line ends at the end, which are cut, have a CR. */
static bool ends_with_cr(kh_bytes content)
{
  while (content.len > 0 && content.data[content.len - 1] == '\n')
    content.len--;
  return content.len > 0 && content.data[content.len - 1] == '\r';
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
                 "the passphrase from '%s' ends after %zu bytes, at a NUL byte; use a passphrase "
                 "without NUL bytes",
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

/* Opens a FIFO or a device, whose reader may have to wait. A FIFO opened in this way does not end
 * before a process has written to it. Returns -1 for any other file, and for one that cannot be
 * opened. */
static int open_slow(const char *path, struct stat *ret_st)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0 && fstat(fd, ret_st) == 0 && (S_ISFIFO(ret_st->st_mode) || S_ISCHR(ret_st->st_mode)))
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

static kh_status read_slow(int fd, const char *path, kh_secret **ret_content, kh_fault *ret_fault)
{
  kh_status status = kh_stream_new(ret_content);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  status = kh_stream_read_all(fd, kh_deadline_in(KH_UNLOCK_WAIT), *ret_content);
  if (status == KH_E_SECRET_TOO_LONG)
    return kh_passphrase_too_long(path, ret_fault);
  return status == KH_OK
             ? KH_OK
             : kh_fault_set(ret_fault, status, path, status == KH_E_FILE_READ ? errno : 0);
}

static kh_status read_content(const char *path, bool bounded_wait, const kh_log *log,
                              kh_secret **ret_content, kh_file_info *ret_info, kh_fault *ret_fault)
{
  struct stat st;
  int fd = bounded_wait ? open_slow(path, &st) : -1;
  if (fd < 0)
    return kh_file_read_reporting(path, KH_SECRET_FILE_MAX + 1, KH_FILE_ANY, log, ret_content,
                                  ret_info, ret_fault);
  kh_status status = read_slow(fd, path, ret_content, ret_fault);
  close(fd);
  *ret_info = (kh_file_info){.mode = st.st_mode, .owner = st.st_uid};
  return status;
}

kh_status kh_passphrase_read_file(const char *path, const kh_unlock_how *how, const kh_log *log,
                                  kh_secret **ret_content, kh_fault *ret_fault)
{
  KH_AUTO_SECRET content = NULL;
  kh_file_info info;
  kh_status status = how->reads_no_fifo ? kh_file_refuse_fifo(path, ret_fault) : KH_OK;
  if (status == KH_OK)
    status = read_content(path, how->bounded_wait, log, &content, &info, ret_fault);
  if (status == KH_OK)
    status = kh_file_check_permissions(path, &info, how->permissions, ret_fault);
  bool has_cr = status == KH_OK && ends_with_cr(kh_secret_bytes(content));
  if (status == KH_OK)
    status = kh_passphrase_cut(content, path, log, ret_fault);
  if (status != KH_OK)
    return status;
  if (has_cr && how->ret_has_cr != NULL)
    *how->ret_has_cr = true;
  kh_file_warn_of_mode(log, "passphrase", path, info.mode);
  *ret_content = content;
  content = NULL;
  return KH_OK;
}
