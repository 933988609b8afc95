/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "background.h"
#include "change.h"
#include "floor.h"
#include "log_messages.h"

/* A server starts even if its store cannot be settled: without the keys it could not read any data.
 */
static void settle_first(const kh_keeper *keeper)
{
  kh_fault fault;
  char sentence[KH_MESSAGE_MAX];
  if (kh_store_settle(&keeper->store, &keeper->mark, &fault) == KH_OK)
    return;
  kh_fault_describe(&fault, sentence, sizeof sentence);
  kh_log_write(&keeper->options.log, KH_LOG_WARNING, "%s was not flushed to the disk: %s",
               kh_store_get_name(&keeper->store).noun, sentence);
}

static void note_start(kh_keeper *keeper, kh_change *change)
{
  change->fingerprint = kh_keytable_fingerprint(change->table);
  kh_change_note_in_force(keeper, change);
  kh_change_note_load(keeper, KH_OK, NULL);
}

static kh_status load_first(kh_keeper *keeper, kh_fault *ret_fault)
{
  kh_store_content content;
  kh_change change;
  kh_status status =
      keeper->store.ops->load(keeper->store.self, KH_STORE_REQUESTED, &content, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_change_make(keeper, &content, NULL, &change, ret_fault);
  kh_store_content_free(&content);
  if (status != KH_OK)
    return status;
  status = kh_floor_raise(keeper, change.table);
  if (status == KH_OK)
    status = kh_keyring_new(change.table, &keeper->ring);
  if (status != KH_OK) {
    kh_keytable_free(&change.table);
    return kh_store_fail(&keeper->store, status, ret_fault);
  }
  note_start(keeper, &change);
  kh_log_write(&keeper->options.log, KH_LOG_NOTE, "%s", kh_message_loaded(keeper, &change).text);
  kh_change_warn(keeper, change.table);
  return KH_OK;
}

kh_status kh_keeper_new(const kh_keeper_options *options, kh_store *store, kh_keeper **ret_keeper,
                        kh_fault *ret_fault)
{
  kh_keeper *keeper = calloc(1, sizeof *keeper);
  if (keeper == NULL)
    return kh_store_fail(store, KH_E_NO_MEMORY, ret_fault);
  keeper->options = *options;
  keeper->store = *store;
  kh_status status = load_first(keeper, ret_fault);
  if (status != KH_OK) {
    free(keeper->floors.at);
    free(keeper);
    return status;
  }
  atomic_init(&keeper->background.wake, -1);
  pthread_mutex_init(&keeper->preparing, NULL);
  pthread_mutex_init(&keeper->state, NULL);
  settle_first(keeper);
  *store = (kh_store){0};
  *ret_keeper = keeper;
  return KH_OK;
}

void kh_keeper_free(kh_keeper **keeper)
{
  if (keeper == NULL || *keeper == NULL)
    return;
  kh_background_end(*keeper);
  kh_keyring_free(&(*keeper)->ring);
  for (size_t i = 0; i < KH_KEEPER_CHANGES_MAX; i++)
    kh_keytable_free(&(*keeper)->prepared[i].table);
  kh_store_free(&(*keeper)->store);
  free((*keeper)->floors.at);
  pthread_mutex_destroy(&(*keeper)->preparing);
  pthread_mutex_destroy(&(*keeper)->state);
  free(*keeper);
  *keeper = NULL;
}

const kh_keyring *kh_keeper_ring(const kh_keeper *keeper)
{
  return keeper->ring;
}

kh_store_name kh_keeper_store_name(const kh_keeper *keeper)
{
  return kh_store_get_name(&keeper->store);
}

static void note_missing(kh_keeper_stats *stats, const kh_misses *missing)
{
  kh_miss last = kh_misses_last(missing);
  stats->missing = atomic_load(&missing->noted) + atomic_load(&missing->dropped);
  if (last.id != 0)
    snprintf(stats->last_missing, sizeof stats->last_missing, "%u version %u", last.id,
             last.version);
}

kh_keeper_stats kh_keeper_get_stats(kh_keeper *keeper)
{
  uint64_t now = kh_clock_now(&keeper->options.clock);
  pthread_mutex_lock(&keeper->state);
  kh_keeper_stats stats = keeper->stats;
  const kh_keytable *table = kh_keyring_begin(keeper->ring); /* which the statistics are of */
  pthread_mutex_unlock(&keeper->state);
  if (stats.next_rotation <= now)
    stats.overdue = kh_keytable_count_due(table, now);
  kh_keyring_end(keeper->ring);
  note_missing(&stats, &keeper->missing_versions);
  return stats;
}
