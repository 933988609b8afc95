/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "file_parts.h"
#include "keyhold/clock.h"

enum { RETRY_MILLISECONDS = 20 };

struct kh_lockfile {
  int fd;
  int file; /* the file itself; -1: it cannot be locked */
};

/* What the lock file of a file has: its permissions, and always those that its owner needs. */
static mode_t mode_beside(const struct stat *file)
{
  return (file->st_mode & 0777) | S_IRUSR | S_IWUSR;
}

/* Returns whether an open file is where its name says. A user who owns a folder above it can
 * replace that by a link to any other folder while root opens the name. */
static bool is_in_place(int fd, const char *name)
{
  char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];
  char place[PATH_MAX];
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, place, sizeof place);
  return len > 0 && (size_t)len == strlen(name) && memcmp(place, name, (size_t)len) == 0;
}

/* Without this, the server's user could not lock a file that root has locked before. A process that
 * cannot change the owner uses the lock file as it is. The owner can write it even if not the file:
 * NFS locks only files that can be written. */
static void give_same_access(int fd, const char *name, const struct stat *file, mode_t mode)
{
  if (is_in_place(fd, name) && fchown(fd, file->st_uid, file->st_gid) == 0)
    (void)fchmod(fd, mode);
}

/* Only an empty file with one name is mended, which is root's, the caller's or already that of the
 * file's owner. In a folder that others can write, the name may have been given to any file. */
static bool may_mend(const struct stat *lock, const struct stat *file)
{
  return S_ISREG(lock->st_mode) && lock->st_nlink == 1 && lock->st_size == 0 &&
         (lock->st_uid == 0 || lock->st_uid == geteuid() || lock->st_uid == file->st_uid);
}

/* Gives a lock file that was made before the file got its owner, group and mode the same. Never
 * takes a permission away. Returns false with errno for what is not a lock file. */
static bool mend(int fd, const char *name, const struct stat *file)
{
  struct stat lock;
  if (fstat(fd, &lock) != 0)
    return false;
  if (!S_ISREG(lock.st_mode)) {
    errno = EINVAL;
    return false;
  }
  mode_t mode = (lock.st_mode & 0777) | mode_beside(file);
  bool differs =
      lock.st_uid != file->st_uid || lock.st_gid != file->st_gid || (lock.st_mode & 0777) != mode;
  if (differs && may_mend(&lock, file) && (geteuid() == 0 || lock.st_uid == geteuid()))
    give_same_access(fd, name, file, mode);
  return true;
}

enum { LOCK_FLAGS = O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

/* Lets the owner open a lock file again that has a mode without permissions for the owner. Through
 * /proc, since only O_PATH opens it, and fchmod(2) refuses such a descriptor. */
static bool let_owner_in(const char *name)
{
  KH_AUTO_FD fd = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat lock;
  if (fd < 0 || fstat(fd, &lock) != 0 || lock.st_uid != geteuid() || !may_mend(&lock, &lock))
    return false;
  char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return chmod(path, (lock.st_mode & 0777) | S_IRUSR | S_IWUSR) == 0;
}

/* Returns -1 with errno on failure. Locks of local file systems need no right to write. */
static int open_existing_lock_file(const char *name)
{
  int fd = open(name, O_RDWR | LOCK_FLAGS);
  if (fd < 0 && errno == EACCES)
    fd = open(name, O_RDONLY | LOCK_FLAGS);
  if (fd < 0 && errno == EACCES) {
    fd = let_owner_in(name) ? open(name, O_RDWR | LOCK_FLAGS) : -1;
    errno = EACCES;
  }
  return fd;
}

/* returns -1 with errno on failure */
static int open_lock_file(const char *name, const struct stat *file)
{
  int made = open(name, O_RDWR | LOCK_FLAGS | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  if (made >= 0)
    give_same_access(made, name, file, mode_beside(file));
  if (made >= 0 || errno != EEXIST)
    return made;
  KH_AUTO_FD fd = open_existing_lock_file(name);
  if (fd < 0 || !mend(fd, name, file))
    return -1;
  int mended = fd;
  fd = -1;
  return mended;
}

static kh_status open_lock_file_of(const char *path, int *ret_fd, kh_fault *ret_fault)
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
    return kh_file_fail(ret_fault, KH_E_FILE_LOCK, path, ENAMETOOLONG);
  int fd = open_lock_file(name, &st);
  if (fd < 0)
    return kh_file_fail(ret_fault, KH_E_FILE_LOCK, path, errno);
  *ret_fd = fd;
  return KH_OK;
}

static void sleep_at_most(int64_t milliseconds)
{
  int64_t time = milliseconds < RETRY_MILLISECONDS ? milliseconds : RETRY_MILLISECONDS;
  struct timespec left = {.tv_nsec = (long)time * 1000000};
  (void)nanosleep(&left, NULL); /* a signal makes it try earlier */
}

static kh_status lock_until(int fd, int64_t end, const char *path, kh_fault *ret_fault)
{
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return kh_file_fail(ret_fault, KH_E_FILE_LOCK, path, errno);
    int64_t left = end - kh_clock_milliseconds();
    if (left <= 0)
      return kh_fault_set(ret_fault, KH_E_FILE_LOCKED, path, 0);
    sleep_at_most(left);
  }
  return KH_OK;
}

