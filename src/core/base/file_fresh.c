/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

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

static bool create(kh_fresh *fresh)
{
  fresh->fd = openat(fresh->folder, fresh->fresh,
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return fresh->fd >= 0;
}

/* Whether a name in the folder is that of an open file; errno is set if that cannot be told. */
static bool is_named(const kh_fresh *fresh, int fd, const char *name)
{
  struct stat opened;
  struct stat named;
  errno = 0;
  return fstat(fd, &opened) == 0 &&
         fstatat(fresh->folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* false: another process has it locked. Where there are no locks, nobody has. */
static bool lock(int fd)
{
  int result;
  do
    result = flock(fd, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0 || errno != EWOULDBLOCK;
}

/* Removes what a process that was killed left: who is alive has it locked. What cannot be opened
 * (a link, another user's) cannot be asked. */
static bool remove_left(const kh_fresh *fresh)
{
  KH_AUTO_FD fd = openat(fresh->folder, fresh->fresh,
                         O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0 && !lock(fd))
    return false;
  if (fd >= 0 && !is_named(fresh, fd, fresh->fresh))
    return true; /* it was finished or removed meanwhile, and the name may be another's now */
  return unlinkat(fresh->folder, fresh->fresh, 0) == 0 || errno == ENOENT;
}

/* Locks the new file, unless somebody took it for one that was left, before it was locked. */
static bool claim(kh_fresh *fresh)
{
  if (!lock(fresh->fd))
    return false;
  if (is_named(fresh, fresh->fd, fresh->fresh))
    return true;
  if (errno == 0 || errno == ENOENT)
    errno = EWOULDBLOCK;
  else
    kh_fresh_remove(fresh);
  return false;
}

bool kh_fresh_create(kh_fresh *fresh)
{
  if (!create(fresh) && (errno != EEXIST || !remove_left(fresh) || !create(fresh))) {
    if (errno == EEXIST)
      errno = EWOULDBLOCK;
    return false;
  }
  return claim(fresh);
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
  bool is_in_place = is_named(fresh, fresh->fd, fresh->name);
  errno = error;
  return is_in_place;
}

void kh_fresh_remove(const kh_fresh *fresh)
{
  int error = errno;
  (void)unlinkat(fresh->folder, fresh->fresh, 0);
  errno = error;
}

/* closing would not unlock while a forked child has the descriptor */
void kh_fresh_cleanup(kh_fresh *fresh)
{
  if (fresh->fd >= 0)
    (void)flock(fresh->fd, LOCK_UN);
  kh_fd_cleanup(&fresh->fd);
  kh_fd_cleanup(&fresh->folder);
}
