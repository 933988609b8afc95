/* SPDX-License-Identifier: GPL-2.0-only */
#include "background.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "auto_check.h"
#include "auto_lookup.h"
#include "auto_reload.h"
#include "auto_rotate.h"

enum { ASK_EVERY = 500, FOREVER = 3600000 }; /* milliseconds */

static const kh_task *const tasks[] = {&kh_auto_rotate_task, &kh_auto_reload_task,
                                       &kh_auto_lookup_task, &kh_auto_check_task};
enum { TASKS = sizeof tasks / sizeof tasks[0] };

/* A task in the thread. */
typedef struct running_task {
  const kh_task *task;
  bool has_begun;
  union {
    kh_auto_rotate rotate;
    kh_auto_reload reload;
    kh_auto_lookup lookup;
    kh_auto_check check;
  } memory;
} running_task;

/* The state of the thread, on its stack. */
typedef struct background_thread {
  kh_keeper *keeper;
  running_task tasks[TASKS];
} background_thread;

/* gets the current settings; returns false when the thread must end */
static bool ask_what_is_wanted(kh_keeper *keeper, kh_keeper_background *ret_wanted)
{
  pthread_mutex_lock(&keeper->state);
  *ret_wanted = keeper->background.wanted;
  pthread_mutex_unlock(&keeper->state);
  return !kh_stop_is_set();
}

static int descriptor_of(const background_thread *thread, const running_task *running)
{
  bool has_one = running->has_begun && running->task->descriptor != NULL;
  return has_one ? running->task->descriptor(thread->keeper) : -1;
}

/* sleeps until it is woken, a descriptor is readable, or the time has passed */
static void wait_for_work(const background_thread *thread, int64_t milliseconds)
{
  struct pollfd fds[1 + TASKS] = {
      {.fd = atomic_load(&thread->keeper->background.wake), .events = POLLIN}};
  for (size_t i = 0; i < TASKS; i++)
    fds[1 + i] = (struct pollfd){.fd = descriptor_of(thread, &thread->tasks[i]), .events = POLLIN};
  if (poll(fds, 1 + TASKS, (int)milliseconds) > 0 && fds[0].revents != 0) {
    uint64_t count;
    (void)!read(fds[0].fd, &count, sizeof count);
  }
}

static void end_task(background_thread *thread, running_task *running)
{
  if (running->has_begun && running->task->end != NULL)
    running->task->end(thread->keeper);
  running->has_begun = false;
}

/* returns the milliseconds until the task must run again */
static int64_t run_task(background_thread *thread, running_task *running,
                        kh_keeper_background wanted)
{
  const kh_task *task = running->task;
  if (!task->is_wanted(thread->keeper, wanted)) {
    end_task(thread, running);
    return FOREVER;
  }
  if (!running->has_begun)
    task->begin(&running->memory, thread->keeper);
  running->has_begun = true;
  return task->step(&running->memory, thread->keeper);
}

static int64_t run_tasks(background_thread *thread, kh_keeper_background wanted)
{
  int64_t wait = FOREVER;
  for (size_t i = 0; i < TASKS; i++) {
    int64_t left = run_task(thread, &thread->tasks[i], wanted);
    wait = left < wait ? left : wait;
  }
  return wait;
}

static bool is_process_up(const kh_keeper_options *options)
{
  return options->is_up == NULL || options->is_up(options->user);
}

static void *run_background(void *argument)
{
  background_thread thread = {.keeper = argument};
  kh_keeper_background wanted;
  kh_stop_follow(&thread.keeper->background.stop);
  for (size_t i = 0; i < TASKS; i++)
    thread.tasks[i].task = tasks[i];
  while (ask_what_is_wanted(thread.keeper, &wanted) && !is_process_up(&thread.keeper->options))
    wait_for_work(&thread, ASK_EVERY);
  while (ask_what_is_wanted(thread.keeper, &wanted))
    wait_for_work(&thread, run_tasks(&thread, wanted));
  for (size_t i = 0; i < TASKS; i++)
    end_task(&thread, &thread.tasks[i]);
  return NULL;
}

/* The server has a thread that waits for signals; no other thread must receive them. */
static kh_status start_background(kh_keeper *keeper)
{
  kh_background *background = &keeper->background;
  sigset_t all;
  sigset_t before;
  if (atomic_load(&background->wake) < 0)
    atomic_store(&background->wake, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (atomic_load(&background->wake) < 0)
    return KH_E_NO_MEMORY;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  background->running = pthread_create(&background->thread, NULL, run_background, keeper) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (background->running)
    pthread_setname_np(background->thread, "keyhold"); /* shown by ps and debuggers */
  return background->running ? KH_OK : KH_E_NO_MEMORY;
}

static bool has_task(const kh_keeper *keeper)
{
  for (size_t i = 0; i < TASKS; i++)
    if (tasks[i]->is_wanted(keeper, keeper->background.wanted))
      return true;
  return false;
}

kh_status kh_keeper_set_background(kh_keeper *keeper, kh_keeper_background wanted)
{
  kh_status status = KH_OK;
  pthread_mutex_lock(&keeper->state);
  keeper->background.wanted = wanted;
  kh_keeper_wake(keeper);
  if (!keeper->background.running && has_task(keeper))
    status = start_background(keeper);
  pthread_mutex_unlock(&keeper->state);
  return status;
}

void kh_background_end(kh_keeper *keeper)
{
  kh_background *background = &keeper->background;
  kh_stop_set(&background->stop);
  kh_keeper_wake(keeper);
  if (background->running)
    pthread_join(background->thread, NULL);
  int wake = atomic_exchange(&background->wake, -1);
  if (wake >= 0)
    close(wake);
  background->running = false;
}
