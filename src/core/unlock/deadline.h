/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file deadline.h
 * The end of a wait.
 */
#ifndef KEYHOLD_UNLOCK_DEADLINE_H
#define KEYHOLD_UNLOCK_DEADLINE_H

#include <stdint.h>

#include "keyhold/clock.h"

/** A time of kh_clock_milliseconds(), or KH_DEADLINE_NEVER. */
typedef int64_t kh_deadline;
#define KH_DEADLINE_NEVER INT64_MAX

/** Returns the deadline that many milliseconds from now. */
static inline kh_deadline kh_deadline_in(unsigned milliseconds)
{
  return kh_clock_milliseconds() + milliseconds;
}

/** Returns the milliseconds that are left, as for poll(2): 0 when it has passed, -1 when it never
 * does.
 */
static inline int kh_deadline_left(kh_deadline deadline)
{
  if (deadline == KH_DEADLINE_NEVER)
    return -1;
  int64_t left = deadline - kh_clock_milliseconds();
  return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

#endif
