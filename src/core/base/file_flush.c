/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>

#include "file_parts.h"

bool kh_file_flush_fd(int fd)
{
  return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
}

static bool flush(const char *path, int flags)
{
  KH_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
  return fd >= 0 && kh_file_flush_fd(fd);
}

kh_status kh_file_flush(const char *path, const kh_file_stamp *expected, kh_fault *ret_fault)
{
  KH_AUTO_STRING target = NULL;
  kh_file_stamp stamp;
  kh_status status = kh_file_resolve(path, &target, ret_fault);
  if (status != KH_OK)
    return status;
  if (!flush(target, 0))
    return kh_fault_set(ret_fault, KH_E_FILE_FLUSH, path, errno);
  status = kh_file_stamp_of(target, &stamp, ret_fault);
  if (status == KH_OK && !kh_file_is_same(&stamp, expected))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, path, 0);
  if (status == KH_OK && !flush(dirname(target), O_DIRECTORY))
    return kh_fault_set(ret_fault, KH_E_FILE_FLUSH, path, errno);
  return status;
}
