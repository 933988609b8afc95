/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file pace.h
 * When something that failed is tried again: at growing intervals; and what was said of it, so that
 * it is said once.
 */
#ifndef KEYHOLD_KEEPER_PACE_H
#define KEYHOLD_KEEPER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "keyhold/fault.h"
#include "keyhold/log.h"

/** Intervals in milliseconds; all zero: nothing has failed. */
typedef struct kh_pace {
  int64_t next;  /* not before this time */
  int64_t delay; /* behind the last failure; 0: none */
  char said[KH_MESSAGE_MAX];
} kh_pace;

/** Notes a failure: the next try comes after `shortest`, then twice as long, up to `longest`. Says
 * `what` and the failure's sentence as a warning, unless that was said last. */
void kh_pace_fail(kh_pace *pace, int64_t shortest, int64_t longest, const kh_log *log,
                  const char *what, const kh_fault *fault);

/** Notes a success. */
void kh_pace_forget(kh_pace *pace);

#endif
