/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: open openat unlinkat write fchmod fsync renameat2 linkat */
/* Every system call of kh_file_create() is wrapped, as in test_file_replace.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"
#include "keyhold/file.h"
#include "unit.h"
#include "wrap.h"

#define NEW "1;a new file\n"

static bool no_rename; /* the file system cannot rename without replacing */
static bool is_lying;  /* an operation that succeeded reports a failure, as over a network */

static int reset(void **state)
{
  (void)state;
  no_rename = is_lying = false;
  memset(&test_calls, 0, sizeof test_calls);
  return 0;
}

WRAP_OPEN(calls_strike)
WRAP_OPENAT(calls_strike)
WRAP_UNLINKAT(calls_strike)
WRAP_WRITE(calls_strike)
WRAP_FCHMOD(calls_strike)
WRAP_FSYNC(calls_strike)

WRAPS(linkat);

static int told(int result)
{
  if (is_lying)
    errno = EIO;
  return is_lying ? -1 : result;
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
  return calls_strike("linkat") ? -1 : told(__real_linkat(from, old, to, new, flags));
}

WRAPS(renameat2);

int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
  if (calls_strike("renameat2"))
    return -1;
  if (!no_rename)
    return told(__real_renameat2(from, old, to, new, flags));
  errno = EINVAL;
  return -1;
}

static const char *missing(void)
{
  const char *path = test_path("keys");
  unlink(path);
  return path;
}

static const char *temporary(void)
{
  return test_path(".keys.keyhold-new");
}

static mode_t mode_of(const char *path)
{
  struct stat st;
  assert_int_equal(lstat(path, &st), 0);
  assert_int_equal(st.st_nlink, 1);
  return st.st_mode;
}

/* creates a file with the failure that `test_calls` has */
static kh_status create(const char *path, int *ret_error)
{
  kh_fault fault = {.status = KH_OK};
  test_calls.armed = true;
  test_calls.made = 0;
  kh_status status = kh_file_create(path, bytes_of(NEW), &fault);
  test_calls.armed = false;
  assert_int_equal(fault.status, status);
  if (status != KH_OK)
    assert_string_equal(fault.path.text, kh_show_path(path).text);
  if (ret_error != NULL)
    *ret_error = fault.os_error;
  return status;
}

static void a_file_that_only_its_owner_may_read(void **state)
{
  (void)state;
  static const mode_t masks[] = {0022, 0000, 0777};
  for (size_t i = 0; i < COUNT(masks) * 2; i++) {
    no_rename = i % 2 != 0;
    const char *path = missing();
    mode_t mask = umask(masks[i / 2]);
    assert_int_equal(create(path, NULL), KH_OK);
    umask(mask);
    assert_int_equal(mode_of(path), S_IFREG | 0600);
    test_expect_content(path, NEW);
    assert_false(test_is_there(temporary()));
  }
}

static void a_relative_name(void **state)
{
  (void)state;
  char before[PATH_MAX];
  assert_non_null(getcwd(before, sizeof before));
  missing();
  assert_int_equal(chdir(test_path("")), 0);
  assert_int_equal(create("keys", NULL), KH_OK);
  assert_int_equal(create("./keys", NULL), KH_E_FILE_EXISTS);
  assert_int_equal(chdir(before), 0);
  test_expect_content(test_path("keys"), NEW);
}

static void what_is_there_stays(void **state)
{
  (void)state;
  const char *path = test_text("keys", "old", 0644);
  assert_int_equal(create(path, NULL), KH_E_FILE_EXISTS);
  assert_int_equal(test_calls.made, 0);
  test_expect_content(path, "old");
  test_run("cd '%s' && rm keys && ln -s nowhere keys", test_path(""));
  assert_int_equal(create(path, NULL), KH_E_FILE_EXISTS);
  assert_false(test_is_there(test_path("nowhere")));
  test_run("cd '%s' && rm keys && mkdir keys", test_path(""));
  assert_int_equal(create(path, NULL), KH_E_FILE_EXISTS);
  test_run("rmdir '%s'", path);
}

static void make_it(void)
{
  test_text("keys", "theirs", 0644);
}

static void link_it(void)
{
  assert_int_equal(symlink("nowhere", test_path("keys")), 0);
}

static void another_process_makes_it_meanwhile(void **state)
{
  (void)state;
  static void (*const ways[])(void) = {make_it, link_it};
  for (size_t i = 0; i < COUNT(ways) * 2; i++) {
    no_rename = i % 2 != 0;
    const char *path = missing();
    test_calls.at = 6 + i % 2;
    test_calls.meanwhile = ways[i / 2];
    assert_int_equal(create(path, NULL), KH_E_FILE_EXISTS);
    assert_string_equal(test_calls.name[test_calls.at - 1], no_rename ? "linkat" : "renameat2");
    assert_false(test_is_there(temporary()));
    if (i / 2 == 0)
      test_expect_content(path, "theirs");
    assert_false(test_is_there(test_path("nowhere")));
  }
}

