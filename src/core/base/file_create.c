/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "file_parts.h"

static kh_status fail(const char *path, kh_fault *ret_fault)
{
  kh_status status = errno == EEXIST        ? KH_E_FILE_EXISTS
                     : errno == EWOULDBLOCK ? KH_E_FILE_LOCKED
                                            : KH_E_FILE_CREATE;
  return kh_fault_set(ret_fault, status, path, errno);
}

static bool write_file(kh_fresh *fresh, kh_bytes content)
{
  return kh_fresh_write(fresh, content) && fchmod(fresh->fd, S_IRUSR | S_IWUSR) == 0 &&
         fsync(fresh->fd) == 0;
}

/* A file system that cannot rename without replacing (NFS) can make a second name and take the
 * first one away. */
static bool give_name(const kh_fresh *fresh)
{
  if (renameat2(fresh->folder, fresh->fresh, fresh->folder, fresh->name, RENAME_NOREPLACE) == 0 ||
      kh_fresh_is_in_place(fresh))
    return true;
  if (errno != EINVAL && errno != ENOSYS)
    return false;
  if (linkat(fresh->folder, fresh->fresh, fresh->folder, fresh->name, 0) != 0 &&
      !kh_fresh_is_in_place(fresh))
    return false;
  kh_fresh_remove(fresh);
  return true;
}

kh_status kh_file_create(const char *path, kh_bytes content, kh_fault *ret_fault)
{
  KH_AUTO_FRESH fresh = {.folder = -1, .fd = -1};
  struct stat st;
  if (lstat(path, &st) == 0)
    return kh_fault_set(ret_fault, KH_E_FILE_EXISTS, path, 0);
  if (!kh_fresh_open_folder(&fresh, path))
    return kh_fault_set(ret_fault, KH_E_FILE_CREATE, path, errno);
  if (!kh_fresh_create(&fresh))
    return fail(path, ret_fault);
  if (!write_file(&fresh, content) || !give_name(&fresh)) {
    kh_fresh_remove(&fresh);
    return fail(path, ret_fault);
  }
  if (!kh_file_flush_fd(fresh.folder))
    return kh_fault_set(ret_fault, KH_E_FILE_FLUSH, path, errno);
  return KH_OK;
}
