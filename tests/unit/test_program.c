/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for programs that hang */
/* wraps: pipe2 fcntl posix_spawn kill posix_spawn_file_actions_init
 * wraps: posix_spawn_file_actions_addopen posix_spawn_file_actions_adddup2
 * wraps: posix_spawn_file_actions_addclosefrom_np posix_spawnattr_init
 * wraps: posix_spawnattr_setsigdefault posix_spawnattr_setsigmask posix_spawnattr_setflags */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "core/unlock/program.h"
#include "core/unlock/stream.h"
#include "files.h"
#include "memory.h"
#include "threads.h"
#include "unit.h"
#include "wrap.h"

enum { LONG = 20000, SHORT = 300 }; /* milliseconds that a program has */

WRAP(calls_strike, int, pipe2, -1, (int ends[2], int flags), (ends, flags))
WRAP(calls_strike, int, kill, -1, (pid_t pid, int signal), (pid, signal))
WRAP(calls_strike, int, posix_spawn, test_calls.error,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const arguments[], char *const env[]),
     (pid, path, actions, attributes, arguments, env))
WRAP(calls_strike, int, posix_spawn_file_actions_init, test_calls.error,
     (posix_spawn_file_actions_t * a), (a))
WRAP(calls_strike, int, posix_spawn_file_actions_addopen, test_calls.error,
     (posix_spawn_file_actions_t * a, int fd, const char *path, int flags, mode_t mode),
     (a, fd, path, flags, mode))
WRAP(calls_strike, int, posix_spawn_file_actions_adddup2, test_calls.error,
     (posix_spawn_file_actions_t * a, int fd, int to), (a, fd, to))
WRAP(calls_strike, int, posix_spawn_file_actions_addclosefrom_np, test_calls.error,
     (posix_spawn_file_actions_t * a, int from), (a, from))
WRAP(calls_strike, int, posix_spawnattr_init, test_calls.error, (posix_spawnattr_t * a), (a))
WRAP(calls_strike, int, posix_spawnattr_setsigdefault, test_calls.error,
     (posix_spawnattr_t * a, const sigset_t *set), (a, set))
WRAP(calls_strike, int, posix_spawnattr_setsigmask, test_calls.error,
     (posix_spawnattr_t * a, const sigset_t *set), (a, set))
WRAP(calls_strike, int, posix_spawnattr_setflags, test_calls.error,
     (posix_spawnattr_t * a, short flags), (a, flags))

int __real_fcntl(int fd, int command, long argument);
int __wrap_fcntl(int fd, int command, long argument);
int __wrap_fcntl(int fd, int command, long argument)
{
  return calls_strike("fcntl") ? -1 : __real_fcntl(fd, command, argument);
}

/* one run and its results */
struct run {
  kh_status status;
  kh_fault fault;
  char output[KH_SECRET_STREAM_MAX + 1];
  int64_t milliseconds;
};

static struct run run(char *const arguments[], unsigned milliseconds)
{
  struct run it = {.status = KH_OK};
  KH_AUTO_SECRET output = NULL;
  kh_deadline start = kh_deadline_in(0);
  assert_int_equal(kh_stream_new(&output), KH_OK);
  it.status = kh_program_run(arguments, milliseconds, output, &it.fault);
  it.milliseconds = kh_deadline_in(0) - start;
  if (it.status == KH_OK)
    memcpy(it.output, kh_secret_bytes(output).data, kh_secret_bytes(output).len);
  return it;
}

static struct run run_script(const char *text, unsigned milliseconds)
{
  char *arguments[] = {(char *)test_text("script", text, 0700), NULL};
  return run(arguments, milliseconds);
}

static unsigned descriptors_before;

static int before_each(void **state)
{
  (void)state;
  test_calls = (calls){.armed = false};
  descriptors_before = test_open_descriptors();
  return 0;
}

/* after every run: no child, no zombie and no open descriptor */
static int after_each(void **state)
{
  (void)state;
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
  assert_int_equal(test_open_descriptors(), descriptors_before);
  return 0;
}

static void its_output_is_read_and_its_arguments_are_as_given(void **state)
{
  (void)state;
  char *arguments[] = {(char *)test_text("script", "#!/bin/sh\nprintf '<%s>' \"$@\"\n", 0700), "a",
                       "b'c $HOME `id` *", "", NULL};
  struct run it = run(arguments, LONG);
  assert_int_equal(it.status, KH_OK);
  assert_string_equal(it.output, "<a><b'c $HOME `id` *><>");
}