static void a_file_of_a_killed_process_is_replaced(void **state)
{
  (void)state;
  const char *path = missing();
  test_text(".keys.keyhold-new", "a longer content than that of the new file", 0000);
  assert_int_equal(create(path, NULL), KH_OK);
  test_expect_content(path, NEW);
  assert_int_equal(mode_of(path), S_IFREG | 0600);
  assert_false(test_is_there(temporary()));
}

/* two commands make one file at once */
static void another_process_is_making_it(void **state)
{
  (void)state;
  const char *path = missing();
  int fd = open(test_text(".keys.keyhold-new", "theirs", 0600), O_RDWR);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  assert_int_equal(create(path, NULL), KH_E_FILE_LOCKED);
  assert_false(test_is_there(path));
  test_expect_content(temporary(), "theirs");
  close(fd);
  assert_int_equal(create(path, NULL), KH_OK);
  test_expect_content(path, NEW);
}

static void calls_that_succeed_and_report_failure(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    reset(NULL);
    no_rename = i == 1;
    is_lying = true;
    assert_int_equal(create(missing(), NULL), KH_OK);
    test_expect_content(test_path("keys"), NEW);
    assert_int_equal(mode_of(test_path("keys")), S_IFREG | 0600);
    assert_false(test_is_there(temporary()));
  }
}

static void names_that_lead_nowhere(void **state)
{
  (void)state;
  char name[NAME_MAX + 1] = "";
  int error;
  memset(name, 'n', NAME_MAX - strlen(".keyhold-new"));
  assert_int_equal(create(test_path(name), &error), KH_E_FILE_CREATE);
  assert_int_equal(error, ENAMETOOLONG);
  name[NAME_MAX - strlen("..keyhold-new")] = '\0';
  assert_int_equal(create(test_path(name), NULL), KH_OK);
  assert_int_equal(create(test_path("missing/keys"), &error), KH_E_FILE_CREATE);
  assert_int_equal(error, ENOENT);
  assert_int_equal(create(test_path("missing/"), NULL), KH_E_FILE_CREATE);
  assert_int_equal(create("", NULL), KH_E_FILE_CREATE);
  assert_int_equal(create("/", NULL), KH_E_FILE_EXISTS);
}

/* the calls in their order, with the meaning of a failure of each */
static const struct step {
  const char *call;
  kh_status status;
} steps[] = {
    {"open", KH_E_FILE_CREATE},   {"openat", KH_E_FILE_CREATE}, {"write", KH_E_FILE_CREATE},
    {"fchmod", KH_E_FILE_CREATE}, {"fsync", KH_E_FILE_CREATE},  {"renameat2", KH_E_FILE_CREATE},
    {"fsync", KH_E_FILE_FLUSH},
};

static void the_file_is_flushed_before_and_the_folder_after_it_has_its_name(void **state)
{
  (void)state;
  assert_int_equal(create(missing(), NULL), KH_OK);
  assert_int_equal(test_calls.made, COUNT(steps));
  for (size_t i = 0; i < COUNT(steps); i++)
    assert_string_equal(test_calls.name[i], steps[i].call);
}

static void each_call_fails(void **state)
{
  (void)state;
  static const int errors[] = {EIO, ENOSPC, EACCES, EROFS};
  for (size_t i = 0; i < COUNT(steps) * COUNT(errors); i++) {
    reset(NULL);
    int error = 0;
    const char *path = missing();
    test_calls.at = (unsigned)(i / COUNT(errors)) + 1;
    test_calls.error = errors[i % COUNT(errors)];
    assert_int_equal(create(path, &error), steps[test_calls.at - 1].status);
    assert_int_equal(error, test_calls.error);
    assert_false(test_is_there(temporary()));
    assert_int_equal(test_is_there(path), steps[test_calls.at - 1].status == KH_E_FILE_FLUSH);
  }
}

static void killed_at_each_call(void **state)
{
  (void)state;
  for (unsigned i = 0; i < COUNT(steps); i++) {
    const char *path = missing();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      test_calls.at = i + 1;
      test_calls.kill = true;
      (void)create(path, NULL);
      _exit(0); /* not reached */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    reset(NULL);
    if (test_is_there(path))
      test_expect_content(path, NEW);
    assert_int_equal(test_is_there(path), i == COUNT(steps) - 1);
    assert_int_equal(create(missing(), NULL), KH_OK);
    assert_false(test_is_there(temporary()));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_file_that_only_its_owner_may_read, reset),
      cmocka_unit_test_setup(a_relative_name, reset),
      cmocka_unit_test_setup(what_is_there_stays, reset),
      cmocka_unit_test_setup(another_process_makes_it_meanwhile, reset),
      cmocka_unit_test_setup(a_file_of_a_killed_process_is_replaced, reset),
      cmocka_unit_test_setup(another_process_is_making_it, reset),
      cmocka_unit_test_setup(calls_that_succeed_and_report_failure, reset),
      cmocka_unit_test_setup(names_that_lead_nowhere, reset),
      cmocka_unit_test_setup(the_file_is_flushed_before_and_the_folder_after_it_has_its_name,
                             reset),
      cmocka_unit_test_setup(each_call_fails, reset),
      cmocka_unit_test_setup(killed_at_each_call, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
