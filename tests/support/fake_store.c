/* SPDX-License-Identifier: GPL-2.0-only */
#include "fake_store.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "unit.h"

static void lock(fake_store *fake)
{
  pthread_mutex_lock(&fake->mutex);
}

static void unlock(fake_store *fake)
{
  pthread_mutex_unlock(&fake->mutex);
}

static kh_status fail_if(kh_status status, kh_fault *ret_fault)
{
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, "fake:1", 0);
}

static kh_store_name fake_name(const void *self)
{
  (void)self;
  return (kh_store_name){.noun = "the fake store", .place = "fake:1"};
}

static void append_fake_key(kh_keylist *list, const fake_key *from)
{
  kh_key *key = kh_keylist_next(list);
  key->id = from->id;
  key->version = from->version;
  key->len = 16;
  key->policy = (kh_policy){
      .created = from->created, .rotate = from->rotate, .cipher = (uint8_t)from->cipher};
  memset(key->bytes, from->tag, key->len);
  kh_keylist_commit(list);
}

static kh_store_content content_of(const fake_store *fake)
{
  kh_store_content content = {
      .mark = {{fake->mark}}, .format = "fake", .is_locked = true, .doubt = fake->doubt};
  kh_keylist *list = NULL;
  assert_int_equal(kh_keylist_new(FAKE_KEYS_MAX, &list), KH_OK);
  for (size_t i = 0; i < FAKE_KEYS_MAX && fake->keys[i].id != 0; i++)
    append_fake_key(list, &fake->keys[i]);
  kh_store_content_own(&content, list);
  return content;
}

static void hang_if_told(fake_store *fake)
{
  while (fake->hangs) {
    fake->is_inside = true;
    pthread_cond_broadcast(&fake->turned);
    pthread_cond_wait(&fake->turned, &fake->mutex);
  }
  fake->is_inside = false;
}

static kh_status fake_load(void *self, kh_store_reason reason, kh_store_content *ret_content,
                           kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  fake->loads++;
  fake->automatic_loads += reason != KH_STORE_REQUESTED;
  hang_if_told(fake);
  kh_status status = fail_if(fake->load_fails, ret_fault);
  if (status == KH_OK)
    *ret_content = content_of(fake);
  unlock(fake);
  return status;
}

static const fake_key *find_latest(const fake_store *fake, uint32_t id)
{
  const fake_key *latest = NULL;
  for (size_t i = 0; i < FAKE_KEYS_MAX && fake->keys[i].id != 0; i++)
    if (fake->keys[i].id == id && (latest == NULL || fake->keys[i].version > latest->version))
      latest = &fake->keys[i];
  return latest;
}

static void append_version(fake_store *fake, const kh_store_rotation *rotation, uint32_t id)
{
  fake_key key = *find_latest(fake, id);
  size_t count = 0;
  while (fake->keys[count].id != 0)
    count++;
  key.version += 2;
  key.tag = (uint8_t)(key.tag + 1);
  key.created = rotation->now;
  fake->keys[count] = key;
  fake->mark++;
}

static size_t rotate_known(fake_store *fake, const kh_store_rotation *rotation, size_t *ret_refused)
{
  size_t made = 0;
  *ret_refused = 0;
  for (size_t i = 0; i < kh_keytable_version_count(rotation->known); i++) {
    const kh_key *key = kh_keytable_at(rotation->known, i);
    bool is_due = !rotation->due_only || kh_policy_due(&key->policy) <= rotation->now;
    if (!kh_keytable_is_latest(rotation->known, i) || !is_due ||
        (rotation->id != 0 && rotation->id != key->id))
      continue;
    if (rotation->floor.of(rotation->floor.user, key->id) > find_latest(fake, key->id)->version) {
      ++*ret_refused;
      continue;
    }
    if (!fake->forgets_new_versions)
      append_version(fake, rotation, key->id);
    made++;
  }
  return made;
}

static kh_status fake_make_versions(void *self, const kh_store_rotation *rotation,
                                    kh_store_content *ret_content, kh_store_rotated *ret_rotated,
                                    kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  fake->rotations++;
  hang_if_told(fake);
  kh_status status = fail_if(fake->make_fails, ret_fault);
  if (status == KH_OK) {
    size_t refused;
    size_t made = rotate_known(fake, rotation, &refused);
    if (made == 0 && refused > 0)
      status = fail_if(KH_E_VERSION_NEEDED, ret_fault);
    else {
      *ret_rotated = (kh_store_rotated){.made = made, .passed_over = refused};
      *ret_content = content_of(fake);
    }
  }
  unlock(fake);
  return status;
}

static bool has_version(const fake_store *fake, const kh_key *key)
{
  for (size_t i = 0; i < FAKE_KEYS_MAX && fake->keys[i].id != 0; i++)
    if (fake->keys[i].id == key->id && fake->keys[i].version == key->version)
      return true;
  return false;
}

static size_t append_missing(fake_store *fake, const kh_keytable *known)
{
  size_t added = 0;
  size_t count = 0;
  while (fake->keys[count].id != 0)
    count++;
  for (size_t i = 0; i < kh_keytable_version_count(known); i++) {
    const kh_key *key = kh_keytable_at(known, i);
    if (has_version(fake, key))
      continue;
    fake->keys[count++] = (fake_key){.id = key->id,
                                     .version = key->version,
                                     .tag = key->bytes[0],
                                     .created = key->policy.created};
    added++;
  }
  fake->mark += added > 0;
  return added;
}

