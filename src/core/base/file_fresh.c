/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "file_parts.h"

static bool name_files(kh_fresh *fresh, const char *name)
{
  int len = snprintf(fresh->name, sizeof fresh->name, "%s", name);
  int fresh_len = snprintf(fresh->fresh, sizeof fresh->fresh, ".%s.keyhold-new", name);
  errno = ENAMETOOLONG;
  return len < (int)sizeof fresh->name && fresh_len < (int)sizeof fresh->fresh;
}

bool kh_fresh_open_folder(kh_fresh *fresh, const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  if (!name_files(fresh, name))
    return false;
  KH_AUTO_STRING folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(name - path));
  if (folder == NULL)
    return false;
  fresh->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fresh->folder >= 0;
}

bool kh_fresh_create(kh_fresh *fresh)
{
  if (unlinkat(fresh->folder, fresh->fresh, 0) != 0 && errno != ENOENT)
    return false;
  fresh->fd = openat(fresh->folder, fresh->fresh,
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return fresh->fd >= 0;
}

bool kh_fresh_write(const kh_fresh *fresh, kh_bytes content)
{
  size_t done = 0;
  while (done < content.len) {
    ssize_t put = write(fresh->fd, content.data + done, content.len - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    done += (size_t)put;
  }
  return true;
}

bool kh_fresh_is_in_place(const kh_fresh *fresh)
{
  int error = errno;
  struct stat made;
  struct stat named;
  bool is_in_place = fstat(fresh->fd, &made) == 0 &&
                     fstatat(fresh->folder, fresh->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                     made.st_dev == named.st_dev && made.st_ino == named.st_ino;
  errno = error;
  return is_in_place;
}

void kh_fresh_remove(const kh_fresh *fresh)
{
  int error = errno;
  (void)unlinkat(fresh->folder, fresh->fresh, 0);
  errno = error;
}

void kh_fresh_cleanup(kh_fresh *fresh)
{
  kh_fd_cleanup(&fresh->fd);
  kh_fd_cleanup(&fresh->folder);
}
