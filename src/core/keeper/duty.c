/* SPDX-License-Identifier: GPL-2.0-only */
#include "duty.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "auto_reload.h"
#include "auto_rotate.h"
#include "work.h"

enum { ASK_EVERY = 500, FOREVER = 3600000 }; /* milliseconds */

/* What the thread has on its stack. */
struct thread {
  kh_keeper *keeper;
  kh_keeper_duties duties; /* those that have begun */
  kh_auto_reload reload;
  kh_auto_rotate rotate;
};

/* the duties that the user wants now; false: the thread is to end */
static bool ask(struct thread *thread, kh_keeper_duties *ret_wanted)
{
  kh_duty *duty = &thread->keeper->duty;
  pthread_mutex_lock(&thread->keeper->state);
  *ret_wanted = duty->wanted;
  bool goes_on = !duty->stop;
  pthread_mutex_unlock(&thread->keeper->state);
  return goes_on;
}

/* sleeps until it is woken, there are events, or the time has passed */
static void wait_for(struct thread *thread, int64_t milliseconds)
{
  struct pollfd fds[] = {
      {.fd = thread->keeper->duty.wake, .events = POLLIN},
      {.fd = thread->duties.reload ? thread->reload.events : -1, .events = POLLIN}};
  if (poll(fds, 2, (int)milliseconds) > 0 && fds[0].revents != 0) {
    uint64_t count;
    (void)!read(fds[0].fd, &count, sizeof count);
  }
}

/* begins or ends to watch, as the user wants now */
static void turn_to(struct thread *thread, kh_keeper_duties wanted)
{
  if (wanted.reload && !thread->duties.reload)
    kh_auto_reload_begin(&thread->reload, thread->keeper);
  if (!wanted.reload && thread->duties.reload)
    kh_auto_reload_end(&thread->reload);
  if (!wanted.rotate)
    thread->rotate = (kh_auto_rotate){0};
  thread->duties = wanted;
}

/* gives the milliseconds until there may be something to do again */
static int64_t do_duties(struct thread *thread)
{
  int64_t wait = FOREVER;
  if (thread->duties.rotate) {
    int64_t rotate = kh_auto_rotate_step(&thread->rotate, thread->keeper);
    wait = rotate < wait ? rotate : wait;
  }
  if (thread->duties.reload) {
    int64_t reload = kh_auto_reload_step(&thread->reload, thread->keeper);
    wait = reload < wait ? reload : wait;
  }
  return wait;
}

static bool is_up(const kh_keeper_options *options)
{
  return options->is_up == NULL || options->is_up(options->user);
}

static void *run(void *argument)
{
  struct thread thread = {.keeper = argument, .reload = {.events = -1}};
  kh_keeper_duties wanted;
  while (ask(&thread, &wanted) && !is_up(&thread.keeper->options))
    wait_for(&thread, ASK_EVERY);
  while (ask(&thread, &wanted)) {
    turn_to(&thread, wanted);
    wait_for(&thread, do_duties(&thread));
  }
  turn_to(&thread, (kh_keeper_duties){0});
  return NULL;
}

/* The server has a thread that waits for signals; no other may take them. */
static kh_status start(kh_keeper *keeper)
{
  kh_duty *duty = &keeper->duty;
  sigset_t all;
  sigset_t before;
  if (duty->wake < 0)
    duty->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (duty->wake < 0)
    return KH_E_NO_MEMORY;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  duty->running = pthread_create(&duty->thread, NULL, run, keeper) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (duty->running)
    pthread_setname_np(duty->thread, "keyhold"); /* for who looks at the process */
  return duty->running ? KH_OK : KH_E_NO_MEMORY;
}

void kh_duty_wake(const kh_keeper *keeper)
{
  uint64_t one = 1;
  if (keeper->duty.running)
    (void)!write(keeper->duty.wake, &one, sizeof one);
}

kh_status kh_keeper_set_duties(kh_keeper *keeper, kh_keeper_duties duties)
{
  kh_status status = KH_OK;
  pthread_mutex_lock(&keeper->state);
  keeper->duty.wanted = duties;
  kh_duty_wake(keeper);
  if (!keeper->duty.running && (duties.reload || duties.rotate))
    status = start(keeper);
  pthread_mutex_unlock(&keeper->state);
  return status;
}

void kh_duty_end(kh_keeper *keeper)
{
  kh_duty *duty = &keeper->duty;
  pthread_mutex_lock(&keeper->state);
  duty->stop = true;
  kh_duty_wake(keeper);
  pthread_mutex_unlock(&keeper->state);
  if (duty->running)
    pthread_join(duty->thread, NULL);
  if (duty->wake >= 0)
    close(duty->wake);
  duty->wake = -1;
  duty->running = false;
}
