/* SPDX-License-Identifier: GPL-2.0-only */
/* What will make a later change of a file fail: found out without changing anything. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "file_parts.h"

static bool is_accessible(const char *path, int access)
{
  return faccessat(AT_FDCWD, path, access, AT_EACCESS) == 0;
}

/* The folder and the names beside the file that a change uses. */
struct places {
  char folder[PATH_MAX];
  char lock[PATH_MAX];
  char left[PATH_MAX];
};

static bool find_places(const char *real, struct places *ret_places)
{
  const char *name = strrchr(real, '/') + 1; /* the path is absolute */
  int len = (int)(name - real);
  return snprintf(ret_places->folder, PATH_MAX, "%.*s", len, real) < PATH_MAX &&
         snprintf(ret_places->lock, PATH_MAX, "%s.lock", real) < PATH_MAX &&
         snprintf(ret_places->left, PATH_MAX, "%.*s.%s.keyhold-new", len, real, name) < PATH_MAX;
}

/* Returns 0, or the error that taking the lock will have. */
static int foresee_lock(const char *lock)
{
  struct stat st;
  if (lstat(lock, &st) != 0)
    return 0;
  if (S_ISLNK(st.st_mode))
    return ELOOP;
  if (!S_ISREG(st.st_mode))
    return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
  bool is_mended = st.st_uid == geteuid() && st.st_nlink == 1 && st.st_size == 0;
  return is_mended || is_accessible(lock, R_OK) ? 0 : EACCES;
}

/* Returns whether only another user may remove the file from the folder. */
static bool is_kept_by_sticky(const char *folder, const char *file)
{
  struct stat above;
  struct stat below;
  uid_t user = geteuid();
  return user != 0 && stat(folder, &above) == 0 && lstat(file, &below) == 0 &&
         (above.st_mode & S_ISVTX) != 0 && above.st_uid != user && below.st_uid != user;
}

static bool is_own_group(gid_t group)
{
  gid_t groups[NGROUPS_MAX];
  int count = getgroups(NGROUPS_MAX, groups);
  for (int i = 0; i < count; i++)
    if (groups[i] == group)
      return true;
  return group == getegid();
}

static bool may_keep_owner(const struct stat *file)
{
  return geteuid() == 0 || (file->st_uid == geteuid() && is_own_group(file->st_gid));
}

kh_status kh_file_foresee_replace(const char *path, bool *ret_is_mistake, kh_fault *ret_fault)
{
  KH_AUTO_STRING real = NULL;
  struct places at;
  struct stat st;
  *ret_is_mistake = false;
  kh_status status = kh_file_resolve(path, &real, ret_fault);
  if (status != KH_OK)
    return status;
  if (stat(real, &st) != 0)
    return kh_file_unreachable(path, errno, ret_fault);
  if (!find_places(real, &at))
    return kh_file_fail(ret_fault, KH_E_FILE_LOCK, path, ENAMETOOLONG);
  if (!is_accessible(at.folder, R_OK | W_OK | X_OK))
    return kh_file_fail(ret_fault, KH_E_FILE_WRITE, path, errno);
  int error = foresee_lock(at.lock);
  *ret_is_mistake = error != 0 || st.st_uid == geteuid();
  if (error != 0)
    return kh_file_fail(ret_fault, KH_E_FILE_LOCK, path, error);
  if (is_kept_by_sticky(at.folder, at.left) || is_kept_by_sticky(at.folder, real))
    return kh_file_fail(ret_fault, KH_E_FILE_WRITE, path, EPERM);
  return may_keep_owner(&st) ? KH_OK : kh_file_fail(ret_fault, KH_E_FILE_OWNER, path, EPERM);
}
