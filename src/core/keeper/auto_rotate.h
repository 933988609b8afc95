/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_rotate.h
 * Rotates keys whose interval has passed: a task of the background thread. Servers that share a
 * store wait a random time longer, so that they do not all come at once: a tenth of the interval at
 * most, and an hour.
 */
#ifndef KEYHOLD_KEEPER_AUTO_ROTATE_H
#define KEYHOLD_KEEPER_AUTO_ROTATE_H

#include "backoff.h"
#include "task.h"

/** What the task remembers. */
typedef struct kh_auto_rotate {
  uint64_t due;      /* the time that `jitter` was drawn for */
  uint32_t jitter;   /* in seconds */
  bool has_left_due; /* the last rotation, keys that were due before it */
  kh_backoff backoff;
} kh_auto_rotate;

/** Its memory is a kh_auto_rotate. */
extern const kh_task kh_auto_rotate_task;

#endif
