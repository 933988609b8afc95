/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file tasks.h
 * The threads of this process, as the system sees them; and pauses of the calling thread.
 */
#ifndef KEYHOLD_TEST_TASKS_H
#define KEYHOLD_TEST_TASKS_H

#include <stdint.h>

/**
 * Returns how many threads of this process have a name.
 *
 * @param ret_blocked  the signals that the last of them blocks, bit 0 for signal 1; may be NULL.
 */
unsigned test_tasks(const char *name, uint64_t *ret_blocked);

/** Sleeps for so many milliseconds. */
void test_pause(long milliseconds);

/** Waits until a condition is true, at most half a minute. Returns whether it is. */
#define TEST_COMES(condition)                                                                      \
  ({                                                                                               \
    for (int waits = 0; waits < 3000 && !(condition); waits++)                                     \
      test_pause(10);                                                                              \
    (condition);                                                                                   \
  })

#endif
