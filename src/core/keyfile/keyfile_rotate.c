/* SPDX-License-Identifier: GPL-2.0-only */
#include "attributes.h"
#include "keyhold/lockfile.h"
#include "keyhold/random.h"
#include "opened.h"

/* One rotation on its way. */
struct state {
  const kh_rotation *rotation;
  kh_opened opened;   /* the file as it was */
  kh_keytable *table; /* its keys */
  kh_keylist *added;  /* the new versions */
  kh_secret *text;    /* the text with them */
  kh_secret *file;    /* what is written; NULL when it is the text */
  kh_keylist *list;   /* what was read back from it */
  kh_rotated rotated;
};

static void clean_up(struct state *state)
{
  kh_opened_cleanup(&state->opened);
  kh_keytable_free(&state->table);
  kh_keylist_free(&state->added);
  kh_secret_free(&state->text);
  kh_secret_free(&state->file);
  kh_keylist_free(&state->list);
}

static kh_status fail(const struct state *state, kh_status status)
{
  return kh_fault_set(state->opened.ret_fault, status, state->opened.options->path, 0);
}

static kh_status fail_for_key(const struct state *state, kh_status status, uint32_t id,
                              uint32_t version)
{
  kh_fault *ret_fault = state->opened.ret_fault;
  fail(state, status);
  if (ret_fault != NULL) {
    ret_fault->key_id = id;
    ret_fault->key_version = version;
  }
  return status;
}

/* the table of the file must have all of `old` */
static kh_status check_follows(const struct state *state, const kh_keytable *table,
                               const kh_keytable *old)
{
  kh_fault *ret_fault = state->opened.ret_fault;
  kh_status status =
      kh_keytable_check_follows(table, old, state->rotation->default_cipher, ret_fault);
  if (status != KH_OK && ret_fault != NULL)
    ret_fault->path = kh_show_path(state->opened.options->path);
  return status;
}

/* Half of a key of 256 bits is a key of 128 bits. Who asks for a rotation knows whether somebody is
 * writing the file; nobody asks for those that are due. */
static bool may_be_unfinished(const struct state *state)
{
  const kh_file_stamp *loaded = state->rotation->loaded;
  const kh_keyfile_info *info = &state->opened.info;
  return state->rotation->due_only && !info->ends_line &&
         !(loaded != NULL && kh_file_is_same(&info->stamp, loaded));
}

static kh_status open_file(struct state *state)
{
  kh_status status = kh_opened_open(&state->opened, KH_REPEATS_REFUSED);
  if (status != KH_OK)
    return status;
  if (may_be_unfinished(state))
    return fail(state, KH_E_FILE_UNFINISHED);
  status = kh_keytable_new(state->opened.list, &state->table);
  if (status != KH_OK)
    return fail(state, status);
  return check_follows(state, state->table, state->rotation->known);
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
  kh_key *key = kh_keylist_next(state->added);
  key->id = latest->id;
  key->version = latest->version + KH_ROTATION_STEP;
  key->len = latest->policy.bits == 0 ? latest->len : latest->policy.bits / 8u;
  key->policy = latest->policy;
  key->policy.created = state->rotation->now;
  kh_random_bytes(key->bytes, key->len);
  kh_keylist_commit(state->added);
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
    return fail_for_key(state, KH_E_VERSION_LIMIT, latest->id, latest->version);
  add_version(state, latest);
  return KH_OK;
}

/* Makes the new versions in memory. */
static kh_status make_versions(struct state *state)
{
  uint32_t id = state->rotation->id;
  bool found = id == 0;
  kh_status status = kh_keylist_new(kh_keytable_id_count(state->table), &state->added);
  if (status != KH_OK)
    return fail(state, status);
  for (size_t i = 0; i < kh_keytable_version_count(state->table) && status == KH_OK; i++) {
    const kh_key *key = kh_keytable_at(state->table, i);
    if (!kh_keytable_is_latest(state->table, i) || (id != 0 && key->id != id))
      continue;
    found = true;
    status = consider(state, key);
  }
  return found ? status : fail_for_key(state, KH_E_KEY_NOT_FOUND, id, 0);
}

static kh_bytes content_of(const struct state *state)
{
  return kh_secret_bytes(state->file != NULL ? state->file : state->text);
}

