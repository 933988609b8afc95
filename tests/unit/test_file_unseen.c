/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: renameat renameat2 fsync poll */
/* slow: a process appends lines until three replacements have met one of them, or for 20 seconds */
/* What a process that takes no lock writes to a file while kh_file_replace_seen() replaces it. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"
#include "keyhold/clock.h"
#include "keyhold/file.h"
#include "unit.h"
#include "wrap.h"

#define OLD    "1;old\n"
#define NEW    "1;old\n3;new\n"
#define THEIRS "1;theirs\n"

WRAP_RENAMEAT(calls_strike)
WRAP_FSYNC(calls_strike)
WRAPS(poll);
WRAP(calls_strike, int, renameat2, -1,
     (int from, const char *old, int to, const char *new, unsigned flags),
     (from, old, to, new, flags))

/* A writer that takes no lock. Its descriptor is this process's, since a lease is refused for any
 * that is open for writing. */
static int writer = -1;
static unsigned writes_at; /* writes and closes at the poll of this number, from 1; 0: never */
static unsigned polls;

static void write_and_close(void)
{
  assert_int_equal(write(writer, THEIRS, strlen(THEIRS)), strlen(THEIRS));
  close(writer);
  writer = -1;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
  if (++polls == writes_at)
    write_and_close();
  return __real_poll(fds, count, timeout);
}

static int reset(void **state)
{
  (void)state;
  memset(&test_calls, 0, sizeof test_calls);
  writes_at = polls = 0;
  test_run("rm -f '%s'*", test_path("keys"));
  return 0;
}

static kh_status replace_seen(const char *path, const char *text, kh_file_unseen *ret_unseen)
{
  kh_file_seen seen = {test_stamp(path), bytes_of(OLD)};
  test_calls.armed = true;
  test_calls.made = 0;
  kh_status status = kh_file_replace_seen(path, &seen, bytes_of(text), NULL, ret_unseen, NULL);
  test_calls.armed = false;
  return status;
}

/* Replaces a new file of OLD by NEW, and calls a function before the rename. */
static void replace_while(void (*meanwhile)(void), kh_file_unseen *ret_unseen)
{
  const char *path = test_text("keys", OLD, 0600);
  memset(&test_calls, 0, sizeof test_calls);
  test_calls.only = "renameat";
  test_calls.at = 1;
  test_calls.meanwhile = meanwhile;
  assert_int_equal(replace_seen(path, NEW, ret_unseen), KH_OK);
  test_expect_content(path, NEW);
}

static void append_theirs(void)
{
  test_run("printf '1;theirs\\n' >> '%s'", test_path("keys"));
}

static void cut_it(void)
{
  test_run(": > '%s'", test_path("keys"));
}

/* within the time of the last reading, as far as the stamp shows */
static void change_one_byte(void)
{
  struct stat st = test_stat(test_path("keys"));
  test_run("printf '1;0ld\\n' 1<> '%s'", test_path("keys"));
  struct timespec times[2] = {st.st_atim, st.st_mtim};
  assert_int_equal(utimensat(AT_FDCWD, test_path("keys"), times, 0), 0);
}

static void nothing_was_written(void **state)
{
  (void)state;
  kh_file_unseen unseen = {.is_found = true};
  const char *path = test_text("keys", OLD, 0640);
  assert_int_equal(replace_seen(path, NEW, &unseen), KH_OK);
  test_expect_content(path, NEW);
  assert_false(unseen.is_found);
  assert_false(unseen.is_held);
  glob_t found;
  char pattern[PATH_MAX];
  snprintf(pattern, sizeof pattern, "%s.kept-*", path);
  assert_int_equal(glob(pattern, 0, NULL, &found), GLOB_NOMATCH);
}

