/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include "file_parts.h"

bool kh_file_flush_fd(int fd)
{
  return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

static bool flush_file(const char *path)
{
  KH_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  return fd >= 0 && kh_file_flush_fd(fd);
}

/* for a folder without read permission, which cannot be opened */
static bool flush_file_system_of(const char *path)
{
  KH_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  return fd >= 0 && syncfs(fd) == 0;
}

static bool flush_folder_of(const char *path)
{
  KH_AUTO_STRING copy = strdup(path);
  if (copy == NULL)
    return false;
  KH_AUTO_FD fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES)
    return flush_file_system_of(path);
  return fd >= 0 && kh_file_flush_fd(fd);
}

/* flushes the file's folder and, where the name is a link, that of the link, which may have been
 * replaced
 */
static bool flush_folders(const char *path, const char *target)
{
  struct stat st;
  if (!flush_folder_of(target))
    return false;
  return lstat(path, &st) != 0 || !S_ISLNK(st.st_mode) || flush_folder_of(path);
}

kh_status kh_file_flush(const char *path, const kh_file_stamp *expected, kh_fault *ret_fault)
{
  KH_AUTO_STRING target = NULL;
  kh_file_stamp stamp;
  struct stat st;
  kh_status status = kh_file_resolve(path, &target, ret_fault);
  if (status != KH_OK)
    return status;
  if (stat(target, &st) != 0)
    return kh_file_unreachable(path, errno, ret_fault);
  bool is_fifo = S_ISFIFO(st.st_mode);
  if (!is_fifo && !flush_file(target))
    return kh_file_fail(ret_fault, KH_E_FILE_FLUSH, path, errno);
  status = kh_file_stamp_of(path, &stamp, ret_fault);
  if (status == KH_OK && !kh_file_is_same(&stamp, expected))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, path, 0);
  if (status == KH_OK && !is_fifo && !flush_folders(path, target))
    return kh_file_fail(ret_fault, KH_E_FILE_FLUSH, path, errno);
  return status;
}