static void its_standard_error_is_not_its_output(void **state)
{
  (void)state;
  struct run it = run_script("#!/bin/sh\necho chatter >&2\necho secret\necho more >&2\n", LONG);
  assert_int_equal(it.status, KH_OK);
  assert_string_equal(it.output, "secret\n");
}

static void it_has_no_input_and_no_other_descriptor(void **state)
{
  (void)state;
  assert_int_equal(dup2(STDERR_FILENO, 50), 50);
  char *list[] = {"/bin/ls", "/proc/self/fd", NULL};
  assert_string_equal(run(list, LONG).output, "0\n1\n2\n3\n"); /* 3 is the folder that is listed */
  close(50);
  assert_string_equal(run_script("#!/bin/sh\nreadlink /proc/self/fd/0\nwc -c\n", LONG).output,
                      "/dev/null\n0\n");
}

static void its_signals_are_as_by_default(void **state)
{
  (void)state;
  sigset_t usr1, old;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &usr1, &old);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  char *sed[] = {"/bin/sed", "-n", "/^Sig[BI]/s/.*://p", "/proc/self/status", NULL};
  struct run it = run(sed, LONG);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  unsigned long long blocked = 1, ignored = 1;
  assert_int_equal(sscanf(it.output, "%llx %llx", &blocked, &ignored), 2);
  assert_int_equal(blocked, 0);
  assert_int_equal(ignored & 0x7fffffff, 0); /* behind these are the C library's own */
}

static void it_has_a_session_of_its_own_without_a_terminal(void **state)
{
  (void)state;
  int pid = 0, group = 0, session = 0, terminal = -1;
  struct run it = run_script("#!/bin/sh\nexec cut -d' ' -f1,5,6,7 /proc/self/stat\n", LONG);
  assert_int_equal(sscanf(it.output, "%d %d %d %d", &pid, &group, &session, &terminal), 4);
  assert_int_equal(group, pid);
  assert_int_equal(session, pid);
  assert_int_equal(terminal, 0);
}

static void it_has_the_environment(void **state)
{
  (void)state;
  setenv("KEYHOLD_TEST", "inherited", 1);
  assert_string_equal(run_script("#!/bin/sh\necho \"$KEYHOLD_TEST\"\n", LONG).output,
                      "inherited\n");
  unsetenv("KEYHOLD_TEST");
}

static void assert_not_run(const char *path, int error)
{
  char *arguments[] = {(char *)path, NULL};
  struct run it = run(arguments, LONG);
  assert_int_equal(it.status, KH_E_PROGRAM_RUN);
  assert_int_equal(it.fault.os_error, error);
  assert_string_equal(it.fault.path.text, path);
}

static void what_cannot_be_run(void **state)
{
  (void)state;
  assert_not_run(test_path("missing"), ENOENT);
  assert_not_run(test_text("script", "#!/bin/sh\n", 0600), EACCES);
  assert_not_run("/", EACCES);
  assert_not_run(test_text("script", "#!/no/such/shell\n", 0700), ENOENT);
  assert_not_run(test_text("script", "echo no shell runs this\n", 0700), ENOEXEC);
}

static void an_exit_status_is_told_with_what_it_said(void **state)
{
  (void)state;
  struct run it = run_script("#!/bin/sh\necho secret\necho 'no such key' >&2\nexit 3\n", LONG);
  assert_int_equal(it.status, KH_E_PROGRAM_EXIT);
  assert_int_equal(it.fault.ended_with, 3);
  assert_string_equal(it.fault.quote, "no such key");
  it = run_script("#!/bin/sh\nexit 255\n", LONG);
  assert_int_equal(it.fault.ended_with, 255);
  assert_string_equal(it.fault.quote, "");
}

