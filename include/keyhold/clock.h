/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file clock.h
 * Three clocks: the time of day, read by a callback so that tests can set it; a monotonic one for
 * waiting and for intervals; and the processor time of a thread.
 */
#ifndef KEYHOLD_CLOCK_H
#define KEYHOLD_CLOCK_H

#include <stdint.h>

/** Seconds since the Epoch (UNIX time). Called by many threads at once. */
typedef uint32_t (*kh_clock_fn)(void *user);

/** A callback and its argument. */
typedef struct kh_clock {
  kh_clock_fn now; /**< the callback */
  void *user;      /**< its argument */
} kh_clock;

/** Returns the system's clock; the seconds are cut to 32 bits, which lasts until 2106. Thread-safe.
 */
kh_clock kh_clock_system(void);

/** Returns the time of a clock. As thread-safe as its callback. */
static inline uint32_t kh_clock_now(const kh_clock *clock)
{
  return clock->now(clock->user);
}

/**
 * Returns the milliseconds of a clock that starts at an unknown time, cannot be set and never goes
 * back (CLOCK_MONOTONIC). Thread-safe.
 */
int64_t kh_clock_milliseconds(void);

/** Returns the milliseconds of processor time that the calling thread has used, and that were
 * charged to it. Thread-safe. */
int64_t kh_clock_thread_milliseconds(void);

/** Charges processor time of another thread, which worked for it, to the calling one. */
void kh_clock_charge_thread(int64_t milliseconds);

#endif
