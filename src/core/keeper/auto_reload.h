/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_reload.h
 * Reloads the keys when the store's content changes: a task of the background thread. It loads a
 * change when nothing has changed for half a second, and tries a refused one again at growing
 * intervals. A try that cost much processor time delays the next one of any content (budget.h).
 */
#ifndef KEYHOLD_KEEPER_AUTO_RELOAD_H
#define KEYHOLD_KEEPER_AUTO_RELOAD_H

#include "backoff.h"
#include "budget.h"
#include "task.h"

/** The state of the task. Times are those of kh_clock_milliseconds(). */
typedef struct kh_auto_reload {
  kh_store_mark candidate; /* a change that has not settled yet */
  int64_t candidate_since; /* 0: there is none */
  kh_store_mark refused;   /* the change that `backoff` is about */
  int64_t missing_since;   /* when the store became unavailable; 0: it is available */
  kh_status missing_noted; /* why, as the statistics have it; KH_OK: they do not */
  kh_backoff backoff;
  kh_budget budget;     /* of any content, since its writer sets its cost */
  kh_store_mark loaded; /* by this task; another one in force came by a statement or a rotation */
} kh_auto_reload;

/** Its memory is a kh_auto_reload. The task warns of a store that cannot be watched, and compares
 * the mark of every store every few seconds. */
extern const kh_task kh_auto_reload_task;

#endif
