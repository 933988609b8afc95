/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "keyfile_parts.h"

/* One rotation on its way. */
struct turn {
  kh_keyfile *file;
  const kh_rotation *rotation;
  kh_rotated rotated;
  kh_fault first_refusal; /* if some were passed over */
};

/* the file must have all keys that are in use */
static kh_status check_known(const struct turn *turn, kh_fault *ret_fault)
{
  const kh_rotation *rotation = turn->rotation;
  kh_status status = kh_keytable_check_follows(turn->file->change.before, rotation->known,
                                               rotation->default_cipher, ret_fault);
  if (status != KH_OK && ret_fault != NULL)
    ret_fault->path = kh_show_path(turn->file->options.path);
  return status;
}

/* Half of a key of 256 bits is a valid key of 128 bits. An administrator who requests a rotation
 * knows whether the file is being written; an automatic one does not. */
static bool may_be_unfinished(const struct turn *turn)
{
  const kh_file_stamp *loaded = turn->rotation->loaded;
  return turn->rotation->due_only && !kh_keyfile_ends_line(turn->file) &&
         !(loaded != NULL && kh_file_is_same(&turn->file->content.stamp, loaded));
}

static bool has_changes(const struct turn *turn)
{
  const kh_key_changes *changes = &turn->rotation->changes;
  return changes->len != 0 || changes->sets_cipher || changes->sets_rotate;
}

/* Returns whether another server made a version that is not in use yet, or the file is older than
 * the keys in use. A version that is less than a rotation's step above the one in use was written
 * by hand: InnoDB would not encrypt anything again for it. */
static bool is_taken(const struct turn *turn, const kh_key *latest)
{
  uint32_t in_use;
  if (has_changes(turn)) /* which that version does not have */
    return false;
  return kh_keytable_latest(turn->rotation->known, latest->id, &in_use) != KH_OK ||
         latest->version < in_use || latest->version - in_use >= KH_ROTATION_STEP;
}

/* The length and the attributes of a new version. */
struct plan {
  uint32_t len; /* in bytes */
  kh_policy policy;
};

/* A version of 128 bits has no cipher that needs 256, nor has bits=128: so only a requested length
 * can be too short. */
static struct plan plan_version(const struct turn *turn, const kh_key *latest)
{
  const kh_key_changes *changes = &turn->rotation->changes;
  struct plan plan = {latest->policy.bits == 0 ? latest->len : latest->policy.bits / 8u,
                      latest->policy};
  plan.policy.created = turn->rotation->now;
  if (changes->sets_rotate)
    plan.policy.rotate = changes->rotate;
  if (changes->sets_cipher)
    plan.policy.cipher = (uint8_t)changes->cipher;
  uint32_t least = (uint32_t)kh_cipher_key_min((kh_cipher)plan.policy.cipher);
  uint32_t len = changes->len != 0 ? changes->len : plan.len < least ? least : 0;
  if (len != 0) {
    plan.len = len;
    plan.policy.bits = 0; /* the next ones are as long as this one */
  }
  return plan;
}

/* Returns whether the cipher takes the requested length. */
static kh_status check_plan(const struct turn *turn, const kh_key *latest, kh_fault *ret_fault)
{
  struct plan plan = plan_version(turn, latest);
  size_t least = kh_cipher_key_min((kh_cipher)plan.policy.cipher);
  if (plan.len >= least)
    return KH_OK;
  kh_keyfile_fail_for_key(turn->file, KH_E_CIPHER_LENGTH, latest, ret_fault);
  if (ret_fault != NULL) {
    snprintf(ret_fault->name, sizeof ret_fault->name, "%s",
             kh_cipher_name((kh_cipher)plan.policy.cipher));
    ret_fault->size = UINT64_C(8) * plan.len;
    ret_fault->limit = UINT64_C(8) * least;
  }
  return KH_E_CIPHER_LENGTH;
}

/* Returns why a key can have no new version. */
static kh_status judge_key(const struct turn *turn, const kh_keytable *table, const kh_key *latest,
                           kh_fault *ret_fault)
{
  kh_key named = *latest;
  uint32_t lacks = kh_keytable_lacks(table, &turn->rotation->floor, latest->id);
  if (lacks != 0) {
    named.version = lacks;
    return kh_keyfile_fail_for_key(turn->file, KH_E_VERSION_NEEDED, &named, ret_fault);
  }
  if (kh_keytable_highest(table, latest->id) > KH_KEY_VERSION_MAX - KH_ROTATION_STEP)
    return kh_keyfile_fail_for_key(turn->file, KH_E_VERSION_LIMIT, latest, ret_fault);
  return check_plan(turn, latest, ret_fault);
}

static void make_new_version(struct turn *turn, const kh_key *latest)
{
  struct plan plan = plan_version(turn, latest);
  uint32_t highest = kh_keytable_highest(turn->file->change.before, latest->id);
  kh_keylist_add_random(turn->file->change.delta, latest->id, highest + KH_ROTATION_STEP, plan.len,
                        &plan.policy);
  turn->rotated.made++;
}

/* Returns whether a key version is the latest of a key that the rotation is for. */
static bool is_chosen(const struct turn *turn, const kh_keytable *table, size_t index)
{
  uint32_t id = turn->rotation->id;
  return kh_keytable_is_latest(table, index) && (id == 0 || kh_keytable_at(table, index)->id == id);
}

