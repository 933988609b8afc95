/* SPDX-License-Identifier: GPL-2.0-only */
#include "change.h"

#include <stdio.h>

static void warn_if_unlocked(const kh_keeper *keeper, const kh_store_content *content,
                             const kh_keytable *table)
{
  if (!content->is_locked || !kh_keytable_is_locked(table))
    kh_log_write(&keeper->options.log, KH_LOG_WARNING,
                 "not all keys can be locked in memory, so they may be written to swap: raise "
                 "LimitMEMLOCK= in the server's systemd unit");
}

kh_status kh_change_make(const kh_keeper *keeper, const kh_store_content *content,
                         const kh_keytable *known, kh_change *ret_change, kh_fault *ret_fault)
{
  kh_keytable *table;
  kh_status status = kh_keytable_new_after(content->list, known, &table);
  if (status != KH_OK)
    return kh_store_fail(&keeper->store, status, ret_fault);
  warn_if_unlocked(keeper, content, table);
  *ret_change = (kh_change){
      .table = table, .mark = content->mark, .format = content->format, .is_whole = true};
  return KH_OK;
}

kh_status kh_change_check(const kh_keeper *keeper, const kh_change *change, const kh_keytable *old,
                          kh_fault *ret_fault)
{
  kh_status status =
      kh_keytable_check_follows(change->table, old, keeper->options.default_cipher, ret_fault);
  if (status != KH_OK)
    kh_store_name_in(&keeper->store, ret_fault);
  return status;
}

enum { WARNINGS_MAX = 10 };

/* The faults that were passed so far, of which only a few are logged. */
typedef struct foreseen {
  const kh_keeper *keeper;
  size_t logged;
} foreseen;

static void warn_of_foreseen(void *user, const kh_fault *fault)
{
  foreseen *so_far = user;
  const kh_keeper *keeper = so_far->keeper;
  kh_fault named = *fault;
  char sentence[KH_MESSAGE_MAX];
  if (so_far->logged == WARNINGS_MAX)
    return;
  so_far->logged++;
  kh_store_name_in(&keeper->store, &named);
  kh_fault_describe(&named, sentence, sizeof sentence);
  kh_log_write(&keeper->options.log, KH_LOG_WARNING, "%s", sentence);
}

void kh_change_warn(const kh_keeper *keeper, const kh_keytable *table)
{
  foreseen so_far = {.keeper = keeper};
  kh_faults faults = {.add = warn_of_foreseen, .user = &so_far};
  kh_keytable_foresee(table, kh_clock_now(&keeper->options.clock), &faults);
  if (faults.count > so_far.logged)
    kh_log_write(&keeper->options.log, KH_LOG_WARNING,
                 "%zu more such keys of '%s': 'keyhold check' lists them",
                 faults.count - so_far.logged, kh_store_shown_place(&keeper->store).text);
}

void kh_change_note_in_force(kh_keeper *keeper, const kh_change *change)
{
  kh_keeper_stats *stats = &keeper->stats;
  if (change->is_whole) {
    keeper->mark = change->mark;
    keeper->token_in_force = change->token;
    stats->unsaved = 0;
    stats->last_load = kh_clock_now(&keeper->options.clock);
  }
  stats->ids = kh_keytable_id_count(change->table);
  stats->versions = kh_keytable_version_count(change->table);
  stats->fingerprint = change->fingerprint;
  stats->generation++;
  stats->format = change->format;
  stats->next_rotation = kh_keytable_first_due(change->table, NULL);
  stats->oldest_latest = kh_keytable_oldest_latest(change->table);
}

void kh_change_note_load(kh_keeper *keeper, kh_status status, const kh_fault *fault)
{
  kh_keeper_stats *stats = &keeper->stats;
  stats->last_reload = kh_clock_now(&keeper->options.clock);
  stats->last_reload_ok = status == KH_OK;
  if (status == KH_OK)
    snprintf(stats->last_result, sizeof stats->last_result, "ok");
  else
    kh_fault_describe(fault, stats->last_result, sizeof stats->last_result);
  stats->failures += status != KH_OK;
}
