/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file calls.h
 * Calls of libraries that a test program wraps (linker option --wrap): counts them, and makes one
 * of them fail, end the process, or come after something else has happened.
 */
#ifndef KEYHOLD_TEST_CALLS_H
#define KEYHOLD_TEST_CALLS_H

#include <stdbool.h>

/** Most calls that can be counted. */
enum { CALLS_MAX = 512 };

/** What is to happen, and what did. All zero: calls are neither counted nor disturbed. */
typedef struct calls {
  bool armed;                  /**< only then calls count */
  unsigned at;                 /**< the call at which something happens, from 1; 0: none */
  const char *only;            /**< count only calls of this name; NULL: of all */
  int error;                   /**< the call fails with this errno, */
  bool kill;                   /**< or ends the process by SIGKILL, */
  void (*meanwhile)(void);     /**< or comes after this, which may make calls itself */
  unsigned made;               /**< calls that were counted */
  const char *name[CALLS_MAX]; /**< which they were */
} calls;

extern calls test_calls;

/** Counts a call, lets happen what is to happen; whether the call shall fail. For WRAP() of
 * wrap.h. */
bool calls_strike(const char *name);

#endif
