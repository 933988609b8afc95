/* SPDX-License-Identifier: GPL-2.0-only */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "passphrase.h"
#include "stream.h"

enum {
  TICK = 10,        /* milliseconds between two checks whether the program has ended */
  KILL_WAIT = 2000, /* milliseconds for a killed program to be gone */
  CHUNK = 4096,     /* of standard error */
  CHUNKS = 16,      /* of standard error between two checks */
  TELLING = 8,      /* characters of the output that are searched for in the quote */
};

/* the two ends of a pipe; -1: closed */
struct pipe {
  int read, write;
};

/* a program that runs */
struct program {
  char *const *arguments;
  pid_t pid;
  struct pipe out, err;
  kh_deadline deadline;
  kh_secret *output;
  char quote[KH_QUOTE_MAX]; /* the first line of its standard error that is not empty */
  size_t quoted;
  bool quote_ended;
};

static void close_end(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void close_pipes(struct program *program)
{
  close_end(&program->out.read);
  close_end(&program->out.write);
  close_end(&program->err.read);
  close_end(&program->err.write);
}

/* errno is set on failure */
static bool open_pipe(struct pipe *pipe)
{
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return false;
  pipe->read = ends[0];
  pipe->write = ends[1];
  return fcntl(pipe->read, F_SETFL, O_NONBLOCK) == 0;
}

/* Even if no standard descriptor was open, none of these overwrites a descriptor that a later one
 * needs: the pipe for standard error was opened last, and its end for writing is the fourth
 * descriptor or later. */
static int add_actions(posix_spawn_file_actions_t *actions, const struct program *program)
{
  int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (error == 0)
    error = posix_spawn_file_actions_adddup2(actions, program->out.write, STDOUT_FILENO);
  if (error == 0)
    error = posix_spawn_file_actions_adddup2(actions, program->err.write, STDERR_FILENO);
  if (error == 0)
    error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
  return error;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  int error = posix_spawnattr_setsigdefault(attributes, &all);
  if (error == 0)
    error = posix_spawnattr_setsigmask(attributes, &none);
  if (error == 0)
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSID);
  return error;
}

/* Uses posix_spawn(), which copies no memory: with a server's memory fork() would take long, and
 * the child would have a copy of every key until it runs the program. */
