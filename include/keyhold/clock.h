/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file clock.h
 * The two clocks: the time of day, asked by a callback so that tests can turn it, and a steady one
 * for waiting and for intervals.
 */
#ifndef KEYHOLD_CLOCK_H
#define KEYHOLD_CLOCK_H

#include <stdint.h>

/** Seconds since the Epoch (UNIX time). Called by many threads at once. */
typedef uint32_t (*kh_clock_fn)(void *user);

/** A callback and what it is called with. */
typedef struct kh_clock {
  kh_clock_fn now; /**< the callback */
  void *user;      /**< its argument */
} kh_clock;

/** The system's clock; the seconds are cut to 32 bits, which lasts until 2106. Thread-safe. */
kh_clock kh_clock_system(void);

/** Asks a clock. As thread-safe as its callback. */
static inline uint32_t kh_clock_now(const kh_clock *clock)
{
  return clock->now(clock->user);
}

/**
 * Milliseconds of a clock that starts at an unknown time, that no one can set and that never goes
 * back (CLOCK_MONOTONIC). Thread-safe.
 */
int64_t kh_clock_milliseconds(void);

#endif
