/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for locks that another process holds */
/* wraps: realpath stat open fchown fchmod flock malloc */
/* The calls of kh_lockfile_take() are wrapped, so that each can fail. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"
#include "keyhold/file.h"
#include "keyhold/lockfile.h"
#include "tasks.h"
#include "unit.h"
#include "wrap.h"

enum { NOBODY = 65534, CANNOT_TELL = 250, LONG = 20000 /* milliseconds that never pass */ };

static int reset(void **state)
{
  (void)state;
  test_calls = (calls){.armed = false};
  return 0;
}

WRAP_REALPATH(calls_strike)
WRAP_STAT(calls_strike)
WRAP_OPEN(calls_strike)
WRAP_FCHOWN(calls_strike)
WRAP_FCHMOD(calls_strike)
WRAP_FLOCK(calls_strike)
WRAP_MALLOC(calls_strike)

static int64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* "keys" without a lock file */
static const char *fresh_file(mode_t mode)
{
  unlink(test_path("keys.lock"));
  return test_text("keys", "1;old\n", mode);
}

static kh_lockfile *take(const char *path, unsigned milliseconds)
{
  kh_lockfile *lock = NULL;
  assert_int_equal(kh_lockfile_take(path, milliseconds, &lock, NULL), KH_OK);
  assert_non_null(lock);
  return lock;
}

/* takes the lock and releases it at once; checks the fault */
static kh_status try(const char *path, unsigned milliseconds, int *ret_error)
{
  kh_lockfile *const untouched = (kh_lockfile *)&test_calls;
  kh_lockfile *lock = untouched;
  kh_fault fault = {.status = KH_OK};
  test_calls.armed = test_calls.only != NULL;
  kh_status status = kh_lockfile_take(path, milliseconds, &lock, &fault);
  test_calls.armed = false;
  if (status == KH_OK) {
    kh_lockfile_release(&lock);
    assert_null(lock);
  } else {
    assert_ptr_equal(lock, untouched);
    assert_int_equal(fault.status, status);
    assert_string_equal(fault.path.text, kh_file_show_absolute(path).text);
  }
  if (ret_error != NULL)
    *ret_error = fault.os_error;
  return status;
}

/* the same, while only the `at`th call fails */
static kh_status try_failing(const char *path, unsigned milliseconds, const char *call, unsigned at,
                             int error, int *ret_error)
{
  test_calls = (calls){.only = call, .at = at, .error = error};
  kh_status status = try(path, milliseconds, ret_error);
  assert_true(test_calls.made >= at); /* it did fail */
  reset(NULL);
  return status;
}

/* a child that ends with a failed test */
static pid_t fork_bound(void)
{
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  return child;
}

/* the status of `work` in a process of its own */
static kh_status in_a_child(kh_status (*work)(const char *path), const char *path)
{
  int status;
  pid_t child = fork_bound();
  if (child == 0)
    _exit((int)work(path));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return (kh_status)WEXITSTATUS(status);
}

static kh_status try_once(const char *path)
{
  return try(path, 0, NULL);
}

static kh_status try_long(const char *path)
{
  return try(path, LONG, NULL);
}

static kh_status try_as_nobody(const char *path)
{
  if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0 ||
      access(path, F_OK) != 0)
    return (kh_status)CANNOT_TELL;
  return try(path, 0, NULL);
}

static void a_second_process_is_kept_out(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  assert_int_equal(in_a_child(try_once, path), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  assert_null(lock);
  assert_int_equal(in_a_child(try_once, path), KH_OK);
}

static void *try_in_a_thread(void *path)
{
  return (void *)(intptr_t)try(path, 0, NULL);
}

static void a_second_thread_is_kept_out(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    void *status;
    assert_int_equal(pthread_create(&thread, NULL, try_in_a_thread, (void *)path), 0);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal((intptr_t)status, i == 0 ? KH_E_FILE_LOCKED : KH_OK);
    kh_lockfile_release(&lock);
  }
}

static void it_does_not_lock_another_file(void **state)
{
  (void)state;
  kh_lockfile *lock = take(fresh_file(0600), 0);
  assert_int_equal(in_a_child(try_once, test_text("keys2", "", 0600)), KH_OK);
  kh_lockfile_release(&lock);
}

