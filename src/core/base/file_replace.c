/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "file_parts.h"

/* the file that is replaced, where it really lies */
struct target {
  const char *path; /* as the caller wrote it */
  const kh_file_stamp *expected;
  struct stat old; /* whose owner, group and mode the new file gets */
  int folder;
  char name[NAME_MAX + 1];  /* in the folder; no symbolic link */
  char fresh[NAME_MAX + 1]; /* the new file's name there until it is whole */
};

static void close_folder(struct target *target)
{
  kh_fd_cleanup(&target->folder);
}

static kh_status fail(const struct target *target, kh_status status, kh_fault *ret_fault)
{
  return kh_fault_set(ret_fault, status, target->path, errno);
}

static kh_status check_expected(const struct target *target, const struct stat *st,
                                kh_fault *ret_fault)
{
  kh_file_stamp stamp = kh_file_stamp_from(st);
  if (!kh_file_is_same(&stamp, target->expected))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, target->path, 0);
  return KH_OK;
}

static kh_status look(struct target *target, kh_fault *ret_fault)
{
  if (stat(target->path, &target->old) != 0)
    return kh_file_unreachable(target->path, errno, ret_fault);
  kh_status status = kh_file_classify(&target->old, KH_FILE_REGULAR);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, target->path, 0);
  return check_expected(target, &target->old, ret_fault);
}

/* both ways to the file: by the caller's name, whose links may have been changed, and by its
 * folder, whose entry is about to be replaced */
static kh_status look_again(const struct target *target, kh_fault *ret_fault)
{
  struct stat st;
  if (stat(target->path, &st) != 0)
    return kh_file_unreachable(target->path, errno, ret_fault);
  kh_status status = check_expected(target, &st, ret_fault);
  if (status != KH_OK)
    return status;
  if (fstatat(target->folder, target->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return kh_file_unreachable(target->path, errno, ret_fault);
  return check_expected(target, &st, ret_fault);
}

static bool name_files(struct target *target, const char *name)
{
  int len = snprintf(target->name, sizeof target->name, "%s", name);
  int fresh_len = snprintf(target->fresh, sizeof target->fresh, ".%s.keyhold-new", name);
  errno = ENAMETOOLONG;
  return len < (int)sizeof target->name && fresh_len < (int)sizeof target->fresh;
}

static kh_status open_folder(struct target *target, kh_fault *ret_fault)
{
  KH_AUTO_STRING real = NULL;
  kh_status status = kh_file_resolve(target->path, &real, ret_fault);
  if (status != KH_OK)
    return status;
  char *name = strrchr(real, '/') + 1;
  if (!name_files(target, name))
    return fail(target, KH_E_FILE_WRITE, ret_fault);
  *name = '\0';
  target->folder = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return target->folder < 0 ? fail(target, KH_E_FILE_WRITE, ret_fault) : KH_OK;
}

static kh_status create(const struct target *target, int *ret_fd, kh_fault *ret_fault)
{
  if (unlinkat(target->folder, target->fresh, 0) != 0 && errno != ENOENT)
    return fail(target, KH_E_FILE_WRITE, ret_fault);
  int fd = openat(target->folder, target->fresh,
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0)
    return fail(target, KH_E_FILE_WRITE, ret_fault);
  *ret_fd = fd;
  return KH_OK;
}

static bool write_all(int fd, kh_bytes content)
{
  size_t done = 0;
  while (done < content.len) {
    ssize_t put = write(fd, content.data + done, content.len - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    done += (size_t)put;
  }
  return true;
}

/* the owner first: a change of it takes set-user-ID bits away */
static bool keep_owner_and_mode(int fd, const struct stat *old)
{
  struct stat st;
  if (fstat(fd, &st) != 0)
    return false;
  if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
      fchown(fd, old->st_uid, old->st_gid) != 0)
    return false;
  return fchmod(fd, old->st_mode & 07777) == 0;
}

static kh_status fill(const struct target *target, int fd, kh_bytes content, kh_fault *ret_fault)
{
  if (!write_all(fd, content))
    return fail(target, KH_E_FILE_WRITE, ret_fault);
  if (!keep_owner_and_mode(fd, &target->old))
    return fail(target, KH_E_FILE_OWNER, ret_fault);
  return fsync(fd) != 0 ? fail(target, KH_E_FILE_WRITE, ret_fault) : KH_OK;
}

/* whether the name leads to the new file: a rename over a network may be done and yet told to have
 * failed */
static bool is_in_place(const struct target *target, int fd)
{
  struct stat fresh;
  struct stat named;
  return fstat(fd, &fresh) == 0 &&
         fstatat(target->folder, target->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         fresh.st_dev == named.st_dev && fresh.st_ino == named.st_ino;
}

static kh_status put_in_place(const struct target *target, int fd, kh_fault *ret_fault)
{
  kh_status status = look_again(target, ret_fault);
  if (status != KH_OK)
    return status;
  if (renameat(target->folder, target->fresh, target->folder, target->name) == 0)
    return KH_OK;
  int error = errno;
  bool done = is_in_place(target, fd);
  errno = error;
  return done ? KH_OK : fail(target, KH_E_FILE_WRITE, ret_fault);
}

/* the stamp is taken last: renaming changes st_ctim */
static kh_status settle(const struct target *target, int fd, kh_file_stamp *ret_stamp,
                        kh_fault *ret_fault)
{
  struct stat st;
  if (!kh_file_flush_fd(target->folder) || fstat(fd, &st) != 0)
    return fail(target, KH_E_FILE_FLUSH, ret_fault);
  if (ret_stamp != NULL)
    *ret_stamp = kh_file_stamp_from(&st);
  return KH_OK;
}

kh_status kh_file_replace(const char *path, const kh_file_stamp *expected, kh_bytes content,
                          kh_file_stamp *ret_stamp, kh_fault *ret_fault)
{
  __attribute__((cleanup(close_folder))) struct target target = {
      .path = path, .expected = expected, .folder = -1};
  kh_status status = look(&target, ret_fault);
  if (status == KH_OK)
    status = open_folder(&target, ret_fault);
  KH_AUTO_FD fd = -1;
  if (status == KH_OK)
    status = create(&target, &fd, ret_fault);
  if (status != KH_OK)
    return status;

  status = fill(&target, fd, content, ret_fault);
  if (status == KH_OK)
    status = put_in_place(&target, fd, ret_fault);
  if (status != KH_OK) {
    unlinkat(target.folder, target.fresh, 0);
    return status;
  }
  return settle(&target, fd, ret_stamp, ret_fault);
}
