/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file budget.h
 * Limits the share of a processor that an action may take: after each try a pause, in proportion to
 * the processor time of the try. Each refusal in a row doubles the proportion.
 */
#ifndef KEYHOLD_KEEPER_BUDGET_H
#define KEYHOLD_KEEPER_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/** A pause is this many times as long as the try, after a success or a first refusal; */
#define KH_BUDGET_PAUSE_FIRST 8

/** it becomes at most this many times as long, */
#define KH_BUDGET_PAUSE_LAST 64

/** and at most these milliseconds. */
#define KH_BUDGET_PAUSE_MAX 300000

/** Times are those of kh_clock_milliseconds(). All zero: nothing was tried. */
typedef struct kh_budget {
  int64_t refused_factor; /* of the last pause after a refusal; 0: the last try was a success */
  int64_t next;           /* no try before this time */
} kh_budget;

/** Notes a try that ended at `now` and took `cost` milliseconds of processor time. */
void kh_budget_spend(kh_budget *budget, int64_t now, int64_t cost, bool is_refused);

/** Forgets all tries. */
void kh_budget_reset(kh_budget *budget);

/** Returns the milliseconds until the next try may begin; 0: now. */
int64_t kh_budget_left(const kh_budget *budget, int64_t now);

#endif
