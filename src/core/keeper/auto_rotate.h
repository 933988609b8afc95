/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_rotate.h
 * Rotates keys whose interval has passed: a task of the background thread. It adds a random time,
 * at most a tenth of the interval and an hour, so that servers that share a store do not all rotate
 * at once.
 */
#ifndef KEYHOLD_KEEPER_AUTO_ROTATE_H
#define KEYHOLD_KEEPER_AUTO_ROTATE_H

#include "backoff.h"
#include "task.h"

/** The state of the task. */
typedef struct kh_auto_rotate {
  uint64_t due;      /* the time that `jitter` was drawn for */
  uint32_t jitter;   /* in seconds */
  bool has_left_due; /* the last rotation, keys that were due before it */
  kh_backoff backoff;
} kh_auto_rotate;

/** Its memory is a kh_auto_rotate. */
extern const kh_task kh_auto_rotate_task;

#endif
