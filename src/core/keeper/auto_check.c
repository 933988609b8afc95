/* SPDX-License-Identifier: GPL-2.0-only */
#include "auto_check.h"

#include <stdio.h>

#include "prepare.h"

enum {
  SETTLE = 5000, /* a content that is being replaced may be missing for a moment */
  RETRY_FIRST = 60000,
  RETRY_LAST = 3600000,
};

/* A reload finds the same, and logs it. */
static bool is_check_wanted(const kh_keeper *keeper, kh_keeper_background wanted)
{
  (void)keeper;
  return wanted.check_every != 0 && !wanted.reload;
}

static void begin_checking(void *memory, kh_keeper *keeper)
{
  (void)keeper;
  kh_auto_check *check = memory;
  *check = (kh_auto_check){.backoff = {.shortest = RETRY_FIRST, .longest = RETRY_LAST}};
}

/* returns the milliseconds between two looks */
static int64_t look_at_store(kh_keeper *keeper, kh_sight *ret_sight, bool *ret_in_force,
                             kh_fault *ret_fault)
{
  const kh_store *store = &keeper->store;
  kh_sight sight = {.status = KH_OK};
  sight.status = store->ops->mark(store->self, &sight.mark, ret_fault);
  pthread_mutex_lock(&keeper->state);
  sight.generation = keeper->stats.generation;
  *ret_in_force = sight.status == KH_OK && kh_store_is_same(&sight.mark, &keeper->mark);
  int64_t every = keeper->background.wanted.check_every;
  pthread_mutex_unlock(&keeper->state);
  *ret_sight = sight;
  return every;
}

static bool is_same_sight(const kh_sight *a, const kh_sight *b)
{
  return a->generation == b->generation && a->status == b->status &&
         kh_store_is_same(&a->mark, &b->mark);
}

static void note_finding(kh_auto_check *check, const kh_keeper *keeper, const kh_fault *fault)
{
  char what[KH_MESSAGE_MAX];
  bool is_untried = kh_status_class(fault->status) == KH_CLASS_UNTRIED;
  const char *noun = kh_store_get_name(&keeper->store).noun;
  if (is_untried)
    snprintf(what, sizeof what, "the keys in use were not compared with %s", noun);
  else
    snprintf(what, sizeof what, "the keys in use cannot be read from %s", noun);
  kh_backoff_fail(&check->backoff, &keeper->options.log, what, fault,
                  is_untried ? "" : keeper->options.reload_advice);
}

static void note_complete(kh_auto_check *check, kh_keeper *keeper)
{
  kh_prepare_note_unsaved(keeper, KH_OK);
  check->candidate_since = 0;
  if (kh_backoff_has_failed(&check->backoff))
    kh_log_write(&keeper->options.log, KH_LOG_NOTE, "'%s' has every key version in use again",
                 kh_store_shown_place(&keeper->store).text);
  kh_backoff_reset(&check->backoff);
}

/* returns how long the sight must go on before it is believed; 0: long enough */
static int64_t settle(kh_auto_check *check, const kh_sight *sight, int64_t every)
{
  int64_t now = kh_clock_milliseconds();
  if (check->candidate_since == 0 || !is_same_sight(sight, &check->candidate)) {
    check->candidate = *sight;
    check->candidate_since = now;
  }
  int64_t left = check->candidate_since + (every < SETTLE ? every : SETTLE) - now;
  return left > 0 ? left : 0;
}

/* Keys that are missing in a content stay so; why it cannot be loaded may pass. */
static void compare_now(kh_auto_check *check, kh_keeper *keeper, const kh_sight *sight,
                        kh_fault *fault)
{
  kh_status status = sight->status;
  check->candidate_since = 0;
  if (status == KH_OK)
    status = kh_prepare_check(keeper, fault);
  else
    kh_prepare_note_unsaved(keeper, status);
  check->compared = *sight;
  check->is_final =
      status == KH_OK || sight->status != KH_OK || kh_status_class(status) == KH_CLASS_SUCCESSION;
  if (status == KH_OK)
    note_complete(check, keeper);
  else
    note_finding(check, keeper, fault);
}

static int64_t check_store(void *memory, kh_keeper *keeper)
{
  kh_auto_check *check = memory;
  kh_fault fault;
  kh_sight sight;
  bool is_in_force;
  int64_t every = look_at_store(keeper, &sight, &is_in_force, &fault);
  bool is_known = is_same_sight(&sight, &check->compared);
  if (is_in_force) {
    note_complete(check, keeper);
    return every;
  }
  if (is_known && check->is_final)
    return every;
  int64_t left = is_known ? kh_backoff_left(&check->backoff) : settle(check, &sight, every);
  if (left > 0)
    return left < every ? left : every;
  compare_now(check, keeper, &sight, &fault);
  return every;
}

const kh_task kh_auto_check_task = {
    .is_wanted = is_check_wanted,
    .begin = begin_checking,
    .step = check_store,
};
