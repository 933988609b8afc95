/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "keyhold/file.h"

static void close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
}

static void free_path(char **path)
{
  free(*path);
}

static bool flush(const char *path, int flags)
{
  __attribute__((cleanup(close_fd))) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
  if (fd < 0)
    return false;
  return fsync(fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

kh_status kh_file_flush(const char *path, const kh_file_stamp *expected, kh_fault *ret_fault)
{
  __attribute__((cleanup(free_path))) char *target = realpath(path, NULL);
  if (target == NULL)
    return kh_fault_set(ret_fault, errno == ENOENT ? KH_E_FILE_NOT_FOUND : KH_E_FILE_OPEN, path,
                        errno);
  if (!flush(target, 0))
    return kh_fault_set(ret_fault, KH_E_FILE_FLUSH, path, errno);
  kh_file_stamp stamp;
  kh_status status = kh_file_stamp_of(target, &stamp, ret_fault);
  if (status != KH_OK)
    return status;
  if (!kh_file_is_same(&stamp, expected))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, path, 0);
  if (!flush(dirname(target), O_DIRECTORY))
    return kh_fault_set(ret_fault, KH_E_FILE_FLUSH, path, errno);
  return KH_OK;
}
