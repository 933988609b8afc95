/* SPDX-License-Identifier: GPL-2.0-only */
#include "auto_reload.h"

#include <stdio.h>

#include "prepare.h"

enum {
  LOOK_EVERY = 5000, /* without an event: not every store sends one when another process writes */
  SETTLE = 500,      /* a change is loaded when nothing has changed for this time */
  RETRY_FIRST = 10000,
  RETRY_LAST = 300000,
};

static bool is_reload_wanted(const kh_keeper *keeper, kh_keeper_background wanted)
{
  (void)keeper;
  return wanted.reload;
}

static void begin_reloading(void *memory, kh_keeper *keeper)
{
  kh_auto_reload *reload = memory;
  kh_fault fault;
  char sentence[KH_MESSAGE_MAX];
  const kh_store *store = &keeper->store;
  *reload = (kh_auto_reload){.backoff = {.shortest = RETRY_FIRST, .longest = RETRY_LAST}};
  if (store->ops->watch_begin == NULL || store->ops->watch_begin(store->self, &fault) == KH_OK)
    return;
  kh_fault_describe(&fault, sentence, sizeof sentence);
  kh_log_write(&keeper->options.log, KH_LOG_WARNING,
               "%s cannot be watched and is checked every 5 seconds instead: %s",
               kh_store_get_name(store).noun, sentence);
}

static void end_reloading(kh_keeper *keeper)
{
  if (keeper->store.ops->watch_end != NULL)
    keeper->store.ops->watch_end(keeper->store.self);
}

static int store_descriptor(const kh_keeper *keeper)
{
  const kh_store *store = &keeper->store;
  return store->ops->watch_descriptor == NULL ? -1 : store->ops->watch_descriptor(store->self);
}

static void note_refusal(kh_auto_reload *reload, const kh_keeper *keeper, const kh_fault *fault)
{
  char what[KH_MESSAGE_MAX];
  snprintf(what, sizeof what, "%s was not reloaded", kh_store_get_name(&keeper->store).noun);
  bool is_untried = kh_status_class(fault->status) == KH_CLASS_UNTRIED;
  kh_backoff_fail(&reload->backoff, &keeper->options.log, what, fault,
                  is_untried ? "" : keeper->options.reload_advice);
}

/* The content in force may be incomplete: a reload on request has used it all the same. */
static void reload_now(kh_auto_reload *reload, kh_keeper *keeper, const kh_store_mark *mark,
                       bool is_new)
{
  kh_fault fault;
  kh_keeper_token token;
  kh_reload_how how = {.reason = KH_STORE_CHANGED, .finished_only = is_new};
  int64_t begun = kh_clock_thread_milliseconds();
  reload->candidate_since = 0;
  kh_status status = kh_prepare_reload(keeper, &how, &token, &fault);
  kh_budget_spend(&reload->budget, kh_clock_milliseconds(), kh_clock_thread_milliseconds() - begun,
                  status != KH_OK);
  if (status == KH_OK) {
    kh_keeper_commit(keeper, token);
    kh_backoff_reset(&reload->backoff);
    reload->loaded = *mark;
    return;
  }
  reload->refused = *mark;
  note_refusal(reload, keeper, &fault);
}

/* A change ends the waiting after a failure, but for the budget; the same content is tried again at
 * its time. */
static int64_t consider_change(kh_auto_reload *reload, kh_keeper *keeper, const kh_store_mark *mark,
                               bool is_new)
{
  int64_t now = kh_clock_milliseconds();
  if (kh_backoff_left(&reload->backoff) > 0 && kh_store_is_same(mark, &reload->refused))
    return kh_backoff_left(&reload->backoff);
  if (reload->candidate_since == 0 || !kh_store_is_same(mark, &reload->candidate)) {
    reload->candidate = *mark;
    reload->candidate_since = now;
  }
  int64_t settling = reload->candidate_since + SETTLE - now;
  int64_t saving = kh_budget_left(&reload->budget, now);
  if (settling > 0 || saving > 0)
    return settling > saving ? settling : saving;
  reload_now(reload, keeper, mark, is_new);
  return LOOK_EVERY;
}

/* A content that is being replaced may be missing for a moment. Warns when it stays missing. */
static int64_t wait_for_store(kh_auto_reload *reload, kh_keeper *keeper, const kh_fault *fault)
{
  int64_t now = kh_clock_milliseconds();
  if (reload->missing_since == 0)
    reload->missing_since = now;
  if (now - reload->missing_since < LOOK_EVERY)
    return LOOK_EVERY;
  if (reload->missing_noted != fault->status)
    kh_prepare_note_reload(keeper, fault->status, fault);
  kh_prepare_note_unsaved(keeper, fault->status);
  reload->missing_noted = fault->status;
  note_refusal(reload, keeper, fault);
  return LOOK_EVERY;
}

static bool is_in_force(kh_keeper *keeper, const kh_store_mark *mark, bool *ret_reload_ok)
{
  pthread_mutex_lock(&keeper->state);
  bool is_same = kh_store_is_same(mark, &keeper->mark);
  *ret_reload_ok = keeper->stats.last_reload_ok;
  pthread_mutex_unlock(&keeper->state);
  return is_same;
}

/* The content of the store is in force, and was away at most. */
static void note_up_to_date(kh_auto_reload *reload, kh_keeper *keeper, const kh_store_mark *mark)
{
  if (!kh_store_is_same(mark, &reload->loaded))
    kh_budget_reset(&reload->budget);
  if (reload->missing_noted != KH_OK)
    kh_prepare_note_reload(keeper, KH_OK, NULL);
  kh_prepare_note_unsaved(keeper, KH_OK);
  reload->missing_noted = KH_OK;
  reload->candidate_since = 0;
  kh_backoff_reset(&reload->backoff);
}

/* A content that is in force is loaded again if the last reload failed, here or on request: only a
 * reload shows that the next start will succeed. */
static int64_t look_for_change(void *memory, kh_keeper *keeper)
{
  kh_auto_reload *reload = memory;
  const kh_store *store = &keeper->store;
  kh_store_mark mark;
  kh_fault fault;
  if (store->ops->watch_drain != NULL)
    store->ops->watch_drain(store->self);
  if (store->ops->mark(store->self, &mark, &fault) != KH_OK)
    return wait_for_store(reload, keeper, &fault);
  reload->missing_since = 0;
  bool is_reload_ok;
  bool is_new = !is_in_force(keeper, &mark, &is_reload_ok);
  if (!is_new && (is_reload_ok || reload->missing_noted != KH_OK)) {
    note_up_to_date(reload, keeper, &mark);
    return LOOK_EVERY;
  }
  reload->missing_noted = KH_OK;
  int64_t left = consider_change(reload, keeper, &mark, is_new);
  return left < LOOK_EVERY ? left : LOOK_EVERY;
}

const kh_task kh_auto_reload_task = {
    .is_wanted = is_reload_wanted,
    .begin = begin_reloading,
    .step = look_for_change,
    .descriptor = store_descriptor,
    .end = end_reloading,
};
