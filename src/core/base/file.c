/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "file_parts.h"
#include "keyhold/clock.h"
#include "keyhold/limits.h"

enum {
  FIFO_ROOM = 65536, /* bytes at first: locked memory is scarce */
  FIFO_SLICE = 250,  /* milliseconds between two looks at the signals */
};

static int64_t nanoseconds_of(const struct timespec *time)
{
  return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* The times of a FIFO change when it is read. */
kh_file_stamp kh_file_stamp_from(const struct stat *st)
{
  if (S_ISFIFO(st->st_mode))
    return (kh_file_stamp){.device = st->st_dev, .inode = st->st_ino};
  return (kh_file_stamp){.device = st->st_dev,
                         .inode = st->st_ino,
                         .size = (uint64_t)st->st_size,
                         .modified = nanoseconds_of(&st->st_mtim),
                         .changed = nanoseconds_of(&st->st_ctim)};
}

kh_status kh_file_unreachable(const char *path, int os_error, kh_fault *ret_fault)
{
  kh_status status = os_error == ENOENT ? KH_E_FILE_NOT_FOUND : KH_E_FILE_OPEN;
  return kh_file_fail(ret_fault, status, path, os_error);
}

kh_status kh_file_resolve(const char *path, char **ret_real, kh_fault *ret_fault)
{
  char *real = realpath(path, NULL);
  if (real == NULL)
    return kh_file_unreachable(path, errno, ret_fault);
  *ret_real = real;
  return KH_OK;
}

kh_status kh_file_stamp_of(const char *path, kh_file_stamp *ret_stamp, kh_fault *ret_fault)
{
  struct stat st;
  if (stat(path, &st) != 0)
    return kh_file_unreachable(path, errno, ret_fault);
  *ret_stamp = kh_file_stamp_from(&st);
  return KH_OK;
}

bool kh_file_is_same(const kh_file_stamp *a, const kh_file_stamp *b)
{
  return a->device == b->device && a->inode == b->inode && a->size == b->size &&
         a->modified == b->modified && a->changed == b->changed;
}

kh_status kh_file_classify(const struct stat *st, kh_file_kind kind)
{
  if (S_ISDIR(st->st_mode))
    return KH_E_FILE_DIRECTORY;
  if (S_ISREG(st->st_mode) || kind == KH_FILE_ANY)
    return KH_OK;
  if (!S_ISFIFO(st->st_mode))
    return KH_E_FILE_SPECIAL;
  return kind == KH_FILE_REGULAR ? KH_E_FILE_FIFO : KH_OK;
}

kh_status kh_file_refuse_fifo(const char *path, kh_fault *ret_fault)
{
  struct stat st;
  if (stat(path, &st) != 0)
    return kh_file_unreachable(path, errno, ret_fault);
  return S_ISFIFO(st.st_mode) ? kh_fault_set(ret_fault, KH_E_FILE_FIFO, path, 0) : KH_OK;
}

static kh_status open_checked(const char *path, kh_file_kind kind, int *ret_fd, struct stat *ret_st,
                              kh_fault *ret_fault)
{
  kh_status status = kind == KH_FILE_REGULAR ? kh_file_refuse_fifo(path, ret_fault) : KH_OK;
  if (status != KH_OK)
    return status;
  /* A FIFO instead of a regular file must be refused without waiting. One that is opened this way
   * does not end before a process has written to it. */
  int wait = kind == KH_FILE_ANY ? 0 : O_NONBLOCK;
  *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | wait);
  if (*ret_fd < 0 && errno == ENXIO) /* a socket */
    return kh_fault_set(ret_fault, KH_E_FILE_SPECIAL, path, 0);
  if (*ret_fd < 0)
    return kh_file_unreachable(path, errno, ret_fault);
  if (fstat(*ret_fd, ret_st) != 0)
    return kh_file_fail(ret_fault, KH_E_FILE_READ, path, errno);
  status = kh_file_classify(ret_st, kind);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, path, 0);
}

/* A wait for the writer of a FIFO, in times of kh_clock_milliseconds(). */
struct wait {
  int64_t until;     /* 0: there is no limit */
  int64_t report_at; /* without a limit; 0: it was reported */
  const char *path;
  const kh_log *log;
};

/* A server blocks SIGTERM, which a thread takes that does not run yet while the plugin starts. In
 * other processes the signal acts at once. */
