/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file calls.h
 * Calls of libraries that a test program wraps (linker option --wrap): counts them, and makes one
 * of them fail, kill the process, or happen after another action.
 */
#ifndef KEYHOLD_TEST_CALLS_H
#define KEYHOLD_TEST_CALLS_H

#include <stdbool.h>

/** Most calls that can be counted. */
enum { CALLS_MAX = 512 };

/** What to do at a call, and what was counted. All zero: calls are neither counted nor changed. */
typedef struct calls {
  bool armed;                  /**< only then calls count */
  unsigned at;                 /**< the call at which it happens, from 1; 0: none */
  const char *only;            /**< count only calls of this name; NULL: of all */
  int error;                   /**< the call fails with this errno, */
  bool kill;                   /**< or ends the process by SIGKILL, */
  void (*meanwhile)(void);     /**< or happens after this function, which may make calls itself */
  unsigned made;               /**< calls that were counted */
  const char *name[CALLS_MAX]; /**< their names */
} calls;

extern calls test_calls;

/** Counts a call and does what is set for it. Returns whether the call must fail. For WRAP() of
 * wrap.h. */
bool calls_strike(const char *name);

#endif