static int spawn_program(struct program *program)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0)
    return error;
  error = posix_spawnattr_init(&attributes);
  if (error == 0) {
    error = add_actions(&actions, program);
    if (error == 0)
      error = set_attributes(&attributes);
    if (error == 0)
      error = posix_spawn(&program->pid, program->arguments[0], &actions, &attributes,
                          program->arguments, environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* returns 0 or an errno */
static int start_program(struct program *program)
{
  if (!open_pipe(&program->out) || !open_pipe(&program->err))
    return errno;
  int error = spawn_program(program);
  close_end(&program->out.write);
  close_end(&program->err.write);
  return error;
}

static void wait_for_output(const struct program *program)
{
  struct pollfd waited[] = {{.fd = program->out.read, .events = POLLIN},
                            {.fd = program->err.read, .events = POLLIN}};
  int left = kh_deadline_left(program->deadline);
  (void)poll(waited, 2, left < TICK ? left : TICK);
}

static kh_status read_output(struct program *program)
{
  bool more = program->out.read >= 0, ended = false;
  while (more) {
    kh_status status = kh_stream_read(program->out.read, program->output, &more, &ended);
    if (status != KH_OK)
      return status;
  }
  if (ended)
    close_end(&program->out.read);
  return KH_OK;
}

static bool is_line_end(unsigned char byte)
{
  return byte == '\n' || byte == '\r';
}

static char shown_character(unsigned char byte)
{
  if (byte >= ' ' && byte < 0x7f)
    return (char)byte;
  return '?';
}

static void add_to_quote(struct program *program, const unsigned char *text, size_t len)
{
  for (size_t i = 0; i < len && !program->quote_ended; i++) {
    bool ended = is_line_end(text[i]);
    if (!ended)
      program->quote[program->quoted++] = shown_character(text[i]);
    program->quote_ended =
        (ended && program->quoted > 0) || program->quoted == sizeof program->quote - 1;
  }
}

/* A shell that traces (set -x) also prints what it is about to write. */
static bool quotes_output(const struct program *program)
{
  char begin[TELLING + 1] = "";
  size_t len = 0;
  kh_bytes output = kh_secret_bytes(program->output);
  for (size_t i = 0; i < output.len && len < TELLING; i++) {
    if (!is_line_end(output.data[i]))
      begin[len++] = shown_character(output.data[i]);
    else if (len > 0)
      break;
  }
  bool found = len > 0 && strstr(program->quote, begin) != NULL;
  kh_wipe(begin, sizeof begin);
  return found;
}

static void set_quote(const struct program *program, kh_fault *ret_fault)
{
  static const char hidden[] = "(not shown: it contains the beginning of the output)";
  _Static_assert(sizeof hidden <= sizeof ret_fault->quote, "it fits");
  if (quotes_output(program))
    memcpy(ret_fault->quote, hidden, sizeof hidden);
  else
    memcpy(ret_fault->quote, program->quote, sizeof ret_fault->quote);
}

/* Standard error is read to the end, so that the program never waits for room, but not faster than
 * this: another process may go on writing there. */
static void read_errors(struct program *program)
{
  unsigned char chunk[CHUNK];
  ssize_t got = program->err.read >= 0 ? 1 : 0;
  for (int i = 0; i < CHUNKS && got > 0; i++) {
    got = read(program->err.read, chunk, sizeof chunk);
    if (got > 0)
      add_to_quote(program, chunk, (size_t)got);
    else if (got == 0)
      close_end(&program->err.read);
  }
  kh_wipe(chunk, sizeof chunk); /* a trace may have the passphrase */
}

/* does not reap it, so that its number, which is also its group's, is not reused */
static kh_status look_whether_ended(const struct program *program, bool *ret_ended)
{
  siginfo_t info = {.si_pid = 0};
  if (waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR)
    return KH_E_PROGRAM_RUN;
  *ret_ended = info.si_pid != 0;
  return KH_OK;
}

/* Reads until the program has ended, including all output before its end. Other processes may still
 * hold its pipes. */
static kh_status follow_program(struct program *program)
{
  for (bool ended = false; !ended;) {
    wait_for_output(program);
    kh_status status = look_whether_ended(program, &ended);
    if (status != KH_OK)
      return status;
    read_errors(program);
    status = read_output(program);
    if (status != KH_OK)
      return status;
    if (!ended && kh_deadline_left(program->deadline) == 0)
      return KH_E_SOURCE_TIME;
  }
  return KH_OK;
}

/* A program of another user (set-user-ID) cannot be killed; it is left running after KILL_WAIT. */
static kh_status end_program(const struct program *program, int *ret_end)
{
  kh_deadline deadline = kh_deadline_in(KILL_WAIT);
  pid_t reaped;
  kill(-program->pid, SIGKILL);
  while ((reaped = waitpid(program->pid, ret_end, WNOHANG)) == 0 && kh_deadline_left(deadline) > 0)
    (void)poll(NULL, 0, TICK);
  return reaped == program->pid ? KH_OK : KH_E_PROGRAM_RUN;
}

static kh_status fail_program(const struct program *program, kh_status status, int number,
                              kh_fault *ret_fault)
{
  const char *path = program->arguments[0];
  if (status == KH_E_SECRET_TOO_LONG)
    return kh_passphrase_too_long(path, ret_fault);
  bool failed = status == KH_E_PROGRAM_RUN || status == KH_E_FILE_READ;
  kh_fault_set(ret_fault, status, path, failed ? number : 0);
  if (ret_fault == NULL)
    return status;
  if (status == KH_E_PROGRAM_EXIT || status == KH_E_PROGRAM_SIGNAL)
    ret_fault->ended_with = number;
  set_quote(program, ret_fault);
  return status;
}

static kh_status judge_end(const struct program *program, int end, kh_fault *ret_fault)
{
  if (WIFSIGNALED(end))
    return fail_program(program, KH_E_PROGRAM_SIGNAL, WTERMSIG(end), ret_fault);
  if (WEXITSTATUS(end) != 0)
    return fail_program(program, KH_E_PROGRAM_EXIT, WEXITSTATUS(end), ret_fault);
  return KH_OK;
}

static kh_status run_program(struct program *program, kh_fault *ret_fault)
{
  int error = start_program(program);
  if (error != 0)
    return fail_program(program, KH_E_PROGRAM_RUN, error, ret_fault);
  int how = 0;
  kh_status status = follow_program(program);
  error = errno;
  if (status == KH_E_PROGRAM_RUN) /* already reaped: another process may have its number now */
    return fail_program(program, status, error, ret_fault);
  kh_status ended = end_program(program, &how);
  if (status == KH_OK && ended == KH_OK)
    return judge_end(program, how, ret_fault);
  return fail_program(program, status == KH_OK ? ended : status, error, ret_fault);
}

kh_status kh_program_run(char *const arguments[], unsigned milliseconds, kh_secret *output,
                         kh_fault *ret_fault)
{
  struct program program = {.arguments = arguments,
                            .out = {-1, -1},
                            .err = {-1, -1},
                            .deadline = kh_deadline_in(milliseconds),
                            .output = output};
  kh_status status = run_program(&program, ret_fault);
  close_pipes(&program);
  kh_wipe(program.quote, sizeof program.quote);
  return status;
}
