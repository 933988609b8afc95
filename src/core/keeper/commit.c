/* SPDX-License-Identifier: GPL-2.0-only */
#include "change.h"
#include "log_messages.h"

/* The outcome of a commit, and the work that remains for after the lock. */
typedef struct commit_outcome {
  bool is_found;
  bool is_passed_over; /* newer changes replaced it, and none of them is left */
  kh_message message;
  kh_message steps; /* warnings; empty: none */
  kh_message brought;
  kh_fault fault;
  kh_keytable *left_over[KH_KEEPER_CHANGES_MAX + 1]; /* to be freed */
  size_t left_over_count;
} commit_outcome;

static void leave_over(commit_outcome *done, kh_keytable *table)
{
  if (table != NULL)
    done->left_over[done->left_over_count++] = table;
}

/* removes a prepared change from the list; its token is 0 if it is not found */
static kh_change take_change(kh_keeper *keeper, kh_keeper_token token)
{
  kh_change taken = {0};
  for (size_t i = 0; i < KH_KEEPER_CHANGES_MAX; i++)
    if (keeper->prepared[i].token == token) {
      taken = keeper->prepared[i];
      keeper->prepared[i] = (kh_change){0};
    }
  return taken;
}

/* A later whole change has all keys of the discarded one. Returns the first of them, or 0. */
static kh_keeper_token find_stand_in(const kh_keeper *keeper, kh_keeper_token passed_over)
{
  kh_keeper_token first = 0;
  for (size_t i = 0; i < KH_KEEPER_CHANGES_MAX; i++) {
    const kh_change *change = &keeper->prepared[i];
    if (change->is_whole && change->token > passed_over && (first == 0 || change->token < first))
      first = change->token;
  }
  return first;
}

/* The change that is now in force has all keys of the store, and so those of all older changes. */
static void drop_older(kh_keeper *keeper, commit_outcome *done)
{
  for (size_t i = 0; i < KH_KEEPER_CHANGES_MAX; i++) {
    kh_change *change = &keeper->prepared[i];
    if (change->token == 0 || change->token > keeper->token_in_force)
      continue;
    leave_over(done, change->table);
    *change = (kh_change){0};
  }
}

static void replace_table(kh_keeper *keeper, kh_keytable *table, commit_outcome *done)
{
  kh_keytable *old = kh_keyring_exchange(keeper->ring, table);
  if (old == keeper->known)
    keeper->replaced = old;
  else
    leave_over(done, old);
}

/* The table in force may be newer than the one that the change was prepared against. */
static kh_status check_against_table_in_force(kh_keeper *keeper, const kh_change *change,
                                              commit_outcome *done)
{
  const kh_keytable *now = kh_keyring_begin(keeper->ring);
  kh_status status = kh_change_check(keeper, change, now, &done->fault);
  if (status == KH_OK)
    done->brought = kh_message_brought(keeper, change->table, now);
  kh_keyring_end(keeper->ring);
  return status;
}

static void note_dropped(kh_keeper *keeper, const kh_change *change, const kh_fault *fault)
{
  if (change->is_whole)
    kh_change_note_load(keeper, fault->status, fault);
  else
    keeper->stats.failures++;
}

static void put_in_force(kh_keeper *keeper, const kh_change *change, commit_outcome *done)
{
  if (check_against_table_in_force(keeper, change, done) != KH_OK) {
    note_dropped(keeper, change, &done->fault);
    leave_over(done, change->table);
    return;
  }
  kh_change_note_in_force(keeper, change);
  replace_table(keeper, change->table, done);
  kh_misses_forget_found(&keeper->misses, change->table);
  if (change->is_whole)
    drop_older(keeper, done);
  kh_keeper_wake(keeper); /* a new key may be due */
}

static void commit_with_lock(kh_keeper *keeper, kh_keeper_token token, commit_outcome *done)
{
  kh_change change = take_change(keeper, token);
  bool gave_up_place =
      change.token == 0 && token > keeper->token_in_force && token <= keeper->last_token;
  kh_keeper_token stand_in = gave_up_place ? find_stand_in(keeper, token) : 0;
  if (stand_in != 0)
    change = take_change(keeper, stand_in);
  done->is_found = change.token != 0;
  done->is_passed_over = gave_up_place && !done->is_found;
  done->message = change.message;
  done->steps = change.steps;
  if (done->is_found)
    put_in_force(keeper, &change, done);
  keeper->stats.failures += done->is_passed_over;
}

static void log_outcome(const kh_keeper *keeper, const commit_outcome *done)
{
  const kh_log *log = &keeper->options.log;
  const char *noun = kh_store_get_name(&keeper->store).noun;
  char sentence[KH_MESSAGE_MAX];
  if (done->is_passed_over)
    kh_log_write(log, KH_LOG_WARNING,
                 "%s was not loaded: too many sessions changed keys at the same time; reload it",
                 noun);
  if (!done->is_found)
    return;
  if (done->fault.status == KH_OK) {
    kh_log_write(log, KH_LOG_NOTE, "%s", done->message.text);
    if (done->steps.text[0] != '\0')
      kh_log_write(log, KH_LOG_WARNING, "%s", done->steps.text);
    if (done->brought.text[0] != '\0')
      kh_log_write(log, KH_LOG_WARNING, "%s", done->brought.text);
    return;
  }
  kh_fault_describe(&done->fault, sentence, sizeof sentence);
  kh_log_write(log, KH_LOG_WARNING, "%s was not loaded: other keys were loaded meanwhile: %s", noun,
               sentence);
}

void kh_keeper_commit(kh_keeper *keeper, kh_keeper_token token)
{
  commit_outcome done = {0};
  if (token == 0)
    return;
  pthread_mutex_lock(&keeper->state);
  commit_with_lock(keeper, token, &done);
  pthread_mutex_unlock(&keeper->state);
  for (size_t i = 0; i < done.left_over_count; i++)
    kh_keytable_free(&done.left_over[i]);
  log_outcome(keeper, &done);
}
