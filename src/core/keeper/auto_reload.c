/* SPDX-License-Identifier: GPL-2.0-only */
#include "auto_reload.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
  LOOK_EVERY = 5000, /* without an event: a network file system sends none for what others write */
  SETTLE = 500,      /* a change is taken when nothing was changed for so long */
  RETRY_FIRST = 10000,
  RETRY_LAST = 300000,
};

static const char NOT_RELOADED[] = "the key file was not reloaded";

static void free_path(char **path)
{
  free(*path);
}

static bool watch_folder_of(int events, const char *path)
{
  __attribute__((cleanup(free_path))) char *copy = strdup(path);
  if (copy == NULL)
    return false;
  return inotify_add_watch(events, dirname(copy),
                           IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB) >= 0;
}

/* The folder of the name, where a link may be exchanged, and that of the file that it leads to.
 * Again and again, since folders are exchanged too; one that is watched already stays so. */
static void watch(kh_auto_reload *reload, const char *path)
{
  if (reload->events < 0)
    return;
  __attribute__((cleanup(free_path))) char *target = realpath(path, NULL);
  watch_folder_of(reload->events, path);
  if (target != NULL)
    watch_folder_of(reload->events, target);
}

void kh_auto_reload_begin(kh_auto_reload *reload, kh_keeper *keeper)
{
  const char *path = keeper->options.keyfile.path;
  memset(reload, 0, sizeof *reload);
  reload->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (reload->events >= 0 && watch_folder_of(reload->events, path)) {
    watch(reload, path);
    return;
  }
  kh_fault fault;
  kh_fault_set(&fault, KH_E_FILE_WATCH, path, errno);
  kh_pace_fail(&reload->watch_pace, RETRY_FIRST, RETRY_LAST, &keeper->options.log,
               "changes of the key file are noticed after some seconds only", &fault);
}

void kh_auto_reload_end(kh_auto_reload *reload)
{
  if (reload->events >= 0)
    close(reload->events);
  reload->events = -1;
}

static void drain(int events)
{
  char buffer[4096];
  while (events >= 0 && read(events, buffer, sizeof buffer) > 0) {
  }
}

static void try_now(kh_auto_reload *reload, kh_keeper *keeper, const kh_file_stamp *stamp)
{
  kh_fault fault;
  reload->candidate_since = 0;
  if (kh_work_reload(keeper, true, &fault) == KH_OK) {
    kh_keeper_commit(keeper);
    kh_pace_forget(&reload->pace);
    return;
  }
  reload->refused = *stamp;
  kh_pace_fail(&reload->pace, RETRY_FIRST, RETRY_LAST, &keeper->options.log, NOT_RELOADED, &fault);
}

/* a change of the file ends the waiting after a failure; the same content is tried again at its
 * time */
static int64_t consider(kh_auto_reload *reload, kh_keeper *keeper, const kh_file_stamp *stamp)
{
  int64_t now = kh_clock_milliseconds();
  bool was_refused = reload->pace.delay > 0 && kh_file_is_same(stamp, &reload->refused);
  if (was_refused && now < reload->pace.next)
    return reload->pace.next - now;
  if (reload->candidate_since == 0 || !kh_file_is_same(stamp, &reload->candidate)) {
    reload->candidate = *stamp;
    reload->candidate_since = now;
  }
  int64_t left = reload->candidate_since + SETTLE - now;
  if (left > 0)
    return left;
  try_now(reload, keeper, stamp);
  return LOOK_EVERY;
}

/* A file that is being exchanged may be away for a moment; one that stays away is said. */
static int64_t miss(kh_auto_reload *reload, kh_keeper *keeper, const kh_fault *fault)
{
  int64_t now = kh_clock_milliseconds();
  if (reload->missing_since == 0)
    reload->missing_since = now;
  if (now - reload->missing_since >= LOOK_EVERY)
    kh_pace_fail(&reload->pace, RETRY_FIRST, RETRY_LAST, &keeper->options.log, NOT_RELOADED, fault);
  return LOOK_EVERY;
}

int64_t kh_auto_reload_step(kh_auto_reload *reload, kh_keeper *keeper)
{
  kh_file_stamp stamp;
  kh_fault fault;
  drain(reload->events);
  watch(reload, keeper->options.keyfile.path);
  if (kh_file_stamp_of(keeper->options.keyfile.path, &stamp, &fault) != KH_OK)
    return miss(reload, keeper, &fault);
  reload->missing_since = 0;
  pthread_mutex_lock(&keeper->state);
  bool unchanged = kh_file_is_same(&stamp, &keeper->loaded);
  pthread_mutex_unlock(&keeper->state);
  if (unchanged) {
    reload->candidate_since = 0;
    kh_pace_forget(&reload->pace);
    return LOOK_EVERY;
  }
  int64_t left = consider(reload, keeper, &stamp);
  return left < LOOK_EVERY ? left : LOOK_EVERY;
}
