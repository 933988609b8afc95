/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded into a server or a command, makes one system call of one statement fail, or kills the
 * process at it. For tests; never installed.
 *
 * The environment variable KEYHOLD_FAULTS names a folder. A thread that opens FOLDER/begin, as by
 * SELECT LOAD_FILE(), or as a passphrase file, is watched until it opens FOLDER/end. The text of
 * "begin" is the order:
 *
 *   count             nothing happens
 *   fail N ERRNO      call N is not done and fails
 *   after N ERRNO     call N is done, and reported as failed
 *   broken N ERRNO    as fail, and so do all later calls that would change a file
 *   short N           call N, a write, writes half
 *   kill N            the process is killed instead of call N
 *   spoil N           call N finds the file that it names cut to half: shows that a test notices
 *
 * FOLDER/trace has a line for each call, written before the call is done: number, name, file; and
 * the word "fired" after the calls that were changed.
 *
 * The calls are those that the kernel sees, not libc's functions: the thread gives itself a seccomp
 * filter that hands each call to another thread of the process (seccomp_unotify(2)), which can do
 * it itself, since they share memory and descriptors. One thread is watched at a time. Not counted:
 * waiting, the clock, signals, threads, the connection to the client, standard output and error
 * (the server's log), and what is about FOLDER itself. A filter cannot be taken off, so the thread
 * stays a little slower.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "syscalls.h"

#define EXPORT __attribute__((visibility("default")))

enum { PATH_ROOM = 1024 };

/* --- The order --- */

typedef enum { COUNT, FAIL, AFTER, BROKEN, SHORT, KILL, SPOIL } action;

static const char *const actions[] = {"count", "fail", "after", "broken", "short", "kill", "spoil"};

typedef struct order {
  action action;
  unsigned at;
  int error;
} order;

static void die(const char *what)
{
  fprintf(stderr, "faults: %s: %m\n", what);
  abort();
}

static const char *in_folder(const char *name, char path[PATH_ROOM])
{
  const char *folder = getenv("KEYHOLD_FAULTS");
  snprintf(path, PATH_ROOM, "%s/%s", folder == NULL ? "" : folder, name);
  return path;
}

static bool is_in_folder(const char *path)
{
  char folder[PATH_ROOM];
  in_folder("", folder);
  return strncmp(path, folder, strlen(folder)) == 0;
}

static order read_order(void)
{
  char path[PATH_ROOM], word[16] = "";
  order given = {0};
  FILE *file = fopen(in_folder("begin", path), "re");
  if (file == NULL || fscanf(file, "%15s %u %d", word, &given.at, &given.error) < 1)
    die(path);
  fclose(file);
  while (strcmp(actions[given.action], word) != 0)
    if (++given.action == sizeof actions / sizeof actions[0])
      die(word);
  return given;
}

/* --- Watching --- */

typedef struct watch {
  int listener;
  int trace;
  sem_t ready; /* the listener is there */
  atomic_bool counting;
  order order;
  unsigned calls;
} watch;

static void note(const watch *w, const call *c, bool fires)
{
  char line[CALL_NAME_ROOM + CALL_FILE_ROOM + 64];
  int len = snprintf(line, sizeof line, "%u\t%s\t%s\t%s\n", w->calls, c->name, c->file,
                     fires ? "fired" : "");
  if (write(w->trace, line, (size_t)len) != len)
    die("trace");
}

/* close() closes the descriptor even when it fails. */
static void fail(const call *c, int error, struct seccomp_notif_resp *answer)
{
  if (c->data->nr == SYS_close)
    close((int)c->data->args[0]);
  answer->error = -error;
}

static void do_and_fail(const call *c, int error, struct seccomp_notif_resp *answer)
{
  answer->error = call_do(c->data) < 0 ? -errno : -error;
}

static void write_half(const call *c, struct seccomp_notif_resp *answer)
{
  struct seccomp_data half = *c->data;
  half.args[2] = (half.args[2] + 1) / 2;
  answer->val = call_do(&half);
  answer->error = answer->val < 0 ? -errno : 0;
}

static void spoil(const call *c)
{
  int fd = open(c->file, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || ftruncate(fd, lseek(fd, 0, SEEK_END) / 2) != 0)
    die(c->file);
  close(fd);
}

static void act(const watch *w, const call *c, struct seccomp_notif_resp *answer)
{
  answer->flags = 0;
  switch (w->order.action) {
  case FAIL:
  case BROKEN:
    fail(c, w->order.error, answer);
    return;
  case AFTER:
    do_and_fail(c, w->order.error, answer);
    return;
  case SHORT:
    write_half(c, answer);
    return;
  case KILL:
    kill(getpid(), SIGKILL);
    return;
  case SPOIL:
    spoil(c);
    break;
  case COUNT:
    break;
  }
  answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

static bool fires(const watch *w, const call *c)
{
  if (w->order.action == BROKEN && w->calls > w->order.at)
    return c->changes;
  return w->order.action != COUNT && w->calls == w->order.at;
}

static bool is_standard_output(const call *c)
{
  return c->by_descriptor && (c->data->args[0] == 1 || c->data->args[0] == 2);
}

static void decide(watch *w, const struct seccomp_notif *asked, struct seccomp_notif_resp *answer)
{
  answer->id = asked->id;
  answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  if (!w->counting)
    return;
  call c = call_describe(&asked->data);
  if (is_standard_output(&c) || is_in_folder(c.file))
    return;
  w->calls++;
  note(w, &c, fires(w, &c));
  if (fires(w, &c))
    act(w, &c, answer);
}

/* Room for the structures of a kernel that is newer than the headers. */
typedef union {
  struct seccomp_notif asked;
  struct seccomp_notif_resp answer;
  char room[1024];
} message;

/* Answers until the watched thread has ended. */
static void *answer_calls(void *argument)
{
  watch *w = argument;
  while (sem_wait(&w->ready) != 0)
    ;
  struct pollfd listener = {.fd = w->listener, .events = POLLIN};
  while (poll(&listener, 1, -1) == 1 && (listener.revents & POLLIN) != 0) {
    message in = {0}, out = {0};
    if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_RECV, &in) != 0)
      continue; /* a signal came first: the call is made again */
    decide(w, &in.asked, &out.answer);
    ioctl(w->listener, SECCOMP_IOCTL_NOTIF_SEND, &out);
  }
  close(w->listener);
  close(w->trace);
  free(w);
  return NULL;
}

