/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/file.h"
#include "unit.h"

/* which flush fails, and how; what was flushed */
static struct {
  unsigned calls, fail_at;
  int error;
  bool folder[4];
} flushes;

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  flushes.folder[flushes.calls % COUNT(flushes.folder)] = S_ISDIR(st.st_mode);
  if (++flushes.calls != flushes.fail_at)
    return 0;
  errno = flushes.error;
  return -1;
}

static kh_file_stamp stamp_of(const char *path)
{
  kh_file_stamp stamp;
  assert_int_equal(kh_file_stamp_of(path, &stamp, NULL), KH_OK);
  return stamp;
}

static int reset(void **state)
{
  (void)state;
  memset(&flushes, 0, sizeof flushes);
  return 0;
}

static void the_file_and_then_its_folder(void **state)
{
  (void)state;
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = stamp_of(path);
  assert_int_equal(kh_file_flush(path, &stamp, NULL), KH_OK);
  assert_int_equal(flushes.calls, 2);
  assert_false(flushes.folder[0]);
  assert_true(flushes.folder[1]);
}

static void a_failure_of_either_is_told(void **state)
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
  kh_file_stamp stamp = stamp_of(path);
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
  kh_file_stamp stamp = stamp_of(path);
  unlink(test_path("link"));
  assert_int_equal(symlink(path, test_path("link")), 0);
  assert_int_equal(kh_file_flush(test_path("link"), &stamp, NULL), KH_OK);
  assert_false(flushes.folder[0]);
}

static void what_changed_meanwhile_is_refused(void **state)
{
  (void)state;
  const char *path = test_text("keys", "text", 0600);
  kh_file_stamp stamp = stamp_of(path);
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
      cmocka_unit_test_setup(a_failure_of_either_is_told, reset),
      cmocka_unit_test_setup(a_link_is_followed, reset),
      cmocka_unit_test_setup(what_changed_meanwhile_is_refused, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
