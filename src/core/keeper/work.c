/* SPDX-License-Identifier: GPL-2.0-only */
#include "work.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "say.h"

/* Another server's rotation or an editor may write the file just while it is read. */
enum { TRIES = 5, PAUSE = 100 /* milliseconds */ };

/* clears the fault, which may be NULL, if so */
static bool is_worth_another_try(kh_status status, int tries_left, kh_fault *fault)
{
  if (status != KH_E_FILE_CHANGED || tries_left == 0)
    return false;
  (void)poll(NULL, 0, PAUSE);
  if (fault != NULL)
    fault->status = KH_OK;
  return true;
}

/* the table in force, which stays until end_work(), and the stamp of its file */
static const kh_keytable *begin_work(kh_keeper *keeper, kh_file_stamp *ret_loaded)
{
  pthread_mutex_lock(&keeper->work);
  pthread_mutex_lock(&keeper->state);
  keeper->working = true;
  const kh_keytable *known = kh_keyring_begin(keeper->ring);
  kh_keyring_end(keeper->ring);
  *ret_loaded = keeper->loaded;
  pthread_mutex_unlock(&keeper->state);
  return known;
}

/* takes over what was prepared, in the place of what was before and not put in force */
static void end_work(kh_keeper *keeper, kh_prepared *prepared)
{
  pthread_mutex_lock(&keeper->state);
  keeper->working = false;
  kh_keytable *retired = keeper->retired;
  keeper->retired = NULL;
  kh_keytable *passed_over = NULL;
  if (prepared->table != NULL) {
    passed_over = keeper->prepared.table;
    keeper->prepared = *prepared;
  }
  pthread_mutex_unlock(&keeper->state);
  pthread_mutex_unlock(&keeper->work);
  kh_keytable_free(&retired);
  kh_keytable_free(&passed_over);
}

static void warn_if_unlocked(const kh_keeper_options *options, const kh_keyfile_info *info,
                             const kh_keytable *table)
{
  if (!info->locked || !kh_keytable_is_locked(table))
    kh_log_write(&options->log, KH_LOG_WARNING,
                 "the keys cannot all be locked into memory and may reach swap: raise the limit of "
                 "locked memory (LimitMEMLOCK= of the server's systemd unit)");
}

static kh_status table_of(const kh_keeper_options *options, const kh_keylist *list,
                          const kh_keyfile_info *info, const kh_keytable *known,
                          kh_keytable **ret_table, kh_fault *ret_fault)
{
  kh_status status = kh_keytable_new_after(list, known, ret_table);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->keyfile.path, 0);
  warn_if_unlocked(options, info, *ret_table);
  return KH_OK;
}

static kh_keyfile_info info_of(const kh_keyfile *file)
{
  return (kh_keyfile_info){kh_keyfile_format_of(file), kh_keyfile_ends_line(file),
                           kh_keyfile_stamp(file), kh_keyfile_memory_is_locked(file)};
}

kh_status kh_work_load(const kh_keeper_options *options, const kh_keytable *known,
                       kh_keytable **ret_table, kh_keyfile_info *ret_info, kh_fault *ret_fault)
{
  KH_AUTO_KEYFILE file = NULL;
  kh_status status =
      kh_keyfile_open(&options->keyfile, options->crypt, &options->log, &file, ret_fault);
  if (status != KH_OK)
    return status;
  *ret_info = info_of(file);
  return table_of(options, kh_keyfile_keys(file), ret_info, known, ret_table, ret_fault);
}

static kh_status check_follows(const kh_keeper_options *options, const kh_keytable *table,
                               const kh_keytable *known, kh_fault *ret_fault)
{
  kh_status status = kh_keytable_check_follows(table, known, options->default_cipher, ret_fault);
  ret_fault->path = kh_show_path(options->keyfile.path);
  return status;
}

/* What was read may be in the system's memory alone: an editor flushes nothing. */
static kh_status check_reloaded(const kh_keeper_options *options, const kh_prepared *prepared,
                                const kh_keytable *known, bool finished_only, kh_fault *ret_fault)
{
  if (finished_only && !prepared->info.ends_line)
    return kh_fault_set(ret_fault, KH_E_FILE_UNFINISHED, options->keyfile.path, 0);
  kh_status status = check_follows(options, prepared->table, known, ret_fault);
  if (status == KH_OK)
    status = kh_file_flush(options->keyfile.path, &prepared->info.stamp, ret_fault);
  return status;
}