static void releasing_nothing(void **state)
{
  (void)state;
  kh_lockfile *lock = NULL;
  kh_lockfile_release(&lock);
  kh_lockfile_release(NULL);
}

static void the_scope_releases(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  {
    KH_AUTO_LOCKFILE lock = take(path, 0);
    assert_non_null(lock);
    assert_int_equal(try(path, 0, NULL), KH_E_FILE_LOCKED);
  }
  assert_int_equal(try(path, 0, NULL), KH_OK);
}

/* a child that has the lock and does nothing until it is killed */
static pid_t holding_child(const char *path)
{
  int ends[2];
  char byte = 0;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork_bound();
  if (child == 0) {
    kh_lockfile *lock = take(path, 0);
    if (write(ends[1], "x", 1) == 1)
      for (;;)
        pause();
    kh_lockfile_release(&lock);
    _exit(1);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  return child;
}

static void it_ends_with_a_killed_process(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  pid_t child = holding_child(path);
  assert_int_equal(try(path, 0, NULL), KH_E_FILE_LOCKED);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(try(path, 0, NULL), KH_OK);
}

static void a_forked_child_does_not_keep_it(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  pid_t child = fork_bound(); /* as a server that is about to start a program */
  if (child == 0)
    for (;;)
      pause();
  assert_int_equal(try(path, 0, NULL), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  assert_int_equal(try(path, 0, NULL), KH_OK);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_program_does_not_get_it(void **state)
{
  (void)state;
  kh_lockfile *lock = take(fresh_file(0600), 0);
  test_run("! ls -l /proc/self/fd | grep keys.lock");
  kh_lockfile_release(&lock);
}

static void it_times_out(void **state)
{
  (void)state;
  static const unsigned times[] = {0, 1, 30, 150};
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  for (size_t i = 0; i < COUNT(times); i++) {
    int64_t start = now();
    assert_int_equal(try(path, times[i], NULL), KH_E_FILE_LOCKED);
    assert_in_range(now() - start, times[i] == 0 ? 0 : times[i] - 1, LONG / 2);
  }
  kh_lockfile_release(&lock);
}

static void *release_later(void *lock)
{
  test_pause(150);
  kh_lockfile_release(lock);
  return NULL;
}

static void it_waits(void **state)
{
  (void)state;
  pthread_t thread;
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  int64_t start = now();
  assert_int_equal(pthread_create(&thread, NULL, release_later, &lock), 0);
  assert_int_equal(in_a_child(try_long, path), KH_OK);
  assert_in_range(now() - start, 149, LONG / 2);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

enum { PROCESSES = 4, ROUNDS = 25 };

/* reads a number, and writes the next one a little later */
static kh_status count_up(const char *path)
{
  for (int i = 0; i < ROUNDS; i++) {
    KH_AUTO_LOCKFILE lock = NULL;
    if (kh_lockfile_take(path, LONG, &lock, NULL) != KH_OK)
      return KH_E_FILE_LOCKED;
    int number = 0;
    FILE *file = fopen(path, "r+");
    if (file == NULL || fscanf(file, "%d", &number) != 1)
      return KH_E_FILE_READ;
    test_pause(1);
    rewind(file);
    if (fprintf(file, "%d\n", number + 1) < 0 || fclose(file) != 0)
      return KH_E_FILE_WRITE;
  }
  return KH_OK;
}

static void many_processes_take_turns(void **state)
{
  (void)state;
  unlink(test_path("keys.lock")); /* all make the lock file at the same time */
  const char *path = test_text("keys", "0\n", 0600);
  pid_t children[PROCESSES];
  for (int i = 0; i < PROCESSES; i++)
    if ((children[i] = fork_bound()) == 0)
      _exit((int)count_up(path));
  for (int i = 0; i < PROCESSES; i++) {
    int status;
    assert_int_equal(waitpid(children[i], &status, 0), children[i]);
    assert_int_equal(status, 0);
  }
  test_run("test `cat '%s'` = %d", path, PROCESSES * ROUNDS);
}

static void the_lock_file_is_made_like_the_file_and_stays(void **state)
{
  (void)state;
  static const struct {
    mode_t file, lock;
  } modes[] = {{0600, 0600}, {0640, 0640},  {0664, 0664}, {0400, 0600},
               {0440, 0640}, {04755, 0755}, {0, 0600}};
  static const mode_t masks[] = {0022, 0000, 0777};
  for (size_t i = 0; i < COUNT(modes) * COUNT(masks); i++) {
    const char *path = fresh_file(modes[i / COUNT(masks)].file);
    mode_t mask = umask(masks[i % COUNT(masks)]);
    assert_int_equal(try(path, 0, NULL), KH_OK);
    umask(mask);
    struct stat lock = test_stat(test_path("keys.lock"));
    assert_int_equal(lock.st_mode, S_IFREG | modes[i / COUNT(masks)].lock);
    assert_int_equal(lock.st_size, 0);
    assert_int_equal(lock.st_uid, test_stat(path).st_uid);
    assert_int_equal(lock.st_gid, test_stat(path).st_gid);
  }
}

static void one_that_is_there_is_used_as_it_is(void **state)
{
  (void)state;
  const char *path = fresh_file(0640);
  test_text("keys.lock", "somebody wrote this", 0600);
  ino_t before = test_stat(test_path("keys.lock")).st_ino;
  assert_int_equal(try(path, 0, NULL), KH_OK);
  struct stat lock = test_stat(test_path("keys.lock"));
  assert_int_equal(lock.st_ino, before);
  assert_int_equal(lock.st_size, 19);
  assert_int_equal(lock.st_mode & 07777, 0600);
}

static void a_link_takes_the_files_own_lock(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  test_run("cd '%s' && mkdir -p far && ln -sfn ../keys far/link && ln -sfn far near",
           test_path(""));
  kh_lockfile *lock = take(test_path("near/link"), 0);
  assert_int_equal(try(path, 0, NULL), KH_E_FILE_LOCKED);
  assert_int_equal(try(test_path("far/../far/link"), 0, NULL), KH_E_FILE_LOCKED);
  assert_true(test_is_there(test_path("keys.lock")));
  assert_false(test_is_there(test_path("far/link.lock")));
  kh_lockfile_release(&lock);
  assert_int_equal(try(path, 0, NULL), KH_OK);
}

static void a_file_that_is_not_a_lock_file_is_refused(void **state)
{
  (void)state;
  int error;
  const char *path = fresh_file(0600);
  const char *other = test_text("other", "untouched", 0644);
  assert_int_equal(symlink(other, test_path("keys.lock")), 0);
  assert_int_equal(try(path, 0, &error), KH_E_FILE_LOCK);
  assert_int_equal(error, ELOOP);
  assert_int_equal(test_stat(other).st_mode & 07777, 0644);

  path = fresh_file(0600);
  assert_int_equal(symlink(test_path("nowhere"), test_path("keys.lock")), 0);
  assert_int_equal(try(path, 0, &error), KH_E_FILE_LOCK);
  assert_false(test_is_there(test_path("nowhere")));

  path = fresh_file(0600);
  assert_int_equal(mkdir(test_path("keys.lock"), 0700), 0);
  assert_int_equal(try(path, 0, &error), KH_E_FILE_LOCK);
  assert_int_equal(error, EISDIR);
  assert_int_equal(rmdir(test_path("keys.lock")), 0);
}

static void removing_the_lock_file_does_not_release_the_lock(void **state)
{
  (void)state;
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  assert_int_equal(unlink(test_path("keys.lock")), 0);
  assert_int_equal(try(path, 0, NULL), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  assert_int_equal(try(path, 0, NULL), KH_OK);
}

/* the calls that lock the file itself come after those that lock its lock file */
static void a_file_that_cannot_be_locked_itself(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    int error;
    kh_status status;
  } cases[] = {{"open", EACCES, KH_OK},      {"open", EIO, KH_E_FILE_OPEN},
               {"flock", EBADF, KH_OK},      {"flock", ENOLCK, KH_OK},
               {"flock", EOPNOTSUPP, KH_OK}, {"flock", EIO, KH_E_FILE_LOCK},
               {"stat", EIO, KH_E_FILE_OPEN}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *path = fresh_file(0600);
    assert_int_equal(try_failing(path, 0, cases[i].name, 2, cases[i].error, NULL), cases[i].status);
  }
}

/* when a process gets the lock that it waited for, the file may have been replaced */
static void a_file_that_was_replaced_is_locked_in_its_new_form(void **state)
{
  (void)state;
  int ready[2];
  char byte;
  const char *path = fresh_file(0600);
  kh_lockfile *lock = take(path, 0);
  assert_int_equal(unlink(test_path("keys.lock")), 0); /* so that it waits for the file */
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork_bound();
  if (child == 0) {
    take(path, LONG);
    assert_int_equal(write(ready[1], "x", 1), 1);
    pause();
  }
  test_pause(100);
  assert_int_equal(rename(test_text("keys.new", "1;new\n", 0600), path), 0);
  kh_lockfile_release(&lock);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(unlink(test_path("keys.lock")), 0);
  assert_int_equal(try(path, 0, NULL), KH_E_FILE_LOCKED);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  close(ready[0]);
  close(ready[1]);
}

static void names_that_lead_nowhere(void **state)
{
  (void)state;
  fresh_file(0600);
  assert_int_equal(try(test_path("missing"), 0, NULL), KH_E_FILE_NOT_FOUND);
  assert_false(test_is_there(test_path("missing.lock")));
  assert_int_equal(try("", 0, NULL), KH_E_FILE_NOT_FOUND);
  assert_int_equal(try(test_path("keys/below"), 0, NULL), KH_E_FILE_OPEN);
}

static void a_name_that_is_too_long_for_a_lock_file(void **state)
{
  (void)state;
  int error;
  char name[NAME_MAX + 1] = "";
  memset(name, 'n', NAME_MAX - strlen(".lock"));
  assert_int_equal(try(test_text(name, "", 0600), 0, NULL), KH_OK);
  name[strlen(name)] = 'n';
  assert_int_equal(try(test_text(name, "", 0600), 0, &error), KH_E_FILE_LOCK);
  assert_int_equal(error, ENAMETOOLONG);
}

/* goes down into new folders until a name in there that is `left` bytes long makes a path of `len`
 */
static void go_down(size_t len, size_t left)
{
  char here[PATH_MAX], folder[NAME_MAX + 1] = "";
  assert_int_equal(chdir(test_path("")), 0);
  assert_non_null(getcwd(here, sizeof here));
  for (size_t at = strlen(here), step; (step = len - left - 1 - at) != 0; at += step) {
    step = step > 200 ? 100 : step;
    memset(folder, 'd', sizeof folder);
    folder[step - 1] = '\0';
    assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
    assert_int_equal(chdir(folder), 0);
  }
}

static void a_path_that_is_too_long_for_a_lock_file(void **state)
{
  (void)state;
  char before[PATH_MAX];
  int error;
  assert_non_null(getcwd(before, sizeof before));
  go_down(PATH_MAX - 1 - strlen(".lock"), strlen("keys"));
  test_run(": > keys; : > keys1");
  assert_int_equal(try("keys", 0, NULL), KH_OK);
  assert_int_equal(try("keys1", 0, &error), KH_E_FILE_LOCK);
  assert_int_equal(error, ENAMETOOLONG);
  test_run("test \"`echo *`\" = 'keys keys.lock keys1'");
  assert_int_equal(chdir(before), 0);
}

static void each_call_fails(void **state)
{
  (void)state;
  static const struct {
    const char *call;
    int error;
    kh_status status;
    int os_error; /* that the fault has */
  } cases[] = {
      {"realpath", EACCES, KH_E_FILE_OPEN, EACCES},
      {"realpath", ENOENT, KH_E_FILE_NOT_FOUND, ENOENT},
      {"stat", EIO, KH_E_FILE_OPEN, EIO},
      {"stat", ENOENT, KH_E_FILE_NOT_FOUND, ENOENT},
      {"open", EROFS, KH_E_FILE_LOCK, EROFS},
      {"open", EACCES, KH_E_FILE_LOCK, EACCES},
      {"open", EMFILE, KH_E_FILE_LOCK, EMFILE},
      {"flock", ENOLCK, KH_E_FILE_LOCK, ENOLCK},
      {"flock", EBADF, KH_E_FILE_LOCK, EBADF},

      {"malloc", ENOMEM, KH_E_NO_MEMORY, 0},
      {"flock", EINTR, KH_OK, 0},
      {"fchown", EPERM, KH_OK, 0},
      {"fchmod", EPERM, KH_OK, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    int error = 0;
    const char *path = fresh_file(0640);
    unsigned descriptors = test_open_descriptors();
    assert_int_equal(try_failing(path, LONG, cases[i].call, 1, cases[i].error, &error),
                     cases[i].status);
    assert_int_equal(error, cases[i].os_error);
    assert_int_equal(test_open_descriptors(), descriptors);
    assert_int_equal(try(path, 0, NULL), KH_OK);
  }
}

/* "theirs/keys", which the user nobody owns, in a folder of that mode */
static const char *file_of_nobody(mode_t folder)
{
  test_run("cd '%s' && chmod 0711 . && rm -rf theirs && mkdir theirs", test_path(""));
  const char *path = test_text("theirs/keys", "1;old\n", 0600);
  assert_int_equal(chown(path, NOBODY, NOBODY), 0);
  assert_int_equal(chmod(test_path("theirs"), folder), 0);
  return path;
}

static void roots_lock_file_does_not_lock_the_owner_out(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip(); /* to become another user */
  const char *path = file_of_nobody(0755);
  assert_int_equal(try(path, 0, NULL), KH_OK);
  kh_status status = in_a_child(try_as_nobody, path);
  if ((int)status == CANNOT_TELL)
    skip(); /* the test's folder is where other users cannot reach it */
  assert_int_equal(status, KH_OK);
  kh_lockfile *lock = take(path, 0);
  assert_int_equal(in_a_child(try_as_nobody, path), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
}

static void a_folder_that_cannot_be_written(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = file_of_nobody(0755);
  kh_status status = in_a_child(try_as_nobody, path);
  if ((int)status == CANNOT_TELL)
    skip();
  assert_int_equal(status, KH_E_FILE_LOCK);
  assert_false(test_is_there(test_path("theirs/keys.lock")));
}

static void one_who_may_not_give_files_away_locks_too(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = file_of_nobody(0777);
  assert_int_equal(chown(path, 0, 0), 0);
  kh_status status = in_a_child(try_as_nobody, path);
  if ((int)status == CANNOT_TELL)
    skip();
  assert_int_equal(status, KH_OK);
  assert_int_equal(test_stat(test_path("theirs/keys.lock")).st_uid, NOBODY);
  assert_int_equal(test_stat(test_path("theirs/keys.lock")).st_mode & 07777, 0600);
}

static void roots_old_lock_file_gets_the_owner_of_the_file(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = file_of_nobody(0755);
  test_text("theirs/keys.lock", "", 0600);
  kh_status status = in_a_child(try_as_nobody, path);
  if ((int)status == CANNOT_TELL)
    skip();
  assert_int_equal(status, KH_E_FILE_LOCK);
  assert_int_equal(try(path, 0, NULL), KH_OK); /* root mends it */
  assert_int_equal(test_stat(test_path("theirs/keys.lock")).st_uid, NOBODY);
  assert_int_equal(test_stat(test_path("theirs/keys.lock")).st_gid, NOBODY);
  assert_int_equal(in_a_child(try_as_nobody, path), KH_OK);
}

static void who_may_read_the_lock_file_locks(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = file_of_nobody(0755);
  assert_int_equal(chown(path, 0, NOBODY), 0);
  assert_int_equal(chmod(path, 0640), 0);
  assert_int_equal(try(path, 0, NULL), KH_OK);
  kh_status status = in_a_child(try_as_nobody, path);
  if ((int)status == CANNOT_TELL)
    skip();
  assert_int_equal(status, KH_OK);
}

static void its_owner_mends_a_mode_without_permissions(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  static const mode_t modes[] = {0, 0200, 0400, 0040};
  for (size_t i = 0; i < COUNT(modes); i++) {
    const char *path = file_of_nobody(0755);
    const char *lock = test_text("theirs/keys.lock", "", modes[i]);
    assert_int_equal(chown(lock, NOBODY, NOBODY), 0);
    kh_status status = in_a_child(try_as_nobody, path);
    if ((int)status == CANNOT_TELL)
      skip();
    assert_int_equal(status, KH_OK);
    assert_int_equal(test_stat(lock).st_mode & 0600, 0600);
  }
}

static void root_gives_no_file_away_that_is_not_a_lock_file(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = file_of_nobody(0777);
  const char *secret = test_text("secret", "", 0600); /* under a second name */
  assert_int_equal(link(secret, test_path("theirs/keys.lock")), 0);
  assert_int_equal(try(path, 0, NULL), KH_OK);
  assert_int_equal(test_stat(secret).st_uid, 0);
  assert_int_equal(unlink(test_path("theirs/keys.lock")), 0);

  const char *lock = test_text("theirs/keys.lock", "a secret", 0600);
  assert_int_equal(try(path, 0, NULL), KH_OK);
  assert_int_equal(test_stat(lock).st_uid, 0);

  lock = test_text("theirs/keys.lock", "", 0600); /* of a third user, who may have it open */
  assert_int_equal(chown(lock, 1, 1), 0);
  assert_int_equal(try(path, 0, NULL), KH_OK);
  assert_int_equal(test_stat(lock).st_uid, 1);
}

static void a_fifo_of_that_name_is_refused(void **state)
{
  (void)state;
  int error;
  const char *path = fresh_file(0600);
  assert_int_equal(mkfifo(test_path("keys.lock"), 0600), 0);
  assert_int_equal(try(path, 0, &error), KH_E_FILE_LOCK);
  assert_int_equal(error, EINVAL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_second_process_is_kept_out, reset),
      cmocka_unit_test_setup(a_second_thread_is_kept_out, reset),
      cmocka_unit_test_setup(it_does_not_lock_another_file, reset),
      cmocka_unit_test_setup(releasing_nothing, reset),
      cmocka_unit_test_setup(the_scope_releases, reset),
      cmocka_unit_test_setup(it_ends_with_a_killed_process, reset),
      cmocka_unit_test_setup(a_forked_child_does_not_keep_it, reset),
      cmocka_unit_test_setup(a_program_does_not_get_it, reset),
      cmocka_unit_test_setup(it_times_out, reset),
      cmocka_unit_test_setup(it_waits, reset),
      cmocka_unit_test_setup(many_processes_take_turns, reset),
      cmocka_unit_test_setup(the_lock_file_is_made_like_the_file_and_stays, reset),
      cmocka_unit_test_setup(one_that_is_there_is_used_as_it_is, reset),
      cmocka_unit_test_setup(a_link_takes_the_files_own_lock, reset),
      cmocka_unit_test_setup(a_file_that_is_not_a_lock_file_is_refused, reset),
      cmocka_unit_test_setup(removing_the_lock_file_does_not_release_the_lock, reset),
      cmocka_unit_test_setup(a_file_that_cannot_be_locked_itself, reset),
      cmocka_unit_test_setup(a_file_that_was_replaced_is_locked_in_its_new_form, reset),
      cmocka_unit_test_setup(names_that_lead_nowhere, reset),
      cmocka_unit_test_setup(a_name_that_is_too_long_for_a_lock_file, reset),
      cmocka_unit_test_setup(a_path_that_is_too_long_for_a_lock_file, reset),
      cmocka_unit_test_setup(each_call_fails, reset),
      cmocka_unit_test_setup(roots_lock_file_does_not_lock_the_owner_out, reset),
      cmocka_unit_test_setup(a_folder_that_cannot_be_written, reset),
      cmocka_unit_test_setup(one_who_may_not_give_files_away_locks_too, reset),
      cmocka_unit_test_setup(roots_old_lock_file_gets_the_owner_of_the_file, reset),
      cmocka_unit_test_setup(who_may_read_the_lock_file_locks, reset),
      cmocka_unit_test_setup(its_owner_mends_a_mode_without_permissions, reset),
      cmocka_unit_test_setup(root_gives_no_file_away_that_is_not_a_lock_file, reset),
      cmocka_unit_test_setup(a_fifo_of_that_name_is_refused, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
