/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim for servers, in a child that replaces a file as the plugin does, but without handling
 * failures.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "unit.h"

#define OLD "old"
#define NEW "0123456789"

enum { OPEN = 1, WRITE, FSYNC, CLOSE, RENAME, CALLS = RENAME };

static const char *const names[] = {"openat+creat", "write", "fsync", "close", "rename"};

static struct {
  char begin[256], end[256], trace[256], kept[256], fresh[256];
} path;

static void make_paths(void)
{
  snprintf(path.kept, sizeof path.kept, "%s", test_path("kept"));
  snprintf(path.fresh, sizeof path.fresh, "%s", test_path("fresh"));
  snprintf(path.begin, sizeof path.begin, "%s", test_path("faults/begin"));
  snprintf(path.end, sizeof path.end, "%s", test_path("faults/end"));
  snprintf(path.trace, sizeof path.trace, "%s", test_path("faults/trace"));
}

static int setup(void **state)
{
  (void)state;
  test_text("kept", OLD, 0600);
  test_text("faults/end", "", 0600);
  unlink(path.fresh);
  return 0;
}

static const char *content(const char *file)
{
  static char text[4096];
  FILE *stream = fopen(file, "re");
  if (stream == NULL)
    return "none";
  text[fread(text, 1, sizeof text - 1, stream)] = '\0';
  fclose(stream);
  return text;
}

/* --- In the child --- */

static void touch(const char *file)
{
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd >= 0)
    close(fd);
}

static bool write_all(int fd, const char *text)
{
  for (size_t len = strlen(text); len > 0;) {
    ssize_t done = write(fd, text, len);
    if (done < 0)
      return false;
    text += done;
    len -= (size_t)done;
  }
  return true;
}

static int give_up(void)
{
  int error = errno;
  unlink(path.fresh);
  return error;
}

/* gives the errno of what failed; 255 if a descriptor is still open after close() failed */
static int replace(void)
{
  int fd = open(path.fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || !write_all(fd, NEW) || fsync(fd) != 0)
    return give_up();
  if (close(fd) != 0) {
    int error = give_up();
    return fcntl(fd, F_GETFD) < 0 ? error : 255;
  }
  return rename(path.fresh, path.kept) == 0 ? 0 : give_up();
}

static int watched(const char *order)
{
  test_text("faults/begin", order, 0600);
  touch(path.begin);
  int result = replace();
  touch(path.end);
  return result;
}

static int watched_with_retry(const char *order)
{
  test_text("faults/begin", order, 0600);
  touch(path.begin);
  replace();
  return replace();
}

static void *replace_in_thread(void *unused)
{
  (void)unused;
  replace();
  return NULL;
}

static int watched_and_more(const char *order)
{
  int result = watched(order);
  pthread_t thread;
  replace();
  if (pthread_create(&thread, NULL, replace_in_thread, NULL) != 0)
    return 254;
  pthread_join(thread, NULL);
  return result;
}

static int watched_twice(const char *order)
{
  watched("count");
  return watched(order);
}

/* --- In the test --- */

/* the child's exit status, or minus the signal that ended it */
static int run(int (*child)(const char *order), const char *order)
{
  int status;
  pid_t pid = fork();
  if (pid == 0)
    _exit(child(order));
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_at(const char *action, int call, int error)
{
  char order[64];
  snprintf(order, sizeof order, "%s %d %d", action, call, error);
  return run(watched, order);
}

/* the trace has calls 1 to `last`, perhaps more; call `last` fired, or none did */
static void check_trace(int last, bool fired)
{
  char line[600];
  FILE *stream = fopen(path.trace, "re");
  assert_non_null(stream);
  for (int i = 1; i <= last; i++) {
    char name[32], file[256], end[16] = "";
    int number;
    assert_non_null(fgets(line, sizeof line, stream));
    assert_true(sscanf(line, "%d %31s %255s %15s", &number, name, file, end) >= 3);
    assert_int_equal(number, i);
    assert_memory_equal(name, names[i - 1], strlen(names[i - 1]));
    assert_string_equal(file, path.fresh);
    assert_string_equal(end, fired && i == last ? "fired" : "");
  }
  assert_true(fired || fgets(line, sizeof line, stream) == NULL);
  fclose(stream);
}

static void counting_changes_nothing(void **state)
{
  (void)state;
  assert_int_equal(run(watched, "count"), 0);
  assert_string_equal(content(path.kept), NEW);
  check_trace(CALLS, false);
}

static void each_call_can_fail(void **state)
{
  (void)state;
  for (int call = OPEN; call <= CALLS; call++) {
    assert_int_equal(run_at("fail", call, ENOSPC), ENOSPC);
    assert_string_equal(content(path.kept), OLD);
    assert_string_equal(content(path.fresh), "none");
    check_trace(call, true);
  }
  assert_int_equal(run_at("fail", CALLS + 1, ENOSPC), 0);
}

static void a_call_can_be_done_and_fail(void **state)
{
  (void)state;
  assert_int_equal(run_at("after", RENAME, EIO), EIO);
  assert_string_equal(content(path.kept), NEW);
}

static void a_broken_disk_stays_broken(void **state)
{
  (void)state;
  assert_int_equal(run_at("broken", FSYNC, EIO), EIO);
  assert_string_equal(content(path.kept), OLD);
  assert_string_equal(content(path.fresh), NEW); /* unlink failed too */
  assert_int_equal(run(watched_with_retry, "broken 4 30"), EROFS);
  assert_string_equal(content(path.fresh), NEW); /* and opening it for writing failed too */
}

static void a_write_can_be_short(void **state)
{
  (void)state;
  assert_int_equal(run_at("short", WRITE, 0), 0);
  assert_string_equal(content(path.kept), NEW);
  assert_non_null(strstr(content(path.trace), "\n3\twrite\t"));
}

static void each_call_can_kill(void **state)
{
  (void)state;
  for (int call = OPEN; call <= CALLS; call++) {
    assert_int_equal(run_at("kill", call, 0), -SIGKILL);
    assert_string_equal(content(path.kept), OLD);
    assert_string_equal(content(path.fresh), call == OPEN ? "none" : call == WRITE ? "" : NEW);
    check_trace(call, true);
  }
}

static void a_file_can_be_spoilt(void **state)
{
  (void)state;
  assert_int_equal(run_at("spoil", RENAME, 0), 0);
  assert_string_equal(content(path.kept), "01234");
}

static void only_what_is_asked_is_counted(void **state)
{
  (void)state;
  assert_int_equal(run(watched_and_more, "count"), 0);
  check_trace(CALLS, false);
  assert_int_equal(run(watched_twice, "count"), 0);
  check_trace(CALLS, false);
  assert_int_equal(run(watched_twice, "fail 5 5"), EIO);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(counting_changes_nothing, setup),
      cmocka_unit_test_setup(each_call_can_fail, setup),
      cmocka_unit_test_setup(a_call_can_be_done_and_fail, setup),
      cmocka_unit_test_setup(a_broken_disk_stays_broken, setup),
      cmocka_unit_test_setup(a_write_can_be_short, setup),
      cmocka_unit_test_setup(each_call_can_kill, setup),
      cmocka_unit_test_setup(a_file_can_be_spoilt, setup),
      cmocka_unit_test_setup(only_what_is_asked_is_counted, setup),
  };
  test_run("mkdir '%s'", test_path("faults"));
  make_paths();
  setenv("KEYHOLD_FAULTS", test_path("faults"), 1);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
