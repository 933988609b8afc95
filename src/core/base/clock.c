/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/clock.h"

#include <stddef.h>
#include <time.h>

static uint32_t system_now(void *unused)
{
  (void)unused;
  return (uint32_t)time(NULL);
}

kh_clock kh_clock_system(void)
{
  return (kh_clock){system_now, NULL};
}

static int64_t milliseconds_of(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t kh_clock_milliseconds(void)
{
  return milliseconds_of(CLOCK_MONOTONIC);
}

static _Thread_local int64_t charged; /* of other threads */

void kh_clock_charge_thread(int64_t milliseconds)
{
  charged += milliseconds;
}

int64_t kh_clock_thread_milliseconds(void)
{
  return milliseconds_of(CLOCK_THREAD_CPUTIME_ID) + charged;
}
