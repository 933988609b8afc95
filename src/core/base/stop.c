/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/stop.h"

#include <pthread.h>
#include <stdlib.h>

#include "keyhold/clock.h"

/* One of each for the whole process: work that is left running outlives the owner of its stop. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static _Thread_local const kh_stop *followed;

/* Work that runs. The waiting thread frees it, or, once it is left running, the thread that runs.
 */
typedef struct running_work {
  const kh_stop_work *work;
  void *self;
  int64_t spent; /* milliseconds of processor time */
  bool is_done;
  bool is_left;
} running_work;

void kh_stop_set(kh_stop *stop)
{
  pthread_mutex_lock(&mutex);
  stop->is_set = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

void kh_stop_follow(const kh_stop *stop)
{
  followed = stop;
}

bool kh_stop_is_followed(void)
{
  return followed != NULL;
}

bool kh_stop_is_set(void)
{
  pthread_mutex_lock(&mutex);
  bool is_set = followed != NULL && followed->is_set;
  pthread_mutex_unlock(&mutex);
  return is_set;
}

static void *run_work(void *argument)
{
  running_work *running = argument;
  void *self = running->self;
  const kh_stop_work *work = running->work;
  pthread_setname_np(pthread_self(), work->name);
  work->run(self);
  pthread_mutex_lock(&mutex);
  running->spent = kh_clock_thread_milliseconds();
  running->is_done = true;
  bool is_left = running->is_left;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  if (is_left) {
    work->free(self);
    free(running);
  }
  return NULL;
}

static bool start_work(running_work *running)
{
  pthread_t thread;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0)
    return false;
  (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  bool is_started = pthread_create(&thread, &attributes, run_work, running) == 0;
  pthread_attr_destroy(&attributes);
  return is_started;
}

/* returns whether it is done; false: it is left running */
static bool wait_for_work_or_stop(running_work *running)
{
  pthread_mutex_lock(&mutex);
  while (!running->is_done && !followed->is_set)
    pthread_cond_wait(&changed, &mutex);
  bool is_done = running->is_done;
  running->is_left = !is_done;
  pthread_mutex_unlock(&mutex);
  return is_done;
}

kh_stop_end kh_stop_run(const kh_stop_work *work, void *self)
{
  running_work *running = followed == NULL ? NULL : calloc(1, sizeof *running);
  if (running == NULL)
    return KH_STOP_NOT_BEGUN;
  *running = (running_work){.work = work, .self = self};
  if (!start_work(running)) {
    free(running);
    return KH_STOP_NOT_BEGUN;
  }
  if (!wait_for_work_or_stop(running))
    return KH_STOP_LEFT;
  kh_clock_charge_thread(running->spent);
  free(running);
  return KH_STOP_DONE;
}
