/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file backoff.h
 * Retries a failed action at growing intervals, and logs each reason once.
 */
#ifndef KEYHOLD_KEEPER_BACKOFF_H
#define KEYHOLD_KEEPER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "keyhold/fault.h"
#include "keyhold/log.h"

/** Times in milliseconds. All zero but the first two: nothing has failed. */
typedef struct kh_backoff {
  int64_t shortest; /* after the first failure; then twice as long, */
  int64_t longest;  /* up to this */
  int64_t next;     /* not before this time (kh_clock_milliseconds()) */
  int64_t delay;    /* after the last failure; 0: none */
  char logged[KH_MESSAGE_MAX];
} kh_backoff;

/** Notes a failure. Logs `what`, the failure's sentence and the advice as a warning, unless that
 * sentence was logged last. The advice begins with a semicolon, or is empty. */
void kh_backoff_fail(kh_backoff *backoff, const kh_log *log, const char *what,
                     const kh_fault *fault, const char *advice);

/** Notes a success. */
void kh_backoff_reset(kh_backoff *backoff);

/** Returns whether the last try failed. */
bool kh_backoff_has_failed(const kh_backoff *backoff);

/** Returns the milliseconds until the next try; 0: now. */
int64_t kh_backoff_left(const kh_backoff *backoff);

#endif