/* as a shell that traces its commands: the passphrase would be in the error log and SHOW STATUS */
static void its_output_is_not_quoted(void **state)
{
  (void)state;
  static const char *const scripts[] = {
      "#!/bin/sh -x\necho secret-of-theirs\nexit 3\n",
      ("#!/bin/sh\nprintf '\\n\\nse\\344ret-of-theirs'\n"
       "printf 'got: \"se\\344ret-of-theirs\"' >&2\nexit 3\n"),
      "#!/bin/sh\necho secret\necho 'bad secret' >&2\nexit 3\n",
      "#!/bin/sh\necho secret-of-theirs\nprintf '%0110d%s' 0 secret-of-theirs >&2\nexit 3\n"};
  for (size_t i = 0; i < COUNT(scripts); i++) {
    struct run it = run_script(scripts[i], LONG);
    assert_int_equal(it.status, KH_E_PROGRAM_EXIT);
    assert_string_equal(it.fault.quote, "(not shown: it contains the beginning of the output)");
  }
  struct run it = run_script("#!/bin/sh\nprintf '\\r\\n'\necho 'no such key' >&2\nexit 3\n", LONG);
  assert_string_equal(it.fault.quote, "no such key");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their memory takes minutes  \
                                                                     */
/* the script assembles its output, so that this program has it only from the pipes */
static void what_it_says_is_wiped(void **state)
{
  (void)state;
  static const char script[] = "#!/bin/sh\nw=$(printf 'said-%s-%s-%s' by-a program only)\n"
                               "printf %s $w\nprintf %s $w >&2\nexit 3\n";
  struct masked said = {.len = sizeof "said-by-a-program-only" - 1};
  static const char *const parts[] = {"said-", "by-a", "-", "program", "-", "only"};
  size_t len = 0;
  for (size_t i = 0; i < COUNT(parts); i++)
    for (const char *byte = parts[i]; *byte != '\0'; byte++)
      said.bytes[len++] = (unsigned char)*byte ^ MEMORY_MASK;
  char *arguments[] = {(char *)test_text("script", script, 0700), NULL};
  kh_fault fault;
  KH_AUTO_SECRET output = NULL;
  assert_int_equal(kh_stream_new(&output), KH_OK);
  assert_int_equal(kh_program_run(arguments, LONG, output, &fault), KH_E_PROGRAM_EXIT);
  assert_int_equal(memory_count(&said, MEMORY_NOT_DUMPED), 1); /* the output itself */
  assert_int_equal(memory_count(&said, MEMORY_DUMPED), 0);
}
#endif

static void a_signal_is_told(void **state)
{
  (void)state;
  struct run it = run_script("#!/bin/sh\necho dying >&2\nkill -KILL $$\n", LONG);
  assert_int_equal(it.status, KH_E_PROGRAM_SIGNAL);
  assert_int_equal(it.fault.ended_with, SIGKILL);
  assert_string_equal(it.fault.quote, "dying");
}

static void only_the_first_line_is_quoted_and_only_what_can_be_shown(void **state)
{
  (void)state;
  struct run it =
      run_script("#!/bin/sh\nprintf '\\n\\r\\n\\tcaf\\303\\251 \\033[1m\\177%%s\\nsecond\\n' >&2\n"
                 "exit 1\n",
                 LONG);
  assert_string_equal(it.fault.quote, "?caf?? ?[1m?%s");
}

static void a_line_at_the_limit_and_one_past_it(void **state)
{
  (void)state;
  for (unsigned len = KH_QUOTE_MAX - 1; len <= KH_QUOTE_MAX; len++) {
    char script[128];
    snprintf(script, sizeof script, "#!/bin/sh\nprintf '%%0%ud\\nsecond' 0 >&2\nexit 1\n", len);
    struct run it = run_script(script, LONG);
    assert_int_equal(it.status, KH_E_PROGRAM_EXIT);
    assert_int_equal(strspn(it.fault.quote, "0"), KH_QUOTE_MAX - 1);
    assert_int_equal(strlen(it.fault.quote), KH_QUOTE_MAX - 1);
  }
}

/* returns whether a process exists and is not a zombie; another process reaps an orphan */
static bool is_alive(pid_t pid)
{
  char path[64], state = 'Z';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return false;
  int got = fscanf(file, "%*d (%*[^)]) %c", &state);
  fclose(file);
  return got == 1 && state != 'Z' && state != 'X';
}

static pid_t read_pid(const char *path)
{
  int pid = 0;
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  if (fscanf(file, "%d", &pid) != 1)
    pid = 0;
  fclose(file);
  return pid;
}

/* runs a script in which %s is the file for a process's number */
static struct run run_with_pid(const char *format, unsigned milliseconds, pid_t *ret_pid)
{
  char script[1024];
  const char *path = test_text("pid", "", 0600);
  snprintf(script, sizeof script, format, path);
  struct run it = run_script(script, milliseconds);
  *ret_pid = read_pid(path);
  return it;
}

static bool has_begun(const struct run *it, pid_t pid)
{
  return pid != 0 && strcmp(it->fault.quote, "waiting") == 0;
}

static void assert_gone(pid_t pid)
{
  for (int i = 0; i < LONG / 10 && is_alive(pid); i++)
    usleep(10000);
  assert_false(is_alive(pid));
}

/* A busy machine may not have come to the script's first lines: then it gets more time. */
static void assert_out_of_time(const char *format)
{
  pid_t pid = 0;
  struct run it = run_with_pid(format, SHORT, &pid);
  for (unsigned time = 4 * SHORT; time < LONG && !has_begun(&it, pid); time *= 4)
    it = run_with_pid(format, time, &pid);
  assert_int_equal(it.status, KH_E_SOURCE_TIME);
  assert_in_range(it.milliseconds, SHORT, 2 * LONG);
  assert_string_equal(it.fault.quote, "waiting");
  assert_gone(pid);
}

static void one_that_does_not_end_is_killed_with_its_group(void **state)
{
  (void)state;
  assert_out_of_time("#!/bin/sh\necho $$ > '%s'\necho waiting >&2\nexec sleep 100\n");
  assert_out_of_time("#!/bin/sh\ntrap '' TERM HUP INT PIPE\necho $$ > '%s'\necho waiting >&2\n"
                     "while :; do sleep 0.1; done\n");
  assert_out_of_time("#!/bin/sh\necho waiting >&2\nsleep 100 &\necho $! > '%s'\nwait\n");
  assert_out_of_time("#!/bin/sh\necho $$ > '%s'\necho waiting >&2\necho secret\n"
                     "exec >&- 2>&-\nexec sleep 100\n");
  assert_out_of_time("#!/bin/sh\necho $$ > '%s'\necho waiting >&2\nkill -STOP $$\n");
  assert_out_of_time("#!/bin/sh\necho $$ > '%s'\nexec yes waiting >&2\n");
}

static void a_child_that_holds_its_output_is_not_waited_for_and_ended(void **state)
{
  (void)state;
  pid_t pid;
  struct run it = run_with_pid("#!/bin/sh\nsleep 100 &\necho $! > '%s'\necho secret\n", LONG, &pid);
  assert_int_equal(it.status, KH_OK);
  assert_string_equal(it.output, "secret\n");
  assert_in_range(it.milliseconds, 0, LONG);
  assert_int_not_equal(pid, 0);
  assert_gone(pid);
  it = run_with_pid("#!/bin/sh\nyes >&2 &\necho $! > '%s'\necho secret\n", LONG, &pid);
  assert_string_equal(it.output, "secret\n");
  assert_int_not_equal(pid, 0);
  assert_gone(pid);
}

static void a_flood_is_refused_at_once(void **state)
{
  (void)state;
  struct run it = run_script("#!/bin/sh\nexec cat /dev/zero\n", LONG);
  assert_int_equal(it.status, KH_E_SECRET_TOO_LONG);
  assert_int_equal(it.fault.limit, KH_SECRET_FILE_MAX);
  assert_in_range(it.milliseconds, 0, 10000);
}

static void much_standard_error_does_not_stop_it(void **state)
{
  (void)state;
  struct run it = run_script("#!/bin/sh\nhead -c 1000000 /dev/zero >&2\necho secret\n", LONG);
  assert_int_equal(it.status, KH_OK);
  assert_string_equal(it.output, "secret\n");
}

static void output_that_comes_slowly(void **state)
{
  (void)state;
  struct run it = run_script("#!/bin/sh\nfor i in 1 2 3; do printf $i; sleep 0.05; done\n", LONG);
  assert_string_equal(it.output, "123");
}

static void other_children_are_not_reaped(void **state)
{
  (void)state;
  int how = 0;
  pid_t other = fork();
  if (other == 0)
    _exit(7);
  assert_int_equal(run_script("#!/bin/sh\nsleep 0.1\n", LONG).status, KH_OK);
  assert_int_equal(waitpid(other, &how, 0), other);
  assert_int_equal(WEXITSTATUS(how), 7);
}

static void where_sigchld_is_ignored_nobody_knows(void **state)
{
  (void)state;
  signal(SIGCHLD, SIG_IGN);
  test_calls = (calls){.armed = true, .only = "kill"};
  struct run it = run_script("#!/bin/sh\necho secret\n", LONG);
  signal(SIGCHLD, SIG_DFL);
  assert_int_equal(it.status, KH_E_PROGRAM_RUN);
  assert_int_equal(it.fault.os_error, ECHILD);
  assert_int_equal(test_calls.made, 0); /* its number may belong to another process now */
}

/* a process without standard descriptors: the pipes' ends would be the program's */
static void it_runs_where_no_descriptor_is_open(void **state)
{
  (void)state;
  int how = -1;
  char *list[] = {(char *)test_text("script", "#!/bin/sh\necho no >&2\necho secret\n", 0700), NULL};
  pid_t child = fork();
  if (child == 0) {
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
      close(fd);
    struct run it = run(list, LONG);
    _exit(it.status == KH_OK && strcmp(it.output, "secret\n") == 0 ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_int_equal(how, 0);
}

/* as for a program of another user */
static void one_that_cannot_be_killed_is_not_waited_for_long(void **state)
{
  (void)state;
  pid_t pid;
  test_calls = (calls){.armed = true, .at = 1, .only = "kill", .error = EPERM};
  struct run it = run_with_pid("#!/bin/sh\necho $$ > '%s'\nexec sleep 100\n", 10 * SHORT, &pid);
  assert_int_equal(it.status, KH_E_SOURCE_TIME);
  assert_in_range(it.milliseconds, 10 * SHORT, 2 * LONG);
  assert_int_not_equal(pid, 0);
  assert_int_equal(__real_kill(pid, SIGKILL), 0);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void every_call_that_fails_before_it_runs(void **state)
{
  (void)state;
  for (unsigned at = 1;; at++) {
    test_calls = (calls){.armed = true, .at = at, .error = ENOMEM};
    struct run it = run_script("#!/bin/sh\necho secret\n", LONG);
    bool is_last = strcmp(test_calls.name[test_calls.made - 1], "kill") == 0;
    test_calls.armed = false;
    after_each(state);
    if (is_last) {
      assert_int_equal(it.status, KH_OK);
      assert_in_range(at, 10, 20);
      return;
    }
    assert_int_equal(it.status, KH_E_PROGRAM_RUN);
    assert_int_equal(it.fault.os_error, ENOMEM);
  }
}

enum { THREADS = 8, ROUNDS = 10 };

static bool run_many(void *unused, size_t number)
{
  (void)unused;
  char argument[16];
  char *arguments[] = {"/bin/echo", argument, NULL};
  for (int i = 0; i < ROUNDS; i++) {
    KH_AUTO_SECRET output = NULL;
    size_t len = (size_t)snprintf(argument, sizeof argument, "%zu.%d", number, i);
    if (kh_stream_new(&output) != KH_OK || kh_program_run(arguments, LONG, output, NULL) != KH_OK ||
        kh_secret_bytes(output).len != len + 1 ||
        memcmp(kh_secret_bytes(output).data, argument, len) != 0)
      return false;
  }
  return true;
}

static void many_threads_at_once(void **state)
{
  (void)state;
  threads_run(THREADS, run_many, NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, before_each, after_each)

int main(void)
{
  const struct CMUnitTest tests[] = {
    CASE(its_output_is_read_and_its_arguments_are_as_given),
    CASE(its_standard_error_is_not_its_output),
    CASE(it_has_no_input_and_no_other_descriptor),
    CASE(its_signals_are_as_by_default),
    CASE(it_has_a_session_of_its_own_without_a_terminal),
    CASE(it_has_the_environment),
    CASE(what_cannot_be_run),
    CASE(an_exit_status_is_told_with_what_it_said),
    CASE(its_output_is_not_quoted),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CASE(what_it_says_is_wiped),
#endif
    CASE(a_signal_is_told),
    CASE(only_the_first_line_is_quoted_and_only_what_can_be_shown),
    CASE(a_line_at_the_limit_and_one_past_it),
    CASE(one_that_does_not_end_is_killed_with_its_group),
    CASE(a_child_that_holds_its_output_is_not_waited_for_and_ended),
    CASE(a_flood_is_refused_at_once),
    CASE(much_standard_error_does_not_stop_it),
    CASE(output_that_comes_slowly),
    CASE(other_children_are_not_reaped),
    CASE(where_sigchld_is_ignored_nobody_knows),
    CASE(it_runs_where_no_descriptor_is_open),
    CASE(one_that_cannot_be_killed_is_not_waited_for_long),
    CASE(every_call_that_fails_before_it_runs),
    CASE(many_threads_at_once),
  };
  test_path("folder"); /* made here, not by a thread or a child */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
