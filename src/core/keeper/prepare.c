/* SPDX-License-Identifier: GPL-2.0-only */
#include "prepare.h"

#include <poll.h>

#include "change.h"
#include "floor.h"
#include "log_messages.h"
#include "misses.h"

/* Another process may change the store between loading and settling. */
enum { TRIES = 5, PAUSE = 100 /* milliseconds */ };

/* A change that is being prepared, from begin_preparation() to end_preparation(). */
typedef struct preparation {
  kh_keeper *keeper;
  const kh_keytable *known; /* the table that was in force when it began; stays until it ends */
  kh_store_mark loaded;     /* of the content that `known` is from */
  const char *format;       /* of that content */
  kh_change change;
  kh_fault fault;
} preparation;

static preparation begin_preparation(kh_keeper *keeper)
{
  preparation begun = {.keeper = keeper};
  pthread_mutex_lock(&keeper->preparing);
  pthread_mutex_lock(&keeper->state);
  begun.known = kh_keyring_begin(keeper->ring);
  kh_keyring_end(keeper->ring);
  begun.loaded = keeper->mark;
  begun.format = keeper->stats.format;
  keeper->known = begun.known;
  pthread_mutex_unlock(&keeper->state);
  return begun;
}

/* returns a free place, or that of the oldest change, which a statement may have left that failed
 * between its two halves */
static kh_change *place_for_change(kh_keeper *keeper)
{
  kh_change *oldest = &keeper->prepared[0];
  for (size_t i = 1; i < KH_KEEPER_CHANGES_MAX; i++)
    if (keeper->prepared[i].token < oldest->token)
      oldest = &keeper->prepared[i];
  return oldest;
}

/* stores the prepared change under a new token, or drops it */
static void end_preparation(preparation *ended, bool is_kept)
{
  kh_keeper *keeper = ended->keeper;
  kh_keytable *passed_over = NULL;
  if (!is_kept)
    kh_keytable_free(&ended->change.table);
  pthread_mutex_lock(&keeper->state);
  if (is_kept) {
    kh_change *place = place_for_change(keeper);
    passed_over = place->table;
    *place = ended->change;
    place->token = ended->change.token = ++keeper->last_token;
  }
  kh_keytable *replaced = keeper->replaced;
  keeper->replaced = NULL;
  keeper->known = NULL;
  pthread_mutex_unlock(&keeper->state);
  pthread_mutex_unlock(&keeper->preparing);
  kh_keytable_free(&replaced);
  kh_keytable_free(&passed_over);
}

/* Makes the table of a content, replacing one that was made before; frees the content.
 */
static kh_status make_table(preparation *going, kh_store_content *content)
{
  kh_keytable_free(&going->change.table);
  kh_status status =
      kh_change_make(going->keeper, content, going->known, &going->change, &going->fault);
  kh_store_content_free(content);
  return status;
}

static kh_status check_table(preparation *going)
{
  return kh_change_check(going->keeper, &going->change, going->known, &going->fault);
}

/* Makes the table of a content, and checks it; frees the content. */
static kh_status take_content(preparation *going, kh_store_content *content)
{
  kh_status status = make_table(going, content);
  return status == KH_OK ? check_table(going) : status;
}

/* Done here because putting the change in force must not wait. */
static kh_status finish_change(preparation *going, const char *what)
{
  kh_change *change = &going->change;
  kh_status status = kh_floor_raise(going->keeper, change->table);
  if (status != KH_OK)
    return kh_store_fail(&going->keeper->store, status, &going->fault);
  change->fingerprint = kh_keytable_fingerprint(change->table);
  change->message = kh_message_changed(going->keeper, what, change, going->known);
  change->steps = kh_message_steps(change, going->known);
  return KH_OK;
}

static void note_unsaved(kh_keeper *keeper, size_t versions)
{
  pthread_mutex_lock(&keeper->state);
  keeper->stats.unsaved = versions;
  pthread_mutex_unlock(&keeper->state);
}

static kh_status read_store(preparation *going, const kh_reload_how *how)
{
  const kh_store *store = &going->keeper->store;
  kh_store_content content;
  kh_status status = store->ops->load(store->self, how->reason, &content, &going->fault);
  if (status == KH_OK)
    status = make_table(going, &content);
  if (kh_status_class(status) != KH_CLASS_UNTRIED)
    note_unsaved(going->keeper, status == KH_OK
                                    ? kh_keytable_count_lost(going->change.table, going->known,
                                                             going->keeper->options.default_cipher)
                                    : kh_keytable_version_count(going->known));
  if (status != KH_OK)
    return status;
  if (how->finished_only && content.doubt != KH_OK)
    return kh_store_fail(store, content.doubt, &going->fault);
  return check_table(going);
}

static bool has_changed_since(const kh_store *store, const kh_store_mark *mark)
{
  kh_store_mark now;
  return store->ops->mark(store->self, &now, NULL) == KH_OK && !kh_store_is_same(&now, mark);
}