static kh_status fake_save(void *self, const kh_store_saving *saving, kh_store_content *ret_content,
                           kh_store_saved *ret_saved, kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  kh_status status = fail_if(fake->save_fails, ret_fault);
  if (status == KH_OK) {
    *ret_saved = (kh_store_saved){.written = append_missing(fake, saving->known)};
    *ret_content = content_of(fake);
  }
  unlock(fake);
  return status;
}

static kh_status fake_settle(void *self, const kh_store_mark *mark, kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  fake->settlings++;
  kh_status status = fake->settle_fails;
  if (fake->changes_in_settle > 0) {
    fake->changes_in_settle--;
    fake->mark++;
  }
  if (mark->words[0] != fake->mark)
    status = KH_E_FILE_CHANGED;
  unlock(fake);
  return fail_if(status, ret_fault);
}

static kh_status fake_mark(void *self, kh_store_mark *ret_mark, kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  kh_status status = fail_if(fake->mark_fails, ret_fault);
  if (status == KH_OK)
    *ret_mark = (kh_store_mark){{fake->mark}};
  unlock(fake);
  return status;
}

static kh_status fake_watch_begin(void *self, kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  kh_status status = fail_if(fake->watch_fails, ret_fault);
  if (status == KH_OK)
    fake->events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  unlock(fake);
  return status;
}

static int fake_watch_descriptor(const void *self)
{
  fake_store *fake = (fake_store *)self;
  lock(fake);
  int events = fake->events;
  unlock(fake);
  return events;
}

static void fake_watch_drain(void *self)
{
  uint64_t count;
  int events = fake_watch_descriptor(self);
  if (events >= 0)
    (void)!read(events, &count, sizeof count);
}

static void fake_watch_end(void *self)
{
  fake_store *fake = self;
  lock(fake);
  if (fake->events >= 0)
    close(fake->events);
  fake->events = -1;
  unlock(fake);
}

static const fake_key *find_hidden(const fake_store *fake, uint32_t id, uint32_t version)
{
  for (size_t i = 0; i < COUNT(fake->hidden); i++)
    if (fake->hidden[i].id == id && (version == 0 || fake->hidden[i].version == version))
      return &fake->hidden[i];
  return NULL;
}

static kh_status answer_lookup(fake_store *fake, uint32_t id, uint32_t version,
                               kh_keylist **ret_list)
{
  static const fake_key old = {.id = 1, .version = 1, .tag = 0xee};
  const fake_key *found = fake->answers_with_old ? &old : find_hidden(fake, id, version);
  if (fake->lookup_fails != KH_OK)
    return fake->lookup_fails;
  if (id == fake->bad_id)
    return KH_E_SOCKET;
  if (found == NULL && !fake->finds_nothing)
    return KH_E_KEY_NOT_FOUND;
  assert_int_equal(kh_keylist_new(1, ret_list), KH_OK);
  if (found != NULL)
    append_fake_key(*ret_list, found);
  return KH_OK;
}

static kh_status fake_lookup(void *self, uint32_t id, uint32_t version, kh_keylist **ret_list,
                             kh_fault *ret_fault)
{
  fake_store *fake = self;
  lock(fake);
  fake->lookups++;
  kh_status status = answer_lookup(fake, id, version, ret_list);
  unlock(fake);
  return fail_if(status, ret_fault);
}

static void fake_free(void *self)
{
  fake_store *fake = self;
  fake_watch_end(fake);
  fake->is_freed = true;
}

const kh_store_ops fake_store_ops = {
    .name = fake_name,
    .load = fake_load,
    .make_versions = fake_make_versions,
    .settle = fake_settle,
    .save = fake_save,
    .mark = fake_mark,
    .watch_begin = fake_watch_begin,
    .watch_descriptor = fake_watch_descriptor,
    .watch_drain = fake_watch_drain,
    .watch_end = fake_watch_end,
    .lookup = fake_lookup,
    .free = fake_free,
};

const kh_store_ops fake_store_ops_bare = {
    .name = fake_name, .load = fake_load, .mark = fake_mark, .free = fake_free};

kh_store fake_store_start(fake_store *fake, const kh_store_ops *ops, const fake_key *keys,
                          size_t count)
{
  memset(fake, 0, sizeof *fake);
  pthread_mutex_init(&fake->mutex, NULL);
  pthread_cond_init(&fake->turned, NULL);
  fake->events = -1;
  fake_store_set(fake, keys, count);
  return (kh_store){ops, fake};
}

void fake_store_set(fake_store *fake, const fake_key *keys, size_t count)
{
  uint64_t one = 1;
  lock(fake);
  memset(fake->keys, 0, sizeof fake->keys);
  memcpy(fake->keys, keys, count * sizeof *keys);
  fake->mark++;
  if (fake->events >= 0)
    (void)!write(fake->events, &one, sizeof one);
  unlock(fake);
}

void fake_store_await_hanging(fake_store *fake)
{
  lock(fake);
  while (!fake->is_inside)
    pthread_cond_wait(&fake->turned, &fake->mutex);
  unlock(fake);
}

void fake_store_release(fake_store *fake)
{
  lock(fake);
  fake->hangs = false;
  pthread_cond_broadcast(&fake->turned);
  unlock(fake);
}