static kh_status make_content(struct state *state)
{
  kh_opened *opened = &state->opened;
  kh_status status =
      kh_keyfile_add_lines(kh_opened_text(opened), opened->list, state->added, &state->text);
  if (status != KH_OK)
    return fail(state, status);
  status =
      opened->format->make(opened->options, opened->crypt, kh_secret_bytes(state->text),
                           kh_secret_bytes(opened->passphrase), &state->file, opened->ret_fault);
  if (status != KH_OK || content_of(state).len <= KH_KEYFILE_MAX)
    return status;
  fail(state, KH_E_FILE_TOO_LARGE);
  if (opened->ret_fault != NULL) {
    opened->ret_fault->size = content_of(state).len;
    opened->ret_fault->limit = KH_KEYFILE_MAX;
  }
  return KH_E_FILE_TOO_LARGE;
}

/* Opens the new content as if it had been read from the file. */
static kh_status read_back(struct state *state)
{
  kh_opened *opened = &state->opened;
  KH_AUTO_SECRET decrypted = NULL;
  kh_bytes content = content_of(state);
  kh_status status =
      opened->format->open(opened->options, opened->crypt, content,
                           kh_secret_bytes(opened->passphrase), &decrypted, opened->ret_fault);
  if (status != KH_OK)
    return status;
  opened->info.locked = opened->info.locked && kh_secret_is_locked(decrypted);
  return kh_keyfile_parse_text(opened->options->path,
                               decrypted != NULL ? kh_secret_bytes(decrypted) : content,
                               KH_REPEATS_REFUSED, opened->log, &state->list, opened->ret_fault);
}

static kh_status check_added(const struct state *state, const kh_keytable *table,
                             const kh_key *added)
{
  uint32_t latest = 0;
  const kh_key *key = kh_keytable_find(table, added->id, added->version);
  if (key == NULL || kh_keytable_latest(table, added->id, &latest) != KH_OK ||
      latest != added->version)
    return fail_for_key(state, KH_E_KEY_LOST, added->id, added->version);
  if (!kh_key_is_same_secret(key, added) || !kh_attributes_are_same(&key->policy, &added->policy))
    return fail_for_key(state, KH_E_KEY_CHANGED, added->id, added->version);
  return KH_OK;
}

/* What was read back must have all keys of the old file, and the new ones as the latest. */
static kh_status check_content(const struct state *state)
{
  kh_keytable *table = NULL;
  kh_status status = kh_keytable_new(state->list, &table);
  if (status != KH_OK)
    return fail(state, status);
  status = check_follows(state, table, state->table);
  for (size_t i = 0; i < kh_keylist_count(state->added) && status == KH_OK; i++)
    status = check_added(state, table, kh_keylist_at(state->added, i));
  kh_keytable_free(&table);
  return status;
}

static kh_status write_file(struct state *state)
{
  kh_keyfile_info *info = &state->opened.info;
  kh_status status = make_content(state);
  if (status == KH_OK)
    status = read_back(state);
  if (status == KH_OK)
    status = check_content(state);
  if (status == KH_OK)
    status = kh_file_replace(state->opened.options->path, &info->stamp, content_of(state),
                             &info->stamp, state->opened.ret_fault);
  if (status != KH_OK)
    return status;
  info->ends_line = true;
  info->locked = info->locked && kh_keylist_is_locked(state->added) &&
                 kh_secret_is_locked(state->text) && kh_secret_is_locked(state->file) &&
                 kh_keylist_is_locked(state->list);
  return KH_OK;
}

/* Nothing to make: what was read stays. It may be in the system's memory alone, if whoever wrote it
 * ended before its folder was flushed, or flushes nothing. */
static kh_status keep_file(struct state *state)
{
  kh_opened *opened = &state->opened;
  state->list = opened->list;
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
  KH_AUTO_LOCKFILE lock = NULL;
  __attribute__((cleanup(clean_up))) struct state state = {
      .rotation = rotation,
      .opened = {.options = options, .crypt = crypt, .log = log, .ret_fault = ret_fault}};
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return fail(&state, status);
  status = kh_lockfile_take(options->path, KH_ROTATION_LOCK_WAIT, &lock, ret_fault);
  if (status == KH_OK)
    status = rotate(&state);
  if (status != KH_OK)
    return status;
  *ret_list = state.list;
  state.list = NULL;
  if (ret_info != NULL)
    *ret_info = state.opened.info;
  *ret_rotated = state.rotated;
  return KH_OK;
}
