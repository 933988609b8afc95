/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keylist.h"

#include <assert.h>
#include <stdlib.h>

#include "keyhold/random.h"
#include "keyhold/secret.h"

struct kh_keylist {
  kh_secret *memory; /* an array of kh_key */
  size_t count;
  size_t capacity;
  kh_retired *retired;
  size_t retired_count;
};

static kh_key *keys_of(const kh_keylist *list)
{
  return (kh_key *)(void *)kh_secret_data(list->memory);
}

kh_status kh_keylist_new(size_t capacity, kh_keylist **ret_list)
{
  if (capacity > SIZE_MAX / sizeof(kh_key))
    return KH_E_NO_MEMORY;
  kh_keylist *list = calloc(1, sizeof *list);
  if (list == NULL)
    return KH_E_NO_MEMORY;
  kh_status status = kh_secret_new(capacity * sizeof(kh_key), &list->memory);
  if (status != KH_OK) {
    free(list);
    return status;
  }
  list->capacity = capacity;
  *ret_list = list;
  return KH_OK;
}

void kh_keylist_free(kh_keylist **list)
{
  if (list == NULL || *list == NULL)
    return;
  kh_secret_free(&(*list)->memory);
  free((*list)->retired);
  free(*list);
  *list = NULL;
}

kh_key *kh_keylist_next(kh_keylist *list)
{
  if (list->count == list->capacity)
    return NULL;
  kh_key *key = &keys_of(list)[list->count];
  kh_wipe(key, sizeof *key);
  return key;
}

void kh_keylist_commit(kh_keylist *list)
{
  const kh_key *key = &keys_of(list)[list->count];
  assert(list->count < list->capacity);
  assert(key->id >= KH_KEY_ID_MIN);
  assert(key->version >= KH_KEY_VERSION_MIN && key->version <= KH_KEY_VERSION_MAX);
  assert(key->len == 16 || key->len == 24 || key->len == 32);
  (void)key;
  list->count++;
}

void kh_keylist_add_random(kh_keylist *list, uint32_t id, uint32_t version, uint32_t len,
                           const kh_policy *policy)
{
  kh_key *key = kh_keylist_next(list);
  assert(key != NULL);
  key->id = id;
  key->version = version;
  key->len = len;
  key->policy = *policy;
  kh_random_bytes(key->bytes, len);
  kh_keylist_commit(list);
}

/* the memory doubles whenever the number of entries is a power of two */
static bool make_room_for_retired(kh_keylist *list)
{
  size_t count = list->retired_count;
  if ((count & (count - 1)) != 0)
    return true;
  kh_retired *grown = reallocarray(list->retired, count == 0 ? 1 : 2 * count, sizeof *grown);
  if (grown == NULL)
    return false;
  list->retired = grown;
  return true;
}

kh_status kh_keylist_retire(kh_keylist *list, const kh_retired *retired)
{
  assert(retired->id >= KH_KEY_ID_MIN);
  assert(retired->version >= KH_KEY_VERSION_MIN && retired->version <= KH_KEY_VERSION_MAX);
  if (!make_room_for_retired(list))
    return KH_E_NO_MEMORY;
  list->retired[list->retired_count++] = *retired;
  return KH_OK;
}

size_t kh_keylist_retired_count(const kh_keylist *list)
{
  return list->retired_count;
}

const kh_retired *kh_keylist_retired_at(const kh_keylist *list, size_t index)
{
  assert(index < list->retired_count);
  return &list->retired[index];
}

size_t kh_keylist_count(const kh_keylist *list)
{
  return list->count;
}

bool kh_keylist_is_locked(const kh_keylist *list)
{
  return kh_secret_is_locked(list->memory);
}

const kh_key *kh_keylist_at(const kh_keylist *list, size_t index)
{
  assert(index < list->count);
  return &keys_of(list)[index];
}

static int compare_keys(const void *left, const void *right, void *list)
{
  uint32_t left_index = *(const uint32_t *)left;
  uint32_t right_index = *(const uint32_t *)right;
  const kh_key *a = kh_keylist_at(list, left_index);
  const kh_key *b = kh_keylist_at(list, right_index);
  if (a->id != b->id)
    return a->id < b->id ? -1 : 1;
  if (a->version != b->version)
    return a->version < b->version ? -1 : 1;
  return left_index < right_index ? -1 : left_index > right_index;
}

void kh_keylist_sort(const kh_keylist *list, uint32_t *ret_order)
{
  for (size_t i = 0; i < list->count; i++)
    ret_order[i] = (uint32_t)i;
  qsort_r(ret_order, list->count, sizeof *ret_order, compare_keys, (void *)list);
}

bool kh_key_is_same_version(const kh_key *a, const kh_key *b)
{
  return a->id == b->id && a->version == b->version;
}

bool kh_key_is_same_secret(const kh_key *a, const kh_key *b)
{
  return a->len == b->len && kh_is_same_secret(a->bytes, b->bytes, a->len);
}
