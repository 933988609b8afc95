/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "file_parts.h"
#include "temp_file.h"

static kh_status fail_to_create(const char *path, kh_fault *ret_fault)
{
  kh_status status = errno == EEXIST        ? KH_E_FILE_EXISTS
                     : errno == EWOULDBLOCK ? KH_E_FILE_LOCKED
                                            : KH_E_FILE_CREATE;
  return kh_file_fail(ret_fault, status, path, errno);
}

/* A process that cannot give the file away keeps it. */
static bool write_file(kh_temp_file *file, const struct stat *other, kh_bytes content)
{
  if (other != NULL && fchown(file->fd, other->st_uid, other->st_gid) != 0 && errno != EPERM)
    return false;
  return kh_temp_file_write(file, content) && fchmod(file->fd, S_IRUSR | S_IWUSR) == 0 &&
         fsync(file->fd) == 0;
}

/* A file system that cannot rename without replacing (NFS) can make a second name and remove the
 * first one. */
static bool give_final_name(const kh_temp_file *file)
{
  if (renameat2(file->folder, file->temp_name, file->folder, file->name, RENAME_NOREPLACE) == 0 ||
      kh_temp_file_is_in_place(file))
    return true;
  if (errno != EINVAL && errno != ENOSYS)
    return false;
  if (linkat(file->folder, file->temp_name, file->folder, file->name, 0) != 0 &&
      !kh_temp_file_is_in_place(file))
    return false;
  kh_temp_file_remove(file);
  return true;
}

kh_status kh_file_create_like(const char *path, const struct stat *other, kh_bytes content,
                              kh_fault *ret_fault)
{
  KH_AUTO_TEMP_FILE file = {.folder = -1, .fd = -1};
  struct stat st;
  if (lstat(path, &st) == 0)
    return kh_fault_set(ret_fault, KH_E_FILE_EXISTS, path, 0);
  if (!kh_temp_file_open_folder(&file, path))
    return kh_file_fail(ret_fault, KH_E_FILE_CREATE, path, errno);
  if (!kh_temp_file_create(&file))
    return fail_to_create(path, ret_fault);
  if (!write_file(&file, other, content) || !give_final_name(&file)) {
    kh_temp_file_remove(&file);
    return fail_to_create(path, ret_fault);
  }
  if (!kh_file_flush_fd(file.folder))
    return kh_file_fail(ret_fault, KH_E_FILE_FLUSH, path, errno);
  return KH_OK;
}

kh_status kh_file_create(const char *path, kh_bytes content, kh_fault *ret_fault)
{
  return kh_file_create_like(path, NULL, content, ret_fault);
}
