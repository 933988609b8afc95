/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file deadline.h
 * Until when something is waited for.
 */
#ifndef KEYHOLD_UNLOCK_DEADLINE_H
#define KEYHOLD_UNLOCK_DEADLINE_H

#include <stdint.h>
#include <time.h>

/** A time of CLOCK_MONOTONIC in milliseconds, or KH_DEADLINE_NEVER. */
typedef int64_t kh_deadline;
#define KH_DEADLINE_NEVER INT64_MAX

static inline int64_t kh_deadline_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline kh_deadline kh_deadline_in(unsigned milliseconds)
{
  return kh_deadline_now() + milliseconds;
}

/** Milliseconds that are left, as poll(2) takes them: 0 when it has passed, -1 when it never will.
 */
static inline int kh_deadline_left(kh_deadline deadline)
{
  if (deadline == KH_DEADLINE_NEVER)
    return -1;
  int64_t left = deadline - kh_deadline_now();
  return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif
