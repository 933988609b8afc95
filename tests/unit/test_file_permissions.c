/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: statvfs */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "keyhold/file.h"
#include "recorder.h"
#include "unit.h"
#include "wrap.h"

static recorder said;
static bool is_read_only, fails;

WRAPS(statvfs);
int __wrap_statvfs(const char *path, struct statvfs *mount)
{
  (void)path;
  mount->f_flag = is_read_only ? ST_RDONLY : 0;
  return fails ? -1 : 0;
}

static int reset(void **state)
{
  (void)state;
  said = (recorder){0};
  is_read_only = false;
  fails = false;
  return 0;
}

static void warn_of(mode_t mode)
{
  kh_log log = recorder_log(&said);
  kh_file_warn_of_mode(&log, "key", "/keys", mode);
}

static void the_warning_has_what_others_can_do(void **state)
{
  static const struct {
    mode_t mode;
    const char *part;
  } cases[] = {{0604, "key file '/keys' can be read by other users (mode 0604): chmod it to 0600"},
               {0602, "can be written by other users (mode 0602): "},
               {0606, "can be read and written by other users (mode 0606): "}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    reset(state);
    warn_of(S_IFREG | cases[i].mode);
    recorder_expect(&said, cases[i].part);
  }
}

static void a_file_that_is_closed_to_others_is_not_warned_of(void **state)
{
  (void)state;
  warn_of(S_IFREG | 0660);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

static void the_mode_of_a_read_only_mount_is_set_elsewhere(void **state)
{
  (void)state;
  is_read_only = true;
  warn_of(S_IFREG | 0644);
  recorder_expect(&said, "its mount is read-only, so set mode 0400");
  fails = true;
  warn_of(S_IFREG | 0644);
  recorder_expect(&said, "chmod it to 0600");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_warning_has_what_others_can_do, reset),
      cmocka_unit_test_setup(a_file_that_is_closed_to_others_is_not_warned_of, reset),
      cmocka_unit_test_setup(the_mode_of_a_read_only_mount_is_set_elsewhere, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