static bool is_told_to_end(void)
{
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

static kh_status go_on_waiting(struct wait *wait)
{
  if (wait->until != 0)
    return kh_clock_milliseconds() > wait->until ? KH_E_FILE_TIME : KH_OK;
  if (is_told_to_end())
    return KH_E_FILE_WAIT_ENDED;
  if (wait->report_at != 0 && kh_clock_milliseconds() >= wait->report_at) {
    wait->report_at = 0;
    kh_log_write(wait->log, KH_LOG_WARNING,
                 "waiting for a process to write to FIFO '%s' and to close it; SIGTERM ends the "
                 "wait",
                 kh_file_show_absolute(wait->path).text);
  }
  return KH_OK;
}

/* Waits until a FIFO has bytes or has ended. */
static kh_status wait_for_writer(int fd, struct wait *wait)
{
  for (;;) {
    kh_status status = go_on_waiting(wait);
    if (status != KH_OK)
      return status;
    int64_t left = wait->until == 0 ? FIFO_SLICE : wait->until - kh_clock_milliseconds();
    int ready = poll(&(struct pollfd){fd, POLLIN, 0}, 1, left < 0 ? 0 : (int)left);
    if (ready > 0)
      return KH_OK;
    if (ready == 0 && wait->until != 0)
      return KH_E_FILE_TIME;
    if (ready < 0 && errno != EINTR)
      return KH_E_FILE_READ;
  }
}

/* Doubles the room for the content of a FIFO, whose size is not known before. */
static kh_status make_room(size_t most, kh_secret **secret)
{
  size_t len = kh_secret_capacity(*secret);
  kh_secret *larger = NULL;
  kh_status status = kh_secret_new(len > most / 2 ? most : 2 * len, &larger);
  if (status != KH_OK)
    return status;
  memcpy(kh_secret_data(larger), kh_secret_data(*secret), len);
  kh_secret_free(secret);
  *secret = larger;
  return KH_OK;
}

/* reads until the end of the file, `most` bytes at most; `wait` NULL: it is not a FIFO */
static kh_status read_all(int fd, struct wait *wait, size_t most, kh_secret **secret)
{
  size_t len = 0;
  while (len < most) {
    kh_status status = len < kh_secret_capacity(*secret) ? KH_OK : make_room(most, secret);
    if (status == KH_OK && wait != NULL)
      status = wait_for_writer(fd, wait);
    if (status != KH_OK)
      return status;
    ssize_t got = read(fd, kh_secret_data(*secret) + len, kh_secret_capacity(*secret) - len);
    if (got < 0 && (errno == EINTR || (wait != NULL && errno == EAGAIN)))
      continue;
    if (got < 0)
      return KH_E_FILE_READ;
    if (got == 0)
      break;
    len += (size_t)got;
  }
  kh_secret_set_len(*secret, len);
  return KH_OK;
}

/* A file that another process is writing can look complete: half of a key is a valid key. What
 * changes the owner, the mode or the links does not matter here. */
static kh_status check_unchanged(int fd, const struct stat *before)
{
  struct stat st;
  if (fstat(fd, &st) != 0)
    return KH_E_FILE_READ;
  kh_file_stamp old = kh_file_stamp_from(before);
  kh_file_stamp now = kh_file_stamp_from(&st);
  return now.size == old.size && now.modified == old.modified ? KH_OK : KH_E_FILE_CHANGED;
}

kh_status kh_file_read_descriptor(int fd, const char *path, const struct stat *st, size_t most,
                                  kh_file_kind kind, const kh_log *log, kh_secret **ret_secret,
                                  kh_fault *ret_fault)
{
  /* one byte more than the file's size shows that it grew meanwhile */
  bool sized = S_ISREG(st->st_mode) && st->st_size > 0 && (uint64_t)st->st_size < most;
  size_t capacity = sized ? (size_t)st->st_size + 1 : most;
  KH_AUTO_SECRET secret = NULL;
  bool is_fifo = S_ISFIFO(st->st_mode) && kind != KH_FILE_ANY;
  kh_status status = kh_secret_new(is_fifo && capacity > FIFO_ROOM ? FIFO_ROOM : capacity, &secret);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, path, 0);
  int64_t now = kh_clock_milliseconds();
  struct wait wait = {.until = kind == KH_FILE_OR_FIFO_SOON ? now + KH_FIFO_WAIT : 0,
                      .report_at = now + KH_FIFO_SILENCE,
                      .path = path,
                      .log = log};
  status = read_all(fd, is_fifo ? &wait : NULL, capacity, &secret);
  if (status != KH_OK)
    return kh_file_fail(ret_fault, status, path, status == KH_E_FILE_READ ? errno : 0);
  if (sized && kh_secret_bytes(secret).len == capacity)
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, path, 0);
  status = S_ISREG(st->st_mode) ? check_unchanged(fd, st) : KH_OK;
  if (status != KH_OK)
    return kh_file_fail(ret_fault, status, path, status == KH_E_FILE_READ ? errno : 0);
  *ret_secret = secret;
  secret = NULL;
  return KH_OK;
}

/* One whose writer has not come is opened without waiting, so that its name can be reported. */
static kh_file_kind kind_of_wait(const char *path, kh_file_kind kind)
{
  struct stat st;
  bool is_fifo = kind == KH_FILE_ANY && stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
  return is_fifo ? KH_FILE_OR_FIFO : kind;
}

kh_status kh_file_read_reporting(const char *path, size_t most, kh_file_kind kind,
                                 const kh_log *log, kh_secret **ret_secret, kh_file_info *ret_info,
                                 kh_fault *ret_fault)
{
  KH_AUTO_FD fd = -1;
  struct stat st = {0};
  kind = kind_of_wait(path, kind);
  kh_status status = open_checked(path, kind, &fd, &st, ret_fault);
  if (status == KH_OK)
    status = kh_file_read_descriptor(fd, path, &st, most, kind, log, ret_secret, ret_fault);
  if (status == KH_OK && ret_info != NULL)
    *ret_info = (kh_file_info){.mode = st.st_mode,
                               .owner = st.st_uid,
                               .size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
                               .stamp = kh_file_stamp_from(&st)};
  return status;
}

kh_status kh_file_read(const char *path, size_t most, kh_file_kind kind, kh_secret **ret_secret,
                       kh_file_info *ret_info, kh_fault *ret_fault)
{
  return kh_file_read_reporting(path, most, kind, NULL, ret_secret, ret_info, ret_fault);
}