/* On NFS a file must be opened for writing to lock it, and some file systems have no locks. */
static bool has_no_locks(int os_error)
{
  return os_error == EBADF || os_error == ENOLCK || os_error == EOPNOTSUPP || os_error == ENOSYS;
}

/* returns -1 when the file cannot be locked, which is not an error */
static kh_status open_and_lock(const char *path, int64_t end, int *ret_fd, kh_fault *ret_fault)
{
  kh_fault fault;
  KH_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return errno == EACCES ? KH_OK : kh_file_unreachable(path, errno, ret_fault);
  kh_status status = lock_until(fd, end, path, &fault);
  if (status == KH_E_FILE_LOCK && has_no_locks(fault.os_error))
    return KH_OK;
  if (status != KH_OK)
    return kh_file_fail(ret_fault, status, path, fault.os_error);
  *ret_fd = fd;
  fd = -1;
  return KH_OK;
}

static kh_status leads_to(const char *path, int fd, bool *ret_leads, kh_fault *ret_fault)
{
  struct stat named;
  struct stat opened;
  if (stat(path, &named) != 0 || fstat(fd, &opened) != 0)
    return kh_file_unreachable(path, errno, ret_fault);
  *ret_leads = named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
  return KH_OK;
}

/* Users remove lock files, so the file itself is locked too, to keep a second process out. A
 * process that waited for a file that was replaced meanwhile locks the next one. */
static kh_status lock_itself(const char *path, int64_t end, int *ret_fd, kh_fault *ret_fault)
{
  bool is_locked = false;
  while (!is_locked) {
    KH_AUTO_FD fd = -1;
    kh_status status = open_and_lock(path, end, &fd, ret_fault);
    if (status != KH_OK || fd < 0)
      return status;
    status = leads_to(path, fd, &is_locked, ret_fault);
    if (status != KH_OK)
      return status;
    if (is_locked) {
      *ret_fd = fd;
      fd = -1;
    }
  }
  return KH_OK;
}

kh_status kh_lockfile_take(const char *path, unsigned milliseconds, kh_lockfile **ret_lock,
                           kh_fault *ret_fault)
{
  int64_t end = kh_clock_milliseconds() + milliseconds;
  KH_AUTO_FD fd = -1;
  KH_AUTO_FD file = -1;
  kh_status status = open_lock_file_of(path, &fd, ret_fault);
  if (status == KH_OK)
    status = lock_until(fd, end, path, ret_fault);
  if (status == KH_OK)
    status = lock_itself(path, end, &file, ret_fault);
  if (status != KH_OK)
    return status;
  kh_lockfile *taken = malloc(sizeof *taken);
  if (taken == NULL)
    return kh_fault_set(ret_fault, KH_E_NO_MEMORY, path, 0);
  *taken = (kh_lockfile){.fd = fd, .file = file};
  fd = file = -1;
  *ret_lock = taken;
  return KH_OK;
}

/* closing would not unlock it while a forked child has the descriptor */
static void unlock_and_close(int fd)
{
  if (fd < 0)
    return;
  flock(fd, LOCK_UN);
  close(fd);
}

void kh_lockfile_release(kh_lockfile **lock)
{
  if (lock == NULL || *lock == NULL)
    return;
  unlock_and_close((*lock)->file);
  unlock_and_close((*lock)->fd);
  free(*lock);
  *lock = NULL;
}
