/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duty.h"
#include "say.h"
#include "work.h"

static uint64_t first_due(const kh_keytable *table)
{
  uint64_t first = KH_POLICY_NEVER;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    if (!kh_keytable_is_latest(table, i))
      continue;
    uint64_t due = kh_policy_due(&kh_keytable_at(table, i)->policy);
    first = due < first ? due : first;
  }
  return first;
}

static void note_in_force(kh_keeper *keeper, const kh_keytable *table, const kh_keyfile_info *info,
                          kh_fingerprint fingerprint)
{
  keeper->loaded = info->stamp;
  keeper->stats.ids = kh_keytable_id_count(table);
  keeper->stats.versions = kh_keytable_version_count(table);
  keeper->stats.fingerprint = fingerprint;
  keeper->stats.generation++;
  keeper->stats.format = info->format->name;
  keeper->stats.next_rotation = first_due(table);
}

static kh_status make(const kh_keeper_options *options, kh_keytable *table,
                      const kh_keyfile_info *info, kh_keeper **ret_keeper)
{
  kh_keeper *keeper = calloc(1, sizeof *keeper);
  if (keeper == NULL)
    return KH_E_NO_MEMORY;
  kh_status status = kh_keyring_new(table, &keeper->ring);
  if (status != KH_OK) {
    free(keeper);
    return status;
  }
  keeper->options = *options;
  keeper->options.keyfile.bounded_wait = true; /* a FIFO must hold up neither a statement nor the
                                                   server's end; a start can be broken off */
  keeper->duty.wake = -1;
  pthread_mutex_init(&keeper->work, NULL);
  pthread_mutex_init(&keeper->state, NULL);
  note_in_force(keeper, table, info, kh_keytable_fingerprint(table));
  keeper->stats.last_reload = kh_clock_now(&options->clock);
  snprintf(keeper->stats.last_result, sizeof keeper->stats.last_result, "ok");
  *ret_keeper = keeper;
  return KH_OK;
}

/* A file that cannot be flushed is no reason not to start: its data could not be read then. */
static void flush(const kh_keeper_options *options, const kh_keyfile_info *info)
{
  kh_fault fault;
  char sentence[KH_MESSAGE_MAX];
  if (kh_file_flush(options->keyfile.path, &info->stamp, &fault) == KH_OK)
    return;
  kh_fault_describe(&fault, sentence, sizeof sentence);
  kh_log_write(&options->log, KH_LOG_WARNING, "the key file may not outlast a power failure: %s",
               sentence);
}

kh_status kh_keeper_new(const kh_keeper_options *options, kh_keeper **ret_keeper,
                        kh_fault *ret_fault)
{
  kh_keytable *table = NULL;
  kh_keyfile_info info;
  kh_status status = kh_work_load(options, NULL, &table, &info, ret_fault);
  if (status != KH_OK)
    return status;
  kh_line line = kh_say_loaded(options, &info, table);
  status = make(options, table, &info, ret_keeper);
  if (status != KH_OK) {
    kh_keytable_free(&table);
    return kh_fault_set(ret_fault, status, options->keyfile.path, 0);
  }
  kh_log_write(&options->log, KH_LOG_NOTE, "%s", line.text);
  flush(options, &info);
  return KH_OK;
}

void kh_keeper_free(kh_keeper **keeper)
{
  if (keeper == NULL || *keeper == NULL)
    return;
  kh_duty_end(*keeper);
  kh_keyring_free(&(*keeper)->ring);
  kh_keytable_free(&(*keeper)->prepared.table);
  pthread_mutex_destroy(&(*keeper)->work);
  pthread_mutex_destroy(&(*keeper)->state);
  free(*keeper);
  *keeper = NULL;
}

const kh_keyring *kh_keeper_ring(const kh_keeper *keeper)
{
  return keeper->ring;
}

kh_status kh_keeper_prepare_reload(kh_keeper *keeper, kh_fault *ret_fault)
{
  return kh_work_reload(keeper, false, ret_fault);
}

kh_status kh_keeper_prepare_rotation(kh_keeper *keeper, uint32_t id, kh_fault *ret_fault)
{
  return kh_work_rotate(keeper, id, false, ret_fault);
}

/* The table may have been prepared against an older one than that in force. */
static kh_status check_follows(const kh_keeper *keeper, const kh_keytable *table,
                               kh_fault *ret_fault)
{
  const kh_keytable *now = kh_keyring_begin(keeper->ring);
  kh_status status =
      kh_keytable_check_follows(table, now, keeper->options.default_cipher, ret_fault);
  kh_keyring_end(keeper->ring);
  ret_fault->path = kh_show_path(keeper->options.keyfile.path);
  return status;
}

/* puts the prepared table in force; gives the table that is left over, which may be freed */
static kh_keytable *exchange(kh_keeper *keeper, kh_fault *ret_fault)
{
  kh_keytable *table = keeper->prepared.table;
  keeper->prepared.table = NULL;
  if (check_follows(keeper, table, ret_fault) != KH_OK) {
    keeper->stats.failures++;
    return table;
  }
  note_in_force(keeper, table, &keeper->prepared.info, keeper->prepared.fingerprint);
  kh_keytable *old = kh_keyring_exchange(keeper->ring, table);
  kh_duty_wake(keeper); /* a new key may be due */
  if (!keeper->working)
    return old;
  keeper->retired = old;
  return NULL;
}

static void say_outcome(const kh_keeper *keeper, const kh_line *line, const kh_fault *fault)
{
  char sentence[KH_MESSAGE_MAX];
  if (fault->status == KH_OK) {
    kh_log_write(&keeper->options.log, KH_LOG_NOTE, "%s", line->text);
    return;
  }
  kh_fault_describe(fault, sentence, sizeof sentence);
  kh_log_write(&keeper->options.log, KH_LOG_WARNING,
               "the key file was not put in use, since other keys were put in use meanwhile: %s",
               sentence);
}

void kh_keeper_commit(kh_keeper *keeper)
{
  kh_line line = {""};
  kh_fault fault = {0};
  kh_keytable *left_over = NULL;
  pthread_mutex_lock(&keeper->state);
  bool is_prepared = keeper->prepared.table != NULL;
  if (is_prepared) {
    memcpy(line.text, keeper->prepared.message, sizeof line.text);
    left_over = exchange(keeper, &fault);
  }
  pthread_mutex_unlock(&keeper->state);
  kh_keytable_free(&left_over);
  if (is_prepared)
    say_outcome(keeper, &line, &fault);
}

kh_keeper_stats kh_keeper_get_stats(kh_keeper *keeper)
{
  pthread_mutex_lock(&keeper->state);
  kh_keeper_stats stats = keeper->stats;
  pthread_mutex_unlock(&keeper->state);
  return stats;
}
