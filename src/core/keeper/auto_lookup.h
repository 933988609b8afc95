/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_lookup.h
 * Looks up keys that the server asked for and that are not in force: a task of the background
 * thread, for stores that can look up a key.
 */
#ifndef KEYHOLD_KEEPER_AUTO_LOOKUP_H
#define KEYHOLD_KEEPER_AUTO_LOOKUP_H

#include "backoff.h"
#include "misses.h"
#include "task.h"

/** A miss that the store has answered. */
typedef struct kh_answered {
  kh_miss miss;
  int64_t since; /* of kh_clock_milliseconds() */
} kh_answered;

/** The state of the task. */
typedef struct kh_auto_lookup {
  kh_answered answered[KH_KEEPER_MISSES_MAX]; /* by the place of the miss */
  size_t first; /* the index to begin with: after the miss that failed last */
  kh_backoff backoff;
} kh_auto_lookup;

/** Its memory is a kh_auto_lookup. */
extern const kh_task kh_auto_lookup_task;

#endif
