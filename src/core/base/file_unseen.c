/* SPDX-License-Identifier: GPL-2.0-only */
/* What another process writes to a file, without its lock, while the file is replaced. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "file_parts.h"
#include "keyhold/clock.h"

enum {
  TRIES = 5,
  PAUSE = 10 /* milliseconds */,
  OPENING = 50 /* the same */,
  ROOM = 4096 /* bytes for a file that grows */
};

/* Refuses another file than the one that was seen; it is not replaced then. */
static kh_status open_seen(const char *path, const kh_file_stamp *seen, int *ret_fd,
                           kh_fault *ret_fault)
{
  struct stat st;
  KH_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return kh_file_unreachable(path, errno, ret_fault);
  if (fstat(fd, &st) != 0)
    return kh_file_fail(ret_fault, KH_E_FILE_OPEN, path, errno);
  kh_file_stamp stamp = kh_file_stamp_from(&st);
  if (!kh_file_is_same(&stamp, seen))
    return kh_fault_set(ret_fault, KH_E_FILE_CHANGED, path, 0);
  *ret_fd = fd;
  fd = -1;
  return KH_OK;
}

/* Waits until no process has the file open for writing: only then is a read lease granted. It is
 * given back at once; a process that opens the file in between makes the kernel send a signal,
 * which must be one that is ignored. Returns whether a process still has it open. */
static bool is_open_for_writing_after_wait(int fd)
{
  int64_t end = kh_clock_milliseconds() + KH_FILE_WRITER_WAIT;
  if (fcntl(fd, F_SETSIG, SIGURG) != 0)
    return false;
  while (fcntl(fd, F_SETLEASE, F_RDLCK) != 0) {
    if (errno != EAGAIN)
      return false;
    if (kh_clock_milliseconds() >= end)
      return true;
    (void)poll(NULL, 0, PAUSE);
  }
  (void)fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

static kh_status read_once(int fd, const char *path, struct stat *st, kh_secret **ret_secret,
                           kh_fault *ret_fault)
{
  if (lseek(fd, 0, SEEK_SET) != 0 || fstat(fd, st) != 0)
    return kh_file_fail(ret_fault, KH_E_FILE_READ, path, errno);
  return kh_file_read_descriptor(fd, path, st, (size_t)st->st_size + ROOM, KH_FILE_REGULAR, NULL,
                                 ret_secret, ret_fault);
}

/* a file that is still being written is read again */
static kh_status read_replaced(int fd, const char *path, struct stat *st, kh_secret **ret_secret,
                               kh_fault *ret_fault)
{
  kh_status status = KH_E_FILE_CHANGED;
  for (int tries = 0; tries < TRIES && status == KH_E_FILE_CHANGED; tries++) {
    if (tries > 0)
      (void)poll(NULL, 0, PAUSE);
    status = read_once(fd, path, st, ret_secret, ret_fault);
  }
  return status;
}

static bool is_seen(const kh_secret *content, kh_bytes seen)
{
  kh_bytes now = kh_secret_bytes(content);
  return now.len == seen.len && kh_is_same_secret(now.data, seen.data, now.len);
}

/* Another process may take the name at the same time. */
static kh_status keep_beside(const char *path, const struct stat *st, const kh_secret *content,
                             kh_file_unseen *unseen)
{
  kh_clock clock = kh_clock_system();
  kh_status status = KH_E_FILE_EXISTS;
  for (int tries = 0; tries < TRIES && status == KH_E_FILE_EXISTS; tries++) {
    KH_AUTO_STRING name = kh_file_name_dated(path, "kept", kh_clock_now(&clock));
    if (name == NULL)
      return kh_fault_set(&unseen->fault, KH_E_NO_MEMORY, path, 0);
    unseen->kept_as = kh_show_path(name);
    status = kh_file_create_like(name, st, kh_secret_bytes(content), &unseen->fault);
  }
  return status;
}

static void look_for_unseen(int fd, const char *path, kh_bytes seen, kh_file_unseen *ret_unseen)
{
  KH_AUTO_SECRET content = NULL;
  kh_file_unseen unseen = {.is_found = true};
  struct stat st;
  (void)poll(NULL, 0, OPENING); /* a process may have looked up the name before the rename */
  unseen.is_held = is_open_for_writing_after_wait(fd);
  ret_unseen->is_held = unseen.is_held;
  kh_status status = read_replaced(fd, path, &st, &content, &unseen.fault);
  if (status == KH_OK && is_seen(content, seen))
    return;
  if (status == KH_OK)
    status = keep_beside(path, &st, content, &unseen);
  if (status == KH_OK)
    unseen.fault = (kh_fault){.status = KH_OK};
  *ret_unseen = unseen;
}

kh_status kh_file_replace_seen(const char *path, const kh_file_seen *seen, kh_bytes content,
                               kh_file_stamp *ret_stamp, kh_file_unseen *ret_unseen,
                               kh_fault *ret_fault)
{
  KH_AUTO_FD fd = -1;
  *ret_unseen = (kh_file_unseen){.is_found = false};
  kh_status status = open_seen(path, &seen->stamp, &fd, ret_fault);
  if (status == KH_OK)
    status = kh_file_replace(path, &seen->stamp, content, ret_stamp, ret_fault);
  bool is_replaced = status == KH_OK || status == KH_E_FILE_FLUSH;
  if (fd >= 0 && is_replaced)
    look_for_unseen(fd, path, seen->content, ret_unseen);
  return status;
}