enum { FILTER_ROOM = 200 }; /* its jumps have 8 bits */

static unsigned make_filter(struct sock_filter code[FILTER_ROOM])
{
  unsigned count = (unsigned)syscalls_uncounted_count, used = 0;
  code[used++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < count && used < FILTER_ROOM - 2; i++)
    code[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                (__u32)syscalls_uncounted[i], (__u8)(count - i), 0);
  code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  code[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  return used;
}

static int install_filter(void)
{
  struct sock_filter code[FILTER_ROOM];
  struct sock_fprog program = {.len = (unsigned short)make_filter(code), .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                      &program);
}

/* Signals are for the server's own thread that waits for them. */
static void start_answering(watch *w)
{
  sigset_t all, before;
  pthread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, NULL, answer_calls, w) != 0)
    die("pthread_create");
  pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static watch *watch_this_thread(void)
{
  watch *w = calloc(1, sizeof *w);
  char path[PATH_ROOM];
  if (w == NULL || sem_init(&w->ready, 0, 0) != 0)
    die("no memory");
  w->trace = (int)syscall(SYS_openat, AT_FDCWD, in_folder("trace", path),
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (w->trace < 0)
    die(path);
  start_answering(w);
  w->listener = install_filter();
  if (w->listener < 0)
    die("seccomp");
  sem_post(&w->ready);
  return w;
}

/* begin: makes this thread's watch, or uses the existing one. */
static void look_at(const char *opened)
{
  static _Thread_local watch *mine;
  char path[PATH_ROOM];
  if (getenv("KEYHOLD_FAULTS") == NULL || !is_in_folder(opened))
    return;
  if (mine != NULL)
    mine->counting = false;
  if (strcmp(opened, in_folder("begin", path)) != 0)
    return;
  if (mine == NULL)
    mine = watch_this_thread();
  mine->order = read_order();
  mine->calls = 0;
  if (ftruncate(mine->trace, 0) != 0)
    die("trace");
  mine->counting = true;
}

/* --- What the server calls --- */

static int open_and_look(const char *path, int flags, va_list arguments)
{
  bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): the callers start it */
  mode_t mode = has_mode ? va_arg(arguments, mode_t) : 0;
  if ((flags & O_ACCMODE) == O_RDONLY)
    look_at(path);
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  int fd = open_and_look(path, flags, arguments);
  va_end(arguments);
  return fd;
}

EXPORT int open64(const char *path, int flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  int fd = open_and_look(path, flags, arguments);
  va_end(arguments);
  return fd;
}

/* what a program built with _FORTIFY_SOURCE calls to open without O_CREAT */
EXPORT int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
  return open(path, flags);
}

EXPORT int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
  return open64(path, flags);
}
