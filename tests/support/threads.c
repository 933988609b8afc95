/* SPDX-License-Identifier: GPL-2.0-only */
#include "threads.h"

#include "unit.h"

static void *run_one(void *argument)
{
  struct threads_one *one = argument;
  return one->work(one->shared, one->number) ? NULL : one;
}

void threads_start(threads *running, size_t count, threads_work *work, void *shared)
{
  assert_in_range(running->count + count, 1, THREADS_MAX);
  for (size_t i = 0; i < count; i++) {
    struct threads_one *one = &running->at[running->count++];
    *one = (struct threads_one){.work = work, .shared = shared, .number = running->count};
    assert_int_equal(pthread_create(&one->thread, NULL, run_one, one), 0);
  }
}

void threads_join(threads *running)
{
  size_t wrong = 0;
  for (size_t i = 0; i < running->count; i++) {
    void *failed = NULL;
    assert_int_equal(pthread_join(running->at[i].thread, &failed), 0);
    wrong += failed != NULL;
  }
  running->count = 0;
  assert_int_equal(wrong, 0);
}

void threads_run(size_t count, threads_work *work, void *shared)
{
  threads running = {.count = 0};
  threads_start(&running, count, work, shared);
  threads_join(&running);
}