/* ret_again: the store has changed meanwhile */
static kh_status read_and_settle(preparation *going, const kh_reload_how *how, bool *ret_again)
{
  const kh_store *store = &going->keeper->store;
  *ret_again = false;
  kh_status status = read_store(going, how);
  if (status != KH_OK)
    return status;
  status = kh_store_settle(store, &going->change.mark, &going->fault);
  *ret_again = status != KH_OK && has_changed_since(store, &going->change.mark);
  return status;
}

static kh_status reload_keys(preparation *going, const kh_reload_how *how)
{
  bool again = true;
  kh_status status = KH_OK;
  for (int i = 0; i < TRIES && again; i++) {
    if (i > 0)
      (void)poll(NULL, 0, PAUSE);
    status = read_and_settle(going, how, &again);
  }
  if (status != KH_OK)
    return status;
  kh_change_warn(going->keeper, going->change.table);
  return finish_change(going, "reloaded");
}

void kh_prepare_note_reload(kh_keeper *keeper, kh_status status, const kh_fault *fault)
{
  pthread_mutex_lock(&keeper->state);
  kh_change_note_load(keeper, status, fault);
  pthread_mutex_unlock(&keeper->state);
}

/* returns the results to the caller */
static kh_status give_results(const preparation *ended, kh_status status,
                              kh_keeper_token *ret_token, kh_fault *ret_fault)
{
  if (status == KH_OK)
    *ret_token = ended->change.token;
  if (ret_fault != NULL)
    *ret_fault = status == KH_OK ? (kh_fault){0} : ended->fault;
  return status;
}

kh_status kh_prepare_reload(kh_keeper *keeper, const kh_reload_how *how, kh_keeper_token *ret_token,
                            kh_fault *ret_fault)
{
  preparation going = begin_preparation(keeper);
  kh_status status = reload_keys(&going, how);
  end_preparation(&going, status == KH_OK);
  kh_prepare_note_reload(keeper, status, &going.fault);
  return give_results(&going, status, ret_token, ret_fault);
}

kh_status kh_prepare_check(kh_keeper *keeper, kh_fault *ret_fault)
{
  preparation going = begin_preparation(keeper);
  kh_status status = read_store(&going, &(kh_reload_how){.reason = KH_STORE_COMPARED});
  end_preparation(&going, false);
  *ret_fault = going.fault;
  return status;
}

void kh_prepare_note_unsaved(kh_keeper *keeper, kh_status status)
{
  pthread_mutex_lock(&keeper->state);
  keeper->stats.unsaved = status == KH_OK ? 0 : keeper->stats.versions;
  pthread_mutex_unlock(&keeper->state);
}

kh_status kh_keeper_prepare_reload(kh_keeper *keeper, kh_keeper_token *ret_token,
                                   kh_fault *ret_fault)
{
  return kh_prepare_reload(keeper, &(kh_reload_how){0}, ret_token, ret_fault);
}

/* More versions are missing than the floors know, so any number may be in use. */
static kh_status refuse_unknown_floor(preparation *going)
{
  kh_miss last;
  if (!kh_misses_are_more(&going->keeper->missing_versions, &last))
    return KH_OK;
  kh_store_fail(&going->keeper->store, KH_E_VERSION_NEEDED, &going->fault);
  going->fault.key_id = last.id;
  going->fault.key_version = last.version;
  return KH_E_VERSION_NEEDED;
}

static kh_status rotate_keys(preparation *going, uint32_t id, bool due_only,
                             kh_store_rotated *ret_rotated)
{
  const kh_keeper *keeper = going->keeper;
  kh_store_rotation rotation = {.known = going->known,
                                .loaded = &going->loaded,
                                .id = id,
                                .due_only = due_only,
                                .floor = {kh_floor_of, keeper},
                                .now = kh_clock_now(&keeper->options.clock),
                                .default_cipher = keeper->options.default_cipher};
  kh_store_content content;
  kh_status status = refuse_unknown_floor(going);
  if (status == KH_OK)
    status =
        kh_store_make_versions(&keeper->store, &rotation, &content, ret_rotated, &going->fault);
  if (status == KH_OK)
    status = take_content(going, &content);
  if (status != KH_OK)
    return status;
  return finish_change(going,
                       ret_rotated->made > 0 ? "rotated" : "reloaded (another server rotated it)");
}

static void note_rotation(kh_keeper *keeper, kh_status status, const kh_store_rotated *rotated)
{
  pthread_mutex_lock(&keeper->state);
  keeper->stats.rotations += rotated->made;
  keeper->stats.failures += (status != KH_OK) + rotated->passed_over;
  pthread_mutex_unlock(&keeper->state);
}

kh_status kh_prepare_rotation(kh_keeper *keeper, uint32_t id, bool due_only,
                              kh_keeper_token *ret_token, kh_fault *ret_fault)
{
  kh_store_rotated rotated = {0};
  preparation going = begin_preparation(keeper);
  kh_status status = rotate_keys(&going, id, due_only, &rotated);
  end_preparation(&going, status == KH_OK);
  note_rotation(keeper, status, &rotated);
  return give_results(&going, status, ret_token, ret_fault);
}

