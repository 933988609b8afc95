/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: fsync open syncfs */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/file.h"
#include "unit.h"
#include "wrap.h"

/* which flush fails, and with which errno; what was flushed */
static struct {
  unsigned calls, fail_at;
  int error;
  bool folder[4];
  ino_t inode[4];
} flushes;

WRAPS(fsync);
int __wrap_fsync(int fd)
{
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  flushes.folder[flushes.calls % COUNT(flushes.folder)] = S_ISDIR(st.st_mode);
  flushes.inode[flushes.calls % COUNT(flushes.inode)] = st.st_ino;
  if (++flushes.calls != flushes.fail_at)
    return 0;
  errno = flushes.error;
  return -1;
}

/* whether folders may be searched and not read; how often a whole file system was flushed */
static bool closed_folders;
static bool no_descriptors; /* for files that are not folders */
static unsigned synced;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
  bool is_folder = (flags & O_DIRECTORY) == O_DIRECTORY;
  if (is_folder ? !closed_folders : !no_descriptors)
    return __real_open(path, flags);
  errno = is_folder ? EACCES : EMFILE;
  return -1;
}

WRAPS(syncfs);
int __wrap_syncfs(int fd)
{
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  synced++;
  errno = flushes.error;
  return flushes.error == 0 ? 0 : -1;
}

static int reset(void **state)
{
  (void)state;
  memset(&flushes, 0, sizeof flushes);
  closed_folders = false;
  no_descriptors = false;
  synced = 0;
  return 0;
}

static void the_file_and_then_its_folder(void **state)
{
  (void)state;
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = test_stamp(path);
  assert_int_equal(kh_file_flush(path, &stamp, NULL), KH_OK);
  assert_int_equal(flushes.calls, 2);
  assert_false(flushes.folder[0]);
  assert_true(flushes.folder[1]);
}

static void a_failure_of_either_is_reported(void **state)
{
  (void)state;
  static const struct {
    int error;
    kh_status status;
  } errors[] = {{EIO, KH_E_FILE_FLUSH},
                {EROFS, KH_E_FILE_FLUSH},
                {ENOSPC, KH_E_FILE_FLUSH},
                {EINVAL, KH_OK},
                {ENOTSUP, KH_OK}};
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = test_stamp(path);
  for (unsigned i = 0; i < 2 * COUNT(errors); i++) {
    kh_fault fault = {0};
    reset(NULL);
    flushes.fail_at = i % 2 + 1;
    flushes.error = errors[i / 2].error;
    assert_int_equal(kh_file_flush(path, &stamp, &fault), errors[i / 2].status);
    if (errors[i / 2].status != KH_OK)
      assert_int_equal(fault.os_error, errors[i / 2].error);
  }
}

static void a_link_is_followed(void **state)
{
  (void)state;
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = test_stamp(path);
  unlink(test_path("link"));
  assert_int_equal(symlink(path, test_path("link")), 0);
  assert_int_equal(kh_file_flush(test_path("link"), &stamp, NULL), KH_OK);
  assert_false(flushes.folder[0]);
}

/* the link was replaced: its folder decides which file it leads to */
static void the_folder_of_a_link_too(void **state)
{
  (void)state;
  struct stat st;
  char link[1024];
  test_run("mkdir -p '%s' && echo text >'%s'", test_path("other"), test_path("other/keys"));
  snprintf(link, sizeof link, "%s", test_path("link2"));
  assert_int_equal(symlink("other/keys", link), 0);
  kh_file_stamp stamp = test_stamp(link);
  assert_int_equal(kh_file_flush(link, &stamp, NULL), KH_OK);
  assert_int_equal(flushes.calls, 3);
  assert_true(flushes.folder[1] && flushes.folder[2]);
  assert_int_equal(stat(test_path("other"), &st), 0);
  assert_int_equal(flushes.inode[1], st.st_ino);
  assert_int_equal(stat(test_path("."), &st), 0);
  assert_int_equal(flushes.inode[2], st.st_ino);
  for (unsigned i = 1; i <= 3; i++) {
    reset(NULL);
    flushes.fail_at = i;
    flushes.error = EIO;
    assert_int_equal(kh_file_flush(link, &stamp, NULL), KH_E_FILE_FLUSH);
  }
}

static void a_folder_that_cannot_be_read(void **state)
{
  (void)state;
  kh_fault fault = {0};
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = test_stamp(path);
  closed_folders = true;
  assert_int_equal(kh_file_flush(path, &stamp, NULL), KH_OK);
  assert_int_equal(flushes.calls, 1);
  assert_int_equal(synced, 1);
  flushes.error = EIO;
  assert_int_equal(kh_file_flush(path, &stamp, &fault), KH_E_FILE_FLUSH);
  assert_int_equal(fault.os_error, EIO);
}

static void a_file_that_cannot_be_opened(void **state)
{
  (void)state;
  kh_fault fault = {0};
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = test_stamp(path);
  no_descriptors = true;
  assert_int_equal(kh_file_flush(path, &stamp, &fault), KH_E_FILE_FLUSH);
  assert_int_equal(fault.os_error, EMFILE);
  assert_int_equal(flushes.calls, 0);
}

/* it has nothing on the disk, and its reader must not open it once more */
static void a_fifo_is_not_flushed(void **state)
{
  (void)state;
  unlink(test_path("fifo"));
  assert_int_equal(mkfifo(test_path("fifo"), 0600), 0);
  kh_file_stamp stamp = test_stamp(test_path("fifo"));
  assert_int_equal(kh_file_flush(test_path("fifo"), &stamp, NULL), KH_OK);
  assert_int_equal(flushes.calls, 0);
}

static void what_changed_meanwhile_is_refused(void **state)
{
  (void)state;
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = test_stamp(path);
  kh_fault fault = {0};
  test_text("keys.new", "other text", 0600);
  assert_int_equal(rename(test_path("keys.new"), path), 0);
  assert_int_equal(kh_file_flush(path, &stamp, &fault), KH_E_FILE_CHANGED);
  unlink(path);
  assert_int_equal(kh_file_flush(path, &stamp, &fault), KH_E_FILE_NOT_FOUND);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_file_and_then_its_folder, reset),
      cmocka_unit_test_setup(a_failure_of_either_is_reported, reset),
      cmocka_unit_test_setup(a_link_is_followed, reset),
      cmocka_unit_test_setup(the_folder_of_a_link_too, reset),
      cmocka_unit_test_setup(a_folder_that_cannot_be_read, reset),
      cmocka_unit_test_setup(a_file_that_cannot_be_opened, reset),
      cmocka_unit_test_setup(a_fifo_is_not_flushed, reset),
      cmocka_unit_test_setup(what_changed_meanwhile_is_refused, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
