/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <sys/xattr.h>

#include "file_parts.h"

/* the kernel's name; the list applies in addition to the mode, whose group part is its mask */
static const char list_name[] = "system.posix_acl_access";
enum { LIST_MAX = 8192 /* bytes: a thousand users and groups */ };

/* no list, or a file system without any */
static bool is_none(ssize_t got)
{
  return got < 0 && (errno == ENODATA || errno == EOPNOTSUPP);
}

/* every new file may inherit a list from its folder */
static bool remove_list(int fd)
{
  ssize_t got = fgetxattr(fd, list_name, NULL, 0);
  if (got < 0)
    return is_none(got);
  return fremovexattr(fd, list_name) == 0;
}

bool kh_file_keep_acl(const char *path, int fd)
{
  char list[LIST_MAX];
  ssize_t got = getxattr(path, list_name, list, sizeof list);
  if (is_none(got))
    return remove_list(fd);
  return got >= 0 && fsetxattr(fd, list_name, list, (size_t)got, 0) == 0;
}