kh_status kh_keeper_prepare_rotation(kh_keeper *keeper, uint32_t id, kh_keeper_token *ret_token,
                                     kh_fault *ret_fault)
{
  return kh_prepare_rotation(keeper, id, false, ret_token, ret_fault);
}

static kh_status save_keys(preparation *going, bool replaces, kh_store_saved *ret_saved)
{
  const kh_keeper *keeper = going->keeper;
  kh_store_saving saving = {.known = going->known,
                            .replaces = replaces,
                            .now = kh_clock_now(&keeper->options.clock),
                            .default_cipher = keeper->options.default_cipher};
  kh_store_content content;
  kh_status status = kh_store_save(&keeper->store, &saving, &content, ret_saved, &going->fault);
  if (status == KH_OK)
    status = take_content(going, &content);
  if (status != KH_OK)
    return status;
  return finish_change(going, "saved");
}

static void log_what_was_written(const kh_keeper *keeper, const kh_store_saved *saved)
{
  const kh_log *log = &keeper->options.log;
  const kh_store *store = &keeper->store;
  const char *plural = saved->written == 1 ? "" : "s";
  if (saved->is_new)
    kh_log_write(log, KH_LOG_HINT, "'%s' was written anew, with %zu key version%s",
                 kh_store_shown_place(store).text, saved->written, plural);
  else if (saved->written == 0)
    kh_log_write(log, KH_LOG_HINT, "'%s' has every key version in use; nothing was added",
                 kh_store_shown_place(store).text);
  else
    kh_log_write(log, KH_LOG_HINT, "'%s' lacked %zu key version%s in use, now added",
                 kh_store_shown_place(store).text, saved->written, plural);
}

static void log_saved(const kh_keeper *keeper, const kh_store_saved *saved)
{
  log_what_was_written(keeper, saved);
  if (saved->kept_as.text[0] != '\0')
    kh_log_write(&keeper->options.log, KH_LOG_WARNING,
                 "the old '%s' is kept as '%s': key versions and passphrase slots that only it had "
                 "are not in the new one; keep it until you know that no data needs it",
                 kh_store_shown_place(&keeper->store).text, saved->kept_as.text);
}

static void note_saved(kh_keeper *keeper, kh_status status, const kh_store_saved *saved)
{
  if (status == KH_OK) { /* what was written has been read back, as by a reload */
    log_saved(keeper, saved);
    kh_prepare_note_reload(keeper, KH_OK, NULL);
    return;
  }
  pthread_mutex_lock(&keeper->state);
  keeper->stats.failures++;
  pthread_mutex_unlock(&keeper->state);
}

kh_status kh_keeper_prepare_save(kh_keeper *keeper, bool replaces, kh_keeper_token *ret_token,
                                 kh_fault *ret_fault)
{
  kh_store_saved saved = {.written = 0};
  preparation going = begin_preparation(keeper);
  kh_status status = save_keys(&going, replaces, &saved);
  end_preparation(&going, status == KH_OK);
  note_saved(keeper, status, &saved);
  return give_results(&going, status, ret_token, ret_fault);
}

static void append_key(kh_keylist *list, const kh_key *key)
{
  *kh_keylist_next(list) = *key;
  kh_keylist_commit(list);
}

/* adds the keys in force and then those that were found, so that a difference is noticed */
static kh_status add_found(const kh_keytable *known, const kh_keylist *found, kh_keylist *list)
{
  kh_status status = KH_OK;
  for (size_t i = 0; i < kh_keytable_version_count(known); i++)
    append_key(list, kh_keytable_at(known, i));
  for (size_t i = 0; i < kh_keytable_retired_count(known) && status == KH_OK; i++)
    status = kh_keylist_retire(list, kh_keytable_retired_at(known, i));
  for (size_t i = 0; i < kh_keylist_count(found); i++)
    append_key(list, kh_keylist_at(found, i));
  return status;
}

static kh_status merge_found(preparation *going, const kh_keylist *found)
{
  kh_store_content content = {
      .mark = going->loaded, .format = going->format, .is_locked = kh_keylist_is_locked(found)};
  kh_keylist *list = NULL;
  kh_status status =
      kh_keylist_new(kh_keytable_version_count(going->known) + kh_keylist_count(found), &list);
  if (status == KH_OK)
    status = add_found(going->known, found, list);
  kh_store_content_own(&content, list);
  if (status != KH_OK) {
    kh_store_content_free(&content);
    return kh_store_fail(&going->keeper->store, status, &going->fault);
  }
  status = take_content(going, &content);
  if (status != KH_OK)
    return status;
  going->change.is_whole = false;
  return finish_change(going, "supplied a missing key");
}

kh_status kh_prepare_found(kh_keeper *keeper, const kh_keylist *found, kh_keeper_token *ret_token,
                           kh_fault *ret_fault)
{
  preparation going = begin_preparation(keeper);
  kh_status status = merge_found(&going, found);
  end_preparation(&going, status == KH_OK);
  return give_results(&going, status, ret_token, ret_fault);
}
