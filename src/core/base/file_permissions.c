/* SPDX-License-Identifier: GPL-2.0-only */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "keyhold/file.h"

static bool may_own(uid_t owner, kh_permissions permissions)
{
  uid_t user = geteuid();
  return owner == 0 || owner == user ||
         (user == 0 && permissions == KH_PERMISSIONS_STRICT_FOR_SERVER);
}

kh_status kh_file_check_permissions(const char *path, const kh_file_info *info,
                                    kh_permissions permissions, kh_fault *ret_fault)
{
  if (permissions == KH_PERMISSIONS_WARN || permissions == KH_PERMISSIONS_SEEN)
    return KH_OK;
  if (may_own(info->owner, permissions) && (info->mode & (S_IWGRP | S_IRWXO)) == 0)
    return KH_OK;
  kh_fault_set(ret_fault, KH_E_FILE_UNSAFE, path, 0);
  if (ret_fault != NULL) {
    ret_fault->mode = info->mode;
    ret_fault->owner = info->owner;
  }
  return KH_E_FILE_UNSAFE;
}

bool kh_file_is_open_to_others(mode_t mode)
{
  return (S_ISREG(mode) || S_ISFIFO(mode)) && (mode & (S_IROTH | S_IWOTH)) != 0;
}

static const char *rights_of_others(mode_t mode)
{
  if ((mode & S_IWOTH) == 0)
    return "read";
  return (mode & S_IROTH) == 0 ? "written" : "read and written";
}

static bool is_on_read_only_mount(const char *path)
{
  struct statvfs mount;
  return statvfs(path, &mount) == 0 && (mount.f_flag & ST_RDONLY) != 0;
}

void kh_file_warn_of_mode(const kh_log *log, const char *what, const char *path, mode_t mode)
{
  if (kh_file_is_open_to_others(mode))
    kh_log_write(log, KH_LOG_WARNING, "%s file '%s' can be %s by other users (mode %04o): %s", what,
                 kh_file_show_absolute(path).text, rights_of_others(mode), (unsigned)mode & 07777U,
                 is_on_read_only_mount(path)
                     ? "its mount is read-only, so set mode 0400 and the server's user as owner "
                       "where it is made or mounted"
                     : "chmod it to 0600, and chown it to the server's user");
}