static bool is_due(const struct turn *turn, const kh_key *latest)
{
  const kh_rotation *rotation = turn->rotation;
  return !rotation->due_only || kh_policy_due(&latest->policy) <= rotation->now;
}

static void consider_key(struct turn *turn, const kh_key *latest)
{
  kh_fault fault = {.status = KH_OK};
  if (is_taken(turn, latest)) {
    turn->rotated.taken++;
    return;
  }
  if (!is_due(turn, latest))
    return;
  if (judge_key(turn, turn->file->change.before, latest, &fault) == KH_OK) {
    make_new_version(turn, latest);
    return;
  }
  if (turn->rotated.passed_over++ == 0)
    turn->first_refusal = fault;
}

/* Returns whether a version is the latest of a key that is to have a new one. */
static bool is_wanted(const struct turn *turn, const kh_keytable *table, size_t index)
{
  const kh_key *key = kh_keytable_at(table, index);
  return is_chosen(turn, table, index) && !is_taken(turn, key) && is_due(turn, key);
}

static void log_refusals(const struct turn *turn)
{
  const kh_keytable *table = turn->file->change.before;
  char sentence[KH_MESSAGE_MAX];
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    kh_fault fault = {.status = KH_OK};
    if (!is_wanted(turn, table, i) ||
        judge_key(turn, table, kh_keytable_at(table, i), &fault) == KH_OK)
      continue;
    kh_fault_describe(&fault, sentence, sizeof sentence);
    kh_log_write(turn->file->log, KH_LOG_WARNING, "%s", sentence);
  }
}

/* A key that cannot be rotated must not keep the others from being rotated. Without another key it
 * is the reason why nothing was done. */
static kh_status report_refusals(const struct turn *turn, kh_fault *ret_fault)
{
  const kh_rotated *rotated = &turn->rotated;
  if (rotated->passed_over == 0)
    return KH_OK;
  if (rotated->made + rotated->taken > 0) {
    log_refusals(turn);
    return KH_OK;
  }
  if (ret_fault != NULL)
    *ret_fault = turn->first_refusal;
  return turn->first_refusal.status;
}

/* Makes the new versions. */
static kh_status make_versions(struct turn *turn, kh_fault *ret_fault)
{
  const kh_keytable *table = turn->file->change.before;
  uint32_t id = turn->rotation->id;
  bool found = id == 0;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    if (!is_chosen(turn, table, i))
      continue;
    found = true;
    consider_key(turn, kh_keytable_at(table, i));
  }
  return found ? report_refusals(turn, ret_fault)
               : kh_keyfile_fail_for_key(turn->file, KH_E_KEY_NOT_FOUND, &(kh_key){.id = id},
                                         ret_fault);
}

static kh_status put_versions(kh_keyfile *file, kh_fault *ret_fault)
{
  kh_change *change = &file->change;
  kh_status status =
      kh_keyfile_add_lines(kh_keyfile_text(file), file->content.keys, change->delta, &change->text);
  return status == KH_OK ? KH_OK : kh_keyfile_fail(file, status, ret_fault);
}

static kh_status check_file(const struct turn *turn, kh_fault *ret_fault)
{
  return may_be_unfinished(turn) ? kh_keyfile_fail(turn->file, KH_E_FILE_UNFINISHED, ret_fault)
                                 : check_known(turn, ret_fault);
}

/* Returns whether a version would be made if the file is still what was read. */
static bool expects_versions(const struct turn *turn, const kh_keytable *table)
{
  for (size_t i = 0; i < kh_keytable_version_count(table); i++)
    if (is_wanted(turn, table, i) &&
        judge_key(turn, table, kh_keytable_at(table, i), NULL) == KH_OK)
      return true;
  return false;
}

/* Runs before the lock, so that other processes do not wait for it; and only if it will be used,
 * since it takes long.
 */
static kh_status prepare_new_file(const struct turn *turn, kh_fault *ret_fault)
{
  kh_keyfile *file = turn->file;
  kh_keytable *table = NULL;
  kh_status status = kh_keytable_new(file->content.keys, &table);
  if (status != KH_OK)
    return kh_keyfile_fail(file, status, ret_fault);
  if (expects_versions(turn, table))
    status = kh_envelope_prepare(&file->envelope, ret_fault);
  kh_keytable_free(&table);
  return status;
}

kh_status kh_keyfile_rotate(kh_keyfile *file, const kh_rotation *rotation, kh_rotated *ret_rotated,
                            kh_fault *ret_fault)
{
  struct turn turn = {.file = file, .rotation = rotation};
  kh_status status = prepare_new_file(&turn, ret_fault);
  if (status == KH_OK)
    status = kh_keyfile_begin_change(file, KH_REPEATS_REFUSED, ret_fault);
  if (status == KH_OK)
    status = check_file(&turn, ret_fault);
  if (status == KH_OK)
    status = make_versions(&turn, ret_fault);
  if (status == KH_OK && turn.rotated.made > 0)
    status = put_versions(file, ret_fault);
  if (status == KH_OK)
    *ret_rotated = turn.rotated;
  return status;
}