static void what_was_written_before_the_rename_is_kept(void **state)
{
  (void)state;
  static const struct {
    void (*change)(void);
    const char *kept;
  } cases[] = {{append_theirs, OLD THEIRS}, {cut_it, ""}, {change_one_byte, "1;0ld\n"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    reset(NULL);
    kh_file_unseen unseen;
    const char *path = test_text("keys", OLD, 0640);
    if (geteuid() == 0)
      assert_int_equal(chown(path, 12345, 23456), 0);
    struct stat before = test_stat(path);
    test_calls.only = "renameat";
    test_calls.at = 1;
    test_calls.meanwhile = cases[i].change;
    assert_int_equal(replace_seen(path, NEW, &unseen), KH_OK);
    test_expect_content(path, NEW);
    assert_true(unseen.is_found);
    assert_int_equal(unseen.fault.status, KH_OK);
    test_expect_content(unseen.kept_as.text, cases[i].kept);
    struct stat kept = test_stat(unseen.kept_as.text);
    assert_int_equal(kept.st_mode & 07777, 0600);
    assert_int_equal(kept.st_uid, before.st_uid);
    assert_int_equal(kept.st_gid, before.st_gid);
  }
}

/* the new file, its folder, the kept file, its folder */
static void the_kept_file_is_flushed(void **state)
{
  (void)state;
  kh_file_unseen unseen;
  replace_while(append_theirs, &unseen);
  test_calls.only = NULL;
  test_calls.at = 2;
  const char *path = test_text("keys", OLD, 0600);
  assert_int_equal(replace_seen(path, NEW, &unseen), KH_OK);
  static const char *const order[] = {"fsync", "renameat", "fsync", "fsync", "renameat2", "fsync"};
  assert_int_equal(test_calls.made, COUNT(order));
  for (size_t i = 0; i < COUNT(order); i++)
    assert_string_equal(test_calls.name[i], order[i]);
}

static void two_within_one_second_have_two_names(void **state)
{
  (void)state;
  kh_file_unseen unseen[3];
  for (size_t i = 0; i < COUNT(unseen); i++)
    replace_while(append_theirs, &unseen[i]);
  for (size_t i = 0; i < COUNT(unseen); i++)
    test_expect_content(unseen[i].kept_as.text, OLD THEIRS);
  assert_string_not_equal(unseen[0].kept_as.text, unseen[1].kept_as.text);
  assert_string_not_equal(unseen[1].kept_as.text, unseen[2].kept_as.text);
}

static void a_dated_name_that_is_taken_gets_a_number(void **state)
{
  (void)state;
  static const char *const names[] = {"keys.kept-20261122T010555Z", "keys.kept-20261122T010555Z-2",
                                      "keys.kept-20261122T010555Z-3"};
  const char *path = test_text("keys", OLD, 0600);
  for (size_t i = 0; i < COUNT(names); i++) {
    char *name = kh_file_name_dated(path, "kept", 1795309555);
    assert_string_equal(name, test_path(names[i]));
    free(name);
    test_text(names[i], "", 0600);
  }
}

/* A file's name may have 242 bytes: its temporary name has 13 more. */
static void a_long_name_is_shortened_for_the_kept_file(void **state)
{
  (void)state;
  char name[243];
  memset(name, 'k', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  for (int i = 0; i < 2; i++) { /* the second one has the same date, or another */
    kh_file_unseen unseen;
    const char *path = test_text(name, OLD, 0600);
    kh_file_seen seen = {test_stamp(path), bytes_of("1;other\n")};
    assert_int_equal(kh_file_replace_seen(path, &seen, bytes_of(NEW), NULL, &unseen, NULL), KH_OK);
    test_expect_content(path, NEW);
    assert_true(unseen.is_found);
    assert_int_equal(unseen.fault.status, KH_OK);
  }
  test_run("test $(cat '%.*s'*.kept-* | grep -c old) = 2", (int)strlen(test_path("kk")),
           test_path("kk"));
  test_run("rm '%.*s'*", (int)strlen(test_path("kk")), test_path("kk"));
}

/* The longest name for "kept" and a date has 220 bytes. A character of UTF-8 stays whole. */
static void what_is_left_of_a_name_is_whole(void **state)
{
  (void)state;
  static const struct {
    int before; /* bytes before the last character */
    const char *last;
    int left; /* bytes */
  } cases[] = {{219, "k", 220}, {220, "k", 220}, {219, "\u00e9", 219}, {217, "\u20ac", 220}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    char file[256];
    char *name = NULL;
    memset(file, 'k', sizeof file);
    snprintf(file + cases[i].before, sizeof file - (size_t)cases[i].before, "%s", cases[i].last);
    const char *path = test_path(file);
    name = kh_file_name_dated(path, "kept", 1795309555);
    assert_int_equal(strncmp(name, path, strlen(path) - strlen(file) + (size_t)cases[i].left), 0);
    assert_string_equal(name + strlen(path) - strlen(file) + cases[i].left,
                        ".kept-20261122T010555Z");
    assert_true(kh_file_is_name_dated(path, "kept", strrchr(name, '/') + 1));
    free(name);
  }
}

static void names_that_are_not_of_a_kept_file(void **state)
{
  (void)state;
  static const char *const others[] = {"keys",
                                       "keys.kept-",
                                       "keys.kept",
                                       "keys.retired-20261122T010555Z",
                                       "key.kept-20261122T010555Z",
                                       "keys2.kept-20261122T010555Z",
                                       "keys.kept-20261122T010555Z.kept-20261122T010555Z",
                                       ".keys.kept-20261122T010555Z.keyhold-new"};
  for (size_t i = 0; i < COUNT(others); i++)
    assert_false(kh_file_is_name_dated("/etc/keys", "kept", others[i]));
  assert_true(kh_file_is_name_dated("/etc/keys", "kept", "keys.kept-20261122T010555Z-12"));
  assert_true(kh_file_is_name_dated("/etc/a.kept-2", "kept", "a.kept-2.kept-20261122T010555Z"));
}

static void a_copy_that_cannot_be_written_is_reported(void **state)
{
  (void)state;
  kh_file_unseen unseen;
  const char *path = test_text("keys", OLD, 0600);
  test_calls.only = "fsync";
  test_calls.at = 3;
  test_calls.error = ENOSPC;
  append_theirs();
  assert_int_equal(replace_seen(path, NEW, &unseen), KH_OK); /* `seen` has other bytes */
  assert_true(unseen.is_found);
  assert_int_equal(unseen.fault.status, KH_E_FILE_CREATE);
  assert_int_equal(unseen.fault.os_error, ENOSPC);
  test_expect_content(path, NEW);
}

static void a_file_that_was_not_replaced_is_not_compared(void **state)
{
  (void)state;
  kh_file_unseen unseen = {.is_found = true};
  const char *path = test_text("keys", OLD, 0600);
  test_calls.only = "fsync";
  test_calls.at = 1;
  test_calls.meanwhile = append_theirs;
  assert_int_equal(replace_seen(path, NEW, &unseen), KH_E_FILE_CHANGED);
  assert_false(unseen.is_found);
  test_expect_content(path, OLD THEIRS);
}

static bool has_leases(const char *path)
{
  int fd = open(path, O_RDONLY);
  bool has = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
  close(fd);
  return has;
}

static void begin_to_write(void)
{
  writer = open(test_path("keys"), O_WRONLY | O_APPEND);
  assert_true(writer >= 0);
}

static void begin_to_write_after_another(void)
{
  append_theirs();
  begin_to_write();
}

static void a_process_that_has_it_open_is_waited_for(void **state)
{
  (void)state;
  kh_file_unseen unseen;
  if (!has_leases(test_text("keys", OLD, 0600)))
    skip();
  writes_at = 3; /* the first is for a process that is about to open it */
  replace_while(begin_to_write, &unseen);
  assert_int_equal(writer, -1);
  assert_true(unseen.is_found);
  assert_false(unseen.is_held);
  test_expect_content(unseen.kept_as.text, OLD THEIRS);
}

static void a_process_that_keeps_it_open_is_reported(void **state)
{
  (void)state;
  static void (*const cases[])(void) = {begin_to_write, begin_to_write_after_another};
  for (size_t i = 0; i < COUNT(cases); i++) {
    reset(NULL);
    kh_file_unseen unseen;
    if (!has_leases(test_text("keys", OLD, 0600)))
      skip();
    replace_while(cases[i], &unseen);
    close(writer);
    writer = -1;
    assert_true(unseen.is_held);
    assert_int_equal(unseen.is_found, i == 1);
    if (unseen.is_found)
      test_expect_content(unseen.kept_as.text, OLD THEIRS);
  }
}

/* The time that a process is given between looking up the name of the replaced file and opening it.
 * One that the machine did not run for so long may lose its line. */
enum { OPENING = 50 /* milliseconds */ };

/* shared with the other process */
struct appending {
  atomic_int lines; /* that were appended */
  atomic_int late;  /* lines among them that took longer than OPENING */
  atomic_bool ends; /* whether it is to end */
};

static void append_line(const char *path, struct appending *appending)
{
  char line[32];
  int64_t began = kh_clock_milliseconds();
  int fd = open(path, O_WRONLY | O_APPEND);
  int len = snprintf(line, sizeof line, "line %d.\n", appending->lines);
  if (fd < 0 || write(fd, line, (size_t)len) != len)
    _exit(1);
  close(fd);
  appending->late += kh_clock_milliseconds() - began >= OPENING;
  appending->lines++;
}

/* Does not outlive the test: CTest would wait for it. */
static void append_lines_and_exit(const char *path, struct appending *appending, pid_t test)
{
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != test)
    _exit(1);
  while (!appending->ends) {
    append_line(path, appending);
    usleep((useconds_t)(appending->lines % 64) * 8);
  }
  _exit(0);
}

/* As a rotation: reads the file, and replaces it by its content and one more line. Returns whether
 * a line was kept. */
static bool read_and_replace(const char *path)
{
  KH_AUTO_SECRET old = NULL;
  KH_AUTO_SECRET made = NULL;
  kh_file_info info;
  kh_file_unseen unseen;
  if (kh_file_read(path, 1 << 24, KH_FILE_REGULAR, &old, &info, NULL) != KH_OK)
    return false; /* it was written meanwhile */
  kh_file_seen seen = {info.stamp, kh_secret_bytes(old)};
  assert_int_equal(kh_secret_new(seen.content.len + 4, &made), KH_OK);
  memcpy(kh_secret_data(made), seen.content.data, seen.content.len);
  memcpy((char *)kh_secret_data(made) + seen.content.len, "new\n", 4);
  kh_secret_set_len(made, seen.content.len + 4);
  kh_status status = kh_file_replace_seen(path, &seen, kh_secret_bytes(made), NULL, &unseen, NULL);
  assert_true(status == KH_OK || status == KH_E_FILE_CHANGED);
  return unseen.is_found;
}

static void expect_lines(const char *path, int lines, int late)
{
  test_run("cat '%s' '%s'.kept-* | grep -o 'line [0-9]*[.]' | sort -u > '%s'", path, path,
           test_path("found"));
  test_run("test $(wc -l < '%s') -ge %d", test_path("found"), lines - late);
}

static void appended_lines_are_in_the_file_or_in_a_kept_one(void **state)
{
  (void)state;
  int status = 0;
  const char *path = test_text("keys", OLD, 0600);
  if (!has_leases(path))
    skip();
  struct appending *appending =
      mmap(NULL, sizeof *appending, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t test = getpid();
  pid_t child = fork();
  if (child == 0)
    append_lines_and_exit(path, appending, test);
  time_t end = time(NULL) + 20;
  for (int kept = 0; kept < 3 && time(NULL) < end;)
    kept += read_and_replace(path);
  appending->ends = true;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  expect_lines(path, appending->lines, appending->late);
  munmap(appending, sizeof *appending);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_was_written, reset),
      cmocka_unit_test_setup(what_was_written_before_the_rename_is_kept, reset),
      cmocka_unit_test_setup(the_kept_file_is_flushed, reset),
      cmocka_unit_test_setup(two_within_one_second_have_two_names, reset),
      cmocka_unit_test_setup(a_dated_name_that_is_taken_gets_a_number, reset),
      cmocka_unit_test_setup(a_long_name_is_shortened_for_the_kept_file, reset),
      cmocka_unit_test_setup(what_is_left_of_a_name_is_whole, reset),
      cmocka_unit_test_setup(names_that_are_not_of_a_kept_file, reset),
      cmocka_unit_test_setup(a_copy_that_cannot_be_written_is_reported, reset),
      cmocka_unit_test_setup(a_file_that_was_not_replaced_is_not_compared, reset),
      cmocka_unit_test_setup(a_process_that_has_it_open_is_waited_for, reset),
      cmocka_unit_test_setup(a_process_that_keeps_it_open_is_reported, reset),
      cmocka_unit_test_setup(appended_lines_are_in_the_file_or_in_a_kept_one, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
