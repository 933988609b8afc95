/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/rotation.h"
#include "rewrite.h"

/* One rotation on its way. */
struct state {
  const kh_rotation *rotation;
  kh_rewrite rewrite;
  kh_keylist *added; /* the new versions */
  kh_rotated rotated;
};

static void clean_up(struct state *state)
{
  kh_rewrite_cleanup(&state->rewrite);
  kh_keylist_free(&state->added);
}

/* the file must have all keys that are in use */
static kh_status check_follows(const struct state *state)
{
  const kh_rotation *rotation = state->rotation;
  const kh_opened *opened = &state->rewrite.opened;
  kh_status status = kh_keytable_check_follows(state->rewrite.table, rotation->known,
                                               rotation->default_cipher, opened->ret_fault);
  if (status != KH_OK && opened->ret_fault != NULL)
    opened->ret_fault->path = kh_show_path(opened->options->path);
  return status;
}

/* Half of a key of 256 bits is a key of 128 bits. Who asks for a rotation knows whether somebody is
 * writing the file; nobody asks for those that are due. */
static bool may_be_unfinished(const struct state *state)
{
  const kh_file_stamp *loaded = state->rotation->loaded;
  const kh_keyfile_info *info = &state->rewrite.opened.info;
  return state->rotation->due_only && !info->ends_line &&
         !(loaded != NULL && kh_file_is_same(&info->stamp, loaded));
}

static kh_status open_file(struct state *state)
{
  kh_status status = kh_rewrite_open(&state->rewrite, KH_REPEATS_REFUSED);
  if (status != KH_OK)
    return status;
  if (may_be_unfinished(state))
    return kh_rewrite_fail(&state->rewrite, KH_E_FILE_UNFINISHED);
  return check_follows(state);
}

/* Whether another server made a version that is not in use yet. One that is less than a rotation's
 * step above the one in use was written by hand: InnoDB would not encrypt anything again for it. */
static bool is_taken(const struct state *state, const kh_key *latest)
{
  uint32_t in_use;
  return kh_keytable_latest(state->rotation->known, latest->id, &in_use) != KH_OK ||
         latest->version - in_use >= KH_ROTATION_STEP;
}

static void add_version(struct state *state, const kh_key *latest)
{
  kh_policy policy = latest->policy;
  policy.created = state->rotation->now;
  kh_keylist_add_random(state->added, latest->id, latest->version + KH_ROTATION_STEP,
                        policy.bits == 0 ? latest->len : policy.bits / 8u, &policy);
  state->rotated.made++;
}

static kh_status consider(struct state *state, const kh_key *latest)
{
  const kh_rotation *rotation = state->rotation;
  if (is_taken(state, latest)) {
    state->rotated.taken++;
    return KH_OK;
  }
  if (rotation->due_only && kh_policy_due(&latest->policy) > rotation->now)
    return KH_OK;
  if (latest->version > KH_KEY_VERSION_MAX - KH_ROTATION_STEP)
    return kh_rewrite_fail_for_key(&state->rewrite, KH_E_VERSION_LIMIT, latest->id,
                                   latest->version);
  add_version(state, latest);
  return KH_OK;
}

/* Makes the new versions in memory. */
static kh_status make_versions(struct state *state)
{
  const kh_keytable *table = state->rewrite.table;
  uint32_t id = state->rotation->id;
  bool found = id == 0;
  kh_status status = kh_keylist_new(kh_keytable_id_count(table), &state->added);
  if (status != KH_OK)
    return kh_rewrite_fail(&state->rewrite, status);
  for (size_t i = 0; i < kh_keytable_version_count(table) && status == KH_OK; i++) {
    const kh_key *key = kh_keytable_at(table, i);
    if (!kh_keytable_is_latest(table, i) || (id != 0 && key->id != id))
      continue;
    found = true;
    status = consider(state, key);
  }
  return found ? status : kh_rewrite_fail_for_key(&state->rewrite, KH_E_KEY_NOT_FOUND, id, 0);
}

static kh_status write_file(struct state *state)
{
  kh_rewrite *rewrite = &state->rewrite;
  kh_opened *opened = &rewrite->opened;
  kh_status status =
      kh_keyfile_add_lines(kh_opened_text(opened), opened->list, state->added, &rewrite->text);
  if (status != KH_OK)
    return kh_rewrite_fail(rewrite, status);
  status = kh_rewrite_finish(rewrite, NULL, state->added);
  opened->info.locked = opened->info.locked && kh_keylist_is_locked(state->added);
  return status;
}

/* Nothing to make: what was read stays. It may be in the system's memory alone, if whoever wrote it
 * ended before its folder was flushed, or flushes nothing. */
static kh_status keep_file(struct state *state)
{
  kh_opened *opened = &state->rewrite.opened;
  state->rewrite.list = opened->list;
  opened->list = NULL;
  return kh_file_flush(opened->options->path, &opened->info.stamp, opened->ret_fault);
}

static kh_status rotate(struct state *state)
{
  kh_status status = open_file(state);
  if (status == KH_OK)
    status = make_versions(state);
  if (status != KH_OK)
    return status;
  return state->rotated.made > 0 ? write_file(state) : keep_file(state);
}

kh_status kh_keyfile_rotate(const kh_keyfile_options *options, const kh_crypt *crypt,
                            const kh_rotation *rotation, const kh_log *log, kh_keylist **ret_list,
                            kh_keyfile_info *ret_info, kh_rotated *ret_rotated, kh_fault *ret_fault)
{
  __attribute__((cleanup(clean_up))) struct state state = {
      .rotation = rotation,
      .rewrite.opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault}};
  kh_status status = rotate(&state);
  if (status != KH_OK)
    return status;
  *ret_list = state.rewrite.list;
  state.rewrite.list = NULL;
  if (ret_info != NULL)
    *ret_info = state.rewrite.opened.info;
  *ret_rotated = state.rotated;
  return KH_OK;
}
