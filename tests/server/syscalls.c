/* SPDX-License-Identifier: GPL-2.0-only */
#include "syscalls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* where a call says which file it is about */
typedef enum { NO_FILE, BY_FD, BY_PATH, BY_FD_AND_PATH } file_argument;

typedef struct call_kind {
  int number;
  const char *name;
  file_argument file;
  bool changes; /* a file or a folder */
} call_kind;

#define KIND(name, file, changes)                                                                  \
  {                                                                                                \
    SYS_##name, #name, file, changes                                                               \
  }

static const call_kind kinds[] = {
#ifdef SYS_open
    KIND(open, BY_PATH, false),
    KIND(stat, BY_PATH, false),
    KIND(lstat, BY_PATH, false),
    KIND(access, BY_PATH, false),
    KIND(readlink, BY_PATH, false),
    KIND(rename, BY_PATH, true),
    KIND(unlink, BY_PATH, true),
    KIND(link, BY_PATH, true),
    KIND(chmod, BY_PATH, true),
    KIND(chown, BY_PATH, true),
    KIND(getdents, BY_FD, false),
#endif
#ifdef SYS_renameat
    KIND(renameat, BY_FD_AND_PATH, true),
#endif
    KIND(openat, BY_FD_AND_PATH, false),
    KIND(newfstatat, BY_FD_AND_PATH, false),
    KIND(statx, BY_FD_AND_PATH, false),
    KIND(faccessat, BY_FD_AND_PATH, false),
    KIND(readlinkat, BY_FD_AND_PATH, false),
    KIND(renameat2, BY_FD_AND_PATH, true),
    KIND(unlinkat, BY_FD_AND_PATH, true),
    KIND(linkat, BY_FD_AND_PATH, true),
    KIND(fchmodat, BY_FD_AND_PATH, true),
    KIND(fchownat, BY_FD_AND_PATH, true),
    KIND(fstat, BY_FD, false),
    KIND(fstatfs, BY_FD, false),
    KIND(read, BY_FD, false),
    KIND(pread64, BY_FD, false),
    KIND(readv, BY_FD, false),
    KIND(write, BY_FD, true),
    KIND(pwrite64, BY_FD, true),
    KIND(writev, BY_FD, true),
    KIND(lseek, BY_FD, false),
    KIND(fsync, BY_FD, true),
    KIND(fdatasync, BY_FD, true),
    KIND(ftruncate, BY_FD, true),
    KIND(fallocate, BY_FD, true),
    KIND(fchmod, BY_FD, true),
    KIND(fchown, BY_FD, true),
    KIND(fgetxattr, BY_FD, false),
    KIND(fsetxattr, BY_FD, true),
    KIND(flock, BY_FD, false),
    KIND(fcntl, BY_FD, false),
    KIND(ioctl, BY_FD, false),
    KIND(getdents64, BY_FD, false),
    KIND(close, BY_FD, false),
    KIND(getrandom, NO_FILE, false),
    KIND(mmap, NO_FILE, false),
    KIND(munmap, NO_FILE, false),
    KIND(mremap, NO_FILE, false),
    KIND(mprotect, NO_FILE, false),
    KIND(madvise, NO_FILE, false),
    KIND(mlock, NO_FILE, false),
    KIND(munlock, NO_FILE, false),
    KIND(brk, NO_FILE, false),
    KIND(membarrier, NO_FILE, false),
};

const int syscalls_uncounted[] = {
#ifdef SYS_poll
    SYS_poll,          SYS_time,
#endif
    SYS_ppoll,         SYS_recvfrom,
    SYS_recvmsg,       SYS_sendto,
    SYS_sendmsg,       SYS_getsockopt,
    SYS_setsockopt,    SYS_shutdown,
    SYS_futex,         SYS_sched_yield,
    SYS_nanosleep,     SYS_clock_nanosleep,
    SYS_clock_gettime, SYS_gettimeofday,
    SYS_getrusage,     SYS_rt_sigprocmask,
    SYS_rt_sigaction,  SYS_rt_sigreturn,
    SYS_rt_sigpending, SYS_rt_sigtimedwait,
    SYS_sigaltstack,   SYS_restart_syscall,
    SYS_tgkill,        SYS_gettid,
    SYS_getpid,        SYS_rseq,
    SYS_exit,          SYS_exit_group,
};

const size_t syscalls_uncounted_count = sizeof syscalls_uncounted / sizeof syscalls_uncounted[0];

/* other calls are counted too, by their number */
static const call_kind unknown = {-1, "", NO_FILE, false};

static const call_kind *kind_of(int number)
{
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (kinds[i].number == number)
      return &kinds[i];
  return &unknown;
}

static bool creates(const struct seccomp_data *data)
{
#ifdef SYS_open
  if (data->nr == SYS_open)
    return (data->args[1] & O_CREAT) != 0;
#endif
  return data->nr == SYS_openat && (data->args[2] & O_CREAT) != 0;
}

static void name_call(const call_kind *kind, call *c)
{
  if (kind == &unknown)
    snprintf(c->name, sizeof c->name, "call_%d", c->data->nr);
  else
    snprintf(c->name, sizeof c->name, "%s%s", kind->name, creates(c->data) ? "+creat" : "");
}

static void name_descriptor(int fd, char *path, size_t room)
{
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, path, room - 1);
  path[len < 0 ? 0 : len] = '\0';
}

static const char *path_of(const call_kind *kind, const __u64 *argument)
{
  const char *path = NULL;
  if (kind->file == BY_PATH)
    path = (const char *)argument[0];
  if (kind->file == BY_FD_AND_PATH)
    path = (const char *)argument[1];
  return path == NULL ? "" : path;
}

static void name_file(const call_kind *kind, call *c)
{
  const char *path = path_of(kind, c->data->args);
  char folder[CALL_FILE_ROOM / 2] = "";
  if (kind->file == BY_FD || (kind->file == BY_FD_AND_PATH && path[0] != '/'))
    name_descriptor((int)c->data->args[0], folder, sizeof folder);
  snprintf(c->file, sizeof c->file, "%s%s%.*s", folder,
           folder[0] != '\0' && path[0] != '\0' ? "/" : "", CALL_FILE_ROOM / 2 - 2, path);
}

call call_describe(const struct seccomp_data *data)
{
  const call_kind *kind = kind_of(data->nr);
  call c = {.data = data,
            .changes = kind->changes || creates(data),
            .by_descriptor = kind->file == BY_FD};
  name_call(kind, &c);
  name_file(kind, &c);
  return c;
}

long call_do(const struct seccomp_data *data)
{
  const __u64 *argument = data->args;
  return syscall(data->nr, argument[0], argument[1], argument[2], argument[3], argument[4],
                 argument[5]);
}
