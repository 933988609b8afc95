/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "file_parts.h"

enum { RETRY_MILLISECONDS = 20 };

struct kh_lockfile {
  int fd;
};

/* Without this, root's lock file would keep the server's user out. One who may not give it away
 * uses it as it is. The owner can write it even if not the file: NFS locks only what can be
 * written. */
static void make_alike(int fd, const struct stat *file)
{
  if (fchown(fd, file->st_uid, file->st_gid) == 0)
    (void)fchmod(fd, (file->st_mode & 0777) | S_IWUSR);
}

/* gives -1 with errno on failure */
static int open_lock(const char *name, const struct stat *file)
{
  enum { FLAGS = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };
  int fd = open(name, FLAGS | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  if (fd < 0)
    return errno == EEXIST ? open(name, FLAGS) : -1;
  make_alike(fd, file);
  return fd;
}

static kh_status open_beside(const char *path, int *ret_fd, kh_fault *ret_fault)
{
  KH_AUTO_STRING real = NULL;
  kh_status status = kh_file_resolve(path, &real, ret_fault);
  if (status != KH_OK)
    return status;
  struct stat st;
  if (stat(real, &st) != 0)
    return kh_file_unreachable(path, errno, ret_fault);
  char name[PATH_MAX];
  if (snprintf(name, sizeof name, "%s.lock", real) >= (int)sizeof name)
    return kh_fault_set(ret_fault, KH_E_FILE_LOCK, path, ENAMETOOLONG);
  int fd = open_lock(name, &st);
  if (fd < 0)
    return kh_fault_set(ret_fault, KH_E_FILE_LOCK, path, errno);
  *ret_fd = fd;
  return KH_OK;
}

static int64_t now_in_milliseconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_at_most(int64_t milliseconds)
{
  int64_t time = milliseconds < RETRY_MILLISECONDS ? milliseconds : RETRY_MILLISECONDS;
  struct timespec left = {.tv_nsec = (long)time * 1000000};
  (void)nanosleep(&left, NULL); /* a signal makes it try earlier */
}

static kh_status lock(int fd, unsigned milliseconds, const char *path, kh_fault *ret_fault)
{
  int64_t end = now_in_milliseconds() + milliseconds;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return kh_fault_set(ret_fault, KH_E_FILE_LOCK, path, errno);
    int64_t left = end - now_in_milliseconds();
    if (left <= 0)
      return kh_fault_set(ret_fault, KH_E_FILE_LOCKED, path, 0);
    sleep_at_most(left);
  }
  return KH_OK;
}

kh_status kh_lockfile_take(const char *path, unsigned milliseconds, kh_lockfile **ret_lock,
                           kh_fault *ret_fault)
{
  KH_AUTO_FD fd = -1;
  kh_status status = open_beside(path, &fd, ret_fault);
  if (status == KH_OK)
    status = lock(fd, milliseconds, path, ret_fault);
  if (status != KH_OK)
    return status;
  kh_lockfile *taken = malloc(sizeof *taken);
  if (taken == NULL)
    return kh_fault_set(ret_fault, KH_E_NO_MEMORY, path, 0);
  taken->fd = fd;
  fd = -1;
  *ret_lock = taken;
  return KH_OK;
}

void kh_lockfile_release(kh_lockfile **lock)
{
  if (lock == NULL || *lock == NULL)
    return;
  flock((*lock)->fd, LOCK_UN); /* closing would not do while a forked child has the descriptor */
  close((*lock)->fd);
  free(*lock);
  *lock = NULL;
}
