/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "file_parts.h"
#include "temp_file.h"

static bool set_names(kh_temp_file *file, const char *name)
{
  int len = snprintf(file->name, sizeof file->name, "%s", name);
  int temp_len = snprintf(file->temp_name, sizeof file->temp_name,
                          KH_TEMP_FILE_PREFIX "%s" KH_TEMP_FILE_SUFFIX, name);
  errno = ENAMETOOLONG;
  return len < (int)sizeof file->name && temp_len < (int)sizeof file->temp_name;
}

bool kh_temp_file_open_folder(kh_temp_file *file, const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  if (!set_names(file, name))
    return false;
  KH_AUTO_STRING folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(name - path));
  if (folder == NULL)
    return false;
  file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return file->folder >= 0;
}

static bool create_temp_file(kh_temp_file *file)
{
  file->fd = openat(file->folder, file->temp_name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return file->fd >= 0;
}

/* Returns whether a name in the folder is that of an open file; errno is set if that cannot be
 * found out. */
static bool is_named(const kh_temp_file *file, int fd, const char *name)
{
  struct stat opened;
  struct stat named;
  errno = 0;
  return fstat(fd, &opened) == 0 && fstatat(file->folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Returns false when another process has it locked. A file system without locks counts as unlocked.
 */
static bool lock_temp_file(int fd)
{
  int result;
  do
    result = flock(fd, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0 || errno != EWOULDBLOCK;
}

/* Removes the file of a killed process: a running one has it locked. A file that cannot be opened
 * (a link, another user's) is not removed. */
static bool remove_leftover(const kh_temp_file *file)
{
  KH_AUTO_FD fd = openat(file->folder, file->temp_name,
                         O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0 && !lock_temp_file(fd))
    return false;
  if (fd >= 0 && !is_named(file, fd, file->temp_name))
    return true; /* it was finished or removed meanwhile, and the name may be another's now */
  return unlinkat(file->folder, file->temp_name, 0) == 0 || errno == ENOENT;
}

/* Locks the new file, unless another process removed it as one of a killed process before it was
 * locked.
 */
static bool claim_temp_file(kh_temp_file *file)
{
  if (!lock_temp_file(file->fd))
    return false;
  if (is_named(file, file->fd, file->temp_name))
    return true;
  if (errno == 0 || errno == ENOENT)
    errno = EWOULDBLOCK;
  else
    kh_temp_file_remove(file);
  return false;
}

bool kh_temp_file_create(kh_temp_file *file)
{
  if (!create_temp_file(file) &&
      (errno != EEXIST || !remove_leftover(file) || !create_temp_file(file))) {
    if (errno == EEXIST)
      errno = EWOULDBLOCK;
    return false;
  }
  return claim_temp_file(file);
}

bool kh_temp_file_write(const kh_temp_file *file, kh_bytes content)
{
  size_t done = 0;
  while (done < content.len) {
    ssize_t put = write(file->fd, content.data + done, content.len - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    done += (size_t)put;
  }
  return true;
}

bool kh_temp_file_is_in_place(const kh_temp_file *file)
{
  int error = errno;
  bool is_in_place = is_named(file, file->fd, file->name);
  errno = error;
  return is_in_place;
}

void kh_temp_file_remove(const kh_temp_file *file)
{
  int error = errno;
  (void)unlinkat(file->folder, file->temp_name, 0);
  errno = error;
}

/* closing would not unlock while a forked child has the descriptor */
void kh_temp_file_cleanup(kh_temp_file *file)
{
  if (file->fd >= 0)
    (void)flock(file->fd, LOCK_UN);
  kh_fd_cleanup(&file->fd);
  kh_fd_cleanup(&file->folder);
}
