/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "file_parts.h"
#include "temp_file.h"

/* the path of the file that is replaced, without links */
struct target {
  const char *path; /* as the caller wrote it */
  const kh_file_stamp *expected;
  struct stat old;   /* whose owner, group and mode the new file gets */
  kh_temp_file file; /* the new file */
};

static void close_target(struct target *target)
{
  kh_temp_file_cleanup(&target->file);
}

static kh_status fail_to_replace(const struct target *target, kh_status status, kh_fault *ret_fault)
{
  return kh_file_fail(ret_fault, status, target->path, errno);
}

static kh_status expect_stamp(const struct target *target, const struct stat *st,
                              kh_fault *ret_fault)
{
  kh_file_stamp stamp = kh_file_stamp_from(st);
  if (!kh_file_is_same(&stamp, target->expected))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, target->path, 0);
  return KH_OK;
}

static kh_status look_at_target(struct target *target, kh_fault *ret_fault)
{
  if (stat(target->path, &target->old) != 0)
    return kh_file_unreachable(target->path, errno, ret_fault);
  kh_status status = kh_file_classify(&target->old, KH_FILE_REGULAR);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, target->path, 0);
  return expect_stamp(target, &target->old, ret_fault);
}

/* checks both paths to the file: the caller's name, whose links may have been changed, and the
 * entry in its folder, which is about to be replaced */
static kh_status look_at_target_again(const struct target *target, kh_fault *ret_fault)
{
  struct stat st;
  if (stat(target->path, &st) != 0)
    return kh_file_unreachable(target->path, errno, ret_fault);
  kh_status status = expect_stamp(target, &st, ret_fault);
  if (status != KH_OK)
    return status;
  if (fstatat(target->file.folder, target->file.name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return kh_file_unreachable(target->path, errno, ret_fault);
  return expect_stamp(target, &st, ret_fault);
}

static kh_status create_new_file(struct target *target, kh_fault *ret_fault)
{
  KH_AUTO_STRING real = NULL;
  kh_status status = kh_file_resolve(target->path, &real, ret_fault);
  if (status != KH_OK)
    return status;
  if (!kh_temp_file_open_folder(&target->file, real))
    return fail_to_replace(target, KH_E_FILE_WRITE, ret_fault);
  if (!kh_temp_file_create(&target->file))
    return fail_to_replace(target, errno == EWOULDBLOCK ? KH_E_FILE_LOCKED : KH_E_FILE_WRITE,
                           ret_fault);
  return KH_OK;
}

/* the owner first: changing it clears set-user-ID bits */
static bool keep_access(const struct target *target)
{
  const struct stat *old = &target->old;
  int fd = target->file.fd;
  struct stat st;
  if (fstat(fd, &st) != 0)
    return false;
  if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
      fchown(fd, old->st_uid, old->st_gid) != 0)
    return false;
  return kh_file_keep_acl(target->path, fd) && fchmod(fd, old->st_mode & 07777) == 0;
}

static kh_status fill_new_file(const struct target *target, kh_bytes content, kh_fault *ret_fault)
{
  if (!kh_temp_file_write(&target->file, content))
    return fail_to_replace(target, KH_E_FILE_WRITE, ret_fault);
  if (!keep_access(target))
    return fail_to_replace(target, KH_E_FILE_OWNER, ret_fault);
  return fsync(target->file.fd) != 0 ? fail_to_replace(target, KH_E_FILE_WRITE, ret_fault) : KH_OK;
}

static kh_status put_in_place(const struct target *target, kh_fault *ret_fault)
{
  const kh_temp_file *file = &target->file;
  kh_status status = look_at_target_again(target, ret_fault);
  if (status != KH_OK)
    return status;
  if (renameat(file->folder, file->temp_name, file->folder, file->name) == 0 ||
      kh_temp_file_is_in_place(file))
    return KH_OK;
  return fail_to_replace(target, KH_E_FILE_WRITE, ret_fault);
}

/* the stamp is taken last: renaming changes st_ctim */
static kh_status flush_and_stamp(const struct target *target, kh_file_stamp *ret_stamp,
                                 kh_fault *ret_fault)
{
  struct stat st;
  if (!kh_file_flush_fd(target->file.folder) || fstat(target->file.fd, &st) != 0)
    return fail_to_replace(target, KH_E_FILE_FLUSH, ret_fault);
  if (ret_stamp != NULL)
    *ret_stamp = kh_file_stamp_from(&st);
  return KH_OK;
}

kh_status kh_file_replace(const char *path, const kh_file_stamp *expected, kh_bytes content,
                          kh_file_stamp *ret_stamp, kh_fault *ret_fault)
{
  __attribute__((cleanup(close_target))) struct target target = {
      .path = path, .expected = expected, .file = {.folder = -1, .fd = -1}};
  kh_status status = look_at_target(&target, ret_fault);
  if (status == KH_OK)
    status = create_new_file(&target, ret_fault);
  if (status != KH_OK)
    return status;

  status = fill_new_file(&target, content, ret_fault);
  if (status == KH_OK)
    status = put_in_place(&target, ret_fault);
  if (status != KH_OK) {
    kh_temp_file_remove(&target.file);
    return status;
  }
  return flush_and_stamp(&target, ret_stamp, ret_fault);
}
