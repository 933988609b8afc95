/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_check.h
 * Checks now and then whether the store still has every key in force: a task of the background
 * thread, while that does not reload the keys. It puts nothing in force. It loads a content once,
 * when nothing has changed for a few seconds; one that cannot be loaded is tried again at growing
 * intervals.
 */
#ifndef KEYHOLD_KEEPER_AUTO_CHECK_H
#define KEYHOLD_KEEPER_AUTO_CHECK_H

#include "backoff.h"
#include "task.h"

/** What a look at the store shows. */
typedef struct kh_sight {
  kh_status status;    /* KH_OK, or why the store is not available */
  kh_store_mark mark;  /* of the content; zero: the store is not available */
  uint64_t generation; /* of the table in force */
} kh_sight;

/** The state of the task. Times are those of kh_clock_milliseconds(). */
typedef struct kh_auto_check {
  kh_sight candidate;      /* it has not settled yet */
  int64_t candidate_since; /* 0: there is none */
  kh_sight compared;       /* what `backoff` is about; generation 0: none */
  bool is_final;           /* to compare it again would find the same */
  kh_backoff backoff;
} kh_auto_check;

/** Its memory is a kh_auto_check. The task logs each finding once, and when it is mended. */
extern const kh_task kh_auto_check_task;

#endif
