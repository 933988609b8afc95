/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keytable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/secret.h"

/* A key id and where its versions stand. id 0 marks a free slot: no key has it, and looking it up
 * ends there. */
struct slot {
  uint32_t id;
  uint32_t first;  /* index of its oldest version */
  uint32_t count;  /* of its versions */
  uint32_t latest; /* the version number of the newest */
};

struct version {
  uint32_t version;
  uint32_t len;
  uint8_t bytes[KH_KEY_MAX];
};

/* An open hash of the ids over one array of versions, sorted by id and version. */
struct kh_keytable {
  kh_secret *memory; /* holds versions, then slots */
  const struct slot *slots;
  const struct version *versions;
  size_t slot_mask; /* number of slots, a power of two, less 1 */
  size_t id_count;
  size_t version_count;
};

static size_t hash_id(uint32_t id)
{
  return (size_t)(id * 2654435761u) >>
         7; /* Knuth's multiplicative hash: ids are often consecutive */
}

/* Fills `order` with the indices of the keys that count, sorted by id and version. */
static size_t order_keys(const kh_keylist *list, uint32_t *order)
{
  size_t count = kh_keylist_count(list);
  size_t kept = 0;
  kh_keylist_sort(list, order);
  for (size_t i = 0; i < count; i++) {
    bool repeated = i + 1 < count && kh_key_is_same_version(kh_keylist_at(list, order[i]),
                                                            kh_keylist_at(list, order[i + 1]));
    if (!repeated)
      order[kept++] = order[i];
  }
  return kept;
}

static size_t count_ids(const kh_keylist *list, const uint32_t *order, size_t count)
{
  size_t ids = 0;
  for (size_t i = 0; i < count; i++)
    if (i == 0 || kh_keylist_at(list, order[i])->id != kh_keylist_at(list, order[i - 1])->id)
      ids++;
  return ids;
}

/* at least twice as many slots as ids, so that a miss ends at a free slot soon */
static size_t slots_for(size_t ids)
{
  size_t slots = 4;
  while (slots < 2 * ids)
    slots *= 2;
  return slots;
}

static struct slot *slot_of(struct slot *slots, size_t mask, uint32_t id)
{
  size_t at = hash_id(id) & mask;
  while (slots[at].id != 0 && slots[at].id != id)
    at = (at + 1) & mask;
  return &slots[at];
}

static void fill(const kh_keytable *table, const kh_keylist *list, const uint32_t *order,
                 struct version *versions, struct slot *slots)
{
  for (size_t i = 0; i < table->version_count; i++) {
    const kh_key *key = kh_keylist_at(list, order[i]);
    versions[i].version = key->version;
    versions[i].len = key->len;
    memcpy(versions[i].bytes, key->bytes, key->len);
    struct slot *slot = slot_of(slots, table->slot_mask, key->id);
    if (slot->id == 0)
      *slot = (struct slot){.id = key->id, .first = (uint32_t)i};
    slot->count++;
    slot->latest = key->version;
  }
}

static kh_status build(kh_keytable *table, const kh_keylist *list, uint32_t *order)
{
  table->version_count = order_keys(list, order);
  table->id_count = count_ids(list, order, table->version_count);
  size_t slots = slots_for(table->id_count);
  table->slot_mask = slots - 1;

  size_t versions_size = table->version_count * sizeof(struct version);
  size_t size = versions_size + slots * sizeof(struct slot);
  kh_status status = kh_secret_new(size, &table->memory);
  if (status != KH_OK)
    return status;
  kh_secret_set_len(table->memory, size);
  struct version *versions = (void *)kh_secret_data(table->memory);
  struct slot *slot_array = (void *)(kh_secret_data(table->memory) + versions_size);
  fill(table, list, order, versions, slot_array);
  table->versions = versions;
  table->slots = slot_array;
  kh_secret_freeze(table->memory);
  return KH_OK;
}

kh_status kh_keytable_new(const kh_keylist *list, kh_keytable **ret_table)
{
  assert(kh_keylist_count(list) <= UINT32_MAX);
  kh_keytable *table = calloc(1, sizeof *table);
  uint32_t *order = calloc(kh_keylist_count(list) + 1, sizeof *order);
  kh_status status = KH_E_NO_MEMORY;
  if (table != NULL && order != NULL)
    status = build(table, list, order);
  free(order);
  if (status != KH_OK) {
    free(table);
    return status;
  }
  *ret_table = table;
  return KH_OK;
}

void kh_keytable_free(kh_keytable **table)
{
  if (table == NULL || *table == NULL)
    return;
  kh_secret_free(&(*table)->memory);
  free(*table);
  *table = NULL;
}

static const struct slot *find_slot(const kh_keytable *table, uint32_t id)
{
  size_t at = hash_id(id) & table->slot_mask;
  while (table->slots[at].id != 0) {
    if (table->slots[at].id == id)
      return &table->slots[at];
    at = (at + 1) & table->slot_mask;
  }
  return NULL;
}

kh_status kh_keytable_latest(const kh_keytable *table, uint32_t id, uint32_t *ret_version)
{
  const struct slot *slot = find_slot(table, id);
  if (slot == NULL)
    return KH_E_KEY_NOT_FOUND;
  *ret_version = slot->latest;
  return KH_OK;
}

static const struct version *find_version(const kh_keytable *table, const struct slot *slot,
                                          uint32_t version)
{
  size_t low = slot->first;
  size_t high = low + slot->count;
  if (version == slot->latest) /* the one most asked for */
    return &table->versions[high - 1];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct version *candidate = &table->versions[middle];
    if (candidate->version == version)
      return candidate;
    if (candidate->version < version)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

kh_status kh_keytable_find(const kh_keytable *table, uint32_t id, uint32_t version,
                           kh_bytes *ret_key)
{
  const struct slot *slot = find_slot(table, id);
  const struct version *found = slot == NULL ? NULL : find_version(table, slot, version);
  if (found == NULL)
    return KH_E_KEY_NOT_FOUND;
  *ret_key = (kh_bytes){found->bytes, found->len};
  return KH_OK;
}

size_t kh_keytable_id_count(const kh_keytable *table)
{
  return table->id_count;
}

size_t kh_keytable_version_count(const kh_keytable *table)
{
  return table->version_count;
}

bool kh_keytable_is_locked(const kh_keytable *table)
{
  return kh_secret_is_locked(table->memory);
}