static kh_status load_and_check(const kh_keeper_options *options, const kh_keytable *known,
                                bool finished_only, kh_prepared *prepared, kh_fault *ret_fault)
{
  kh_status status = kh_work_load(options, known, &prepared->table, &prepared->info, ret_fault);
  if (status != KH_OK)
    return status;
  status = check_reloaded(options, prepared, known, finished_only, ret_fault);
  if (status != KH_OK)
    kh_keytable_free(&prepared->table);
  return status;
}

static kh_status reload(const kh_keeper_options *options, const kh_keytable *known,
                        bool finished_only, kh_prepared *prepared, kh_fault *ret_fault)
{
  kh_status status;
  int tries_left = TRIES;
  do
    status = load_and_check(options, known, finished_only, prepared, ret_fault);
  while (is_worth_another_try(status, --tries_left, ret_fault));
  if (status != KH_OK)
    return status;
  prepared->fingerprint = kh_keytable_fingerprint(prepared->table);
  memcpy(prepared->message,
         kh_say_changed(options, "reloaded", &prepared->info, prepared->table, known).text,
         sizeof prepared->message);
  return KH_OK;
}

static void note_reload(kh_keeper *keeper, const kh_fault *fault)
{
  kh_keeper_stats *stats = &keeper->stats;
  pthread_mutex_lock(&keeper->state);
  stats->last_reload = kh_clock_now(&keeper->options.clock);
  if (fault->status == KH_OK)
    snprintf(stats->last_result, sizeof stats->last_result, "ok");
  else
    kh_fault_describe(fault, stats->last_result, sizeof stats->last_result);
  stats->failures += fault->status != KH_OK;
  pthread_mutex_unlock(&keeper->state);
}

kh_status kh_work_reload(kh_keeper *keeper, bool finished_only, kh_fault *ret_fault)
{
  kh_fault fault = {0};
  kh_prepared prepared = {0};
  kh_file_stamp loaded;
  const kh_keytable *known = begin_work(keeper, &loaded);
  kh_status status = reload(&keeper->options, known, finished_only, &prepared, &fault);
  end_work(keeper, &prepared);
  note_reload(keeper, &fault);
  if (ret_fault != NULL)
    *ret_fault = fault;
  return status;
}

static kh_status rotate_file(kh_keyfile *file, const kh_rotation *rotation, kh_rotated *ret_rotated,
                             kh_fault *ret_fault)
{
  kh_rotated rotated;
  kh_status status = kh_keyfile_rotate(file, rotation, &rotated, ret_fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, ret_fault);
  if (status == KH_OK)
    *ret_rotated = rotated;
  return status;
}

static kh_status rotate(const kh_keeper_options *options, const kh_rotation *rotation,
                        kh_prepared *prepared, kh_rotated *ret_rotated, kh_fault *ret_fault)
{
  KH_AUTO_KEYFILE file = NULL;
  kh_status status =
      kh_keyfile_open(&options->keyfile, options->crypt, &options->log, &file, ret_fault);
  if (status == KH_OK)
    status = rotate_file(file, rotation, ret_rotated, ret_fault);
  if (status != KH_OK)
    return status;
  prepared->info = info_of(file);
  status = table_of(options, kh_keyfile_keys(file), &prepared->info, rotation->known,
                    &prepared->table, ret_fault);
  if (status != KH_OK)
    return status;
  prepared->fingerprint = kh_keytable_fingerprint(prepared->table);
  const char *what = ret_rotated->made > 0 ? "rotated" : "has what another server rotated";
  memcpy(prepared->message,
         kh_say_changed(options, what, &prepared->info, prepared->table, rotation->known).text,
         sizeof prepared->message);
  return KH_OK;
}

static void note_rotation(kh_keeper *keeper, const kh_rotated *rotated, kh_status status)
{
  pthread_mutex_lock(&keeper->state);
  keeper->stats.rotations += rotated->made;
  keeper->stats.failures += status != KH_OK;
  pthread_mutex_unlock(&keeper->state);
}

kh_status kh_work_rotate(kh_keeper *keeper, uint32_t id, bool due_only, kh_fault *ret_fault)
{
  kh_fault fault = {0};
  kh_prepared prepared = {0};
  kh_rotated rotated = {0};
  kh_file_stamp loaded;
  kh_rotation rotation = {.known = begin_work(keeper, &loaded),
                          .id = id,
                          .due_only = due_only,
                          .loaded = &loaded,
                          .now = kh_clock_now(&keeper->options.clock),
                          .default_cipher = keeper->options.default_cipher};
  kh_status status = rotate(&keeper->options, &rotation, &prepared, &rotated, &fault);
  end_work(keeper, &prepared);
  note_rotation(keeper, &rotated, status);
  if (ret_fault != NULL)
    *ret_fault = fault;
  return status;
}
