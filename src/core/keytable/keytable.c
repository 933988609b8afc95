/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keytable.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/random.h"
#include "keyhold/secret.h"
#include "keyhold/time.h"

/* A key id and the index of its versions. id 0 marks a free slot: no key has it, and a look-up ends
 * there. */
struct slot {
  uint32_t id;
  uint32_t first;  /* index of its oldest version */
  uint32_t count;  /* of its versions */
  uint32_t latest; /* the version number of the newest */
};

/* An open hash of the ids over one array of versions, sorted by id and version. */
struct kh_keytable {
  kh_secret *memory; /* holds versions, then slots */
  const struct slot *slots;
  const kh_key *versions;
  uint64_t multiplier; /* of the hash */
  size_t slot_mask;    /* number of slots, a power of two, less 1 */
  size_t id_count;
  size_t version_count;
  kh_retired *retired; /* sorted by id and version */
  size_t retired_count;
  bool has_ciphers;
};

/* Multiply-shift with a random odd number for each table: an attacker who can write the key file
 * cannot choose ids that all have one place, and consecutive ids spread well. */
static size_t hash_id(uint64_t multiplier, uint32_t id)
{
  return (size_t)((id * multiplier) >> 32);
}

/* Fills `order` with the indices of the keys to use, sorted by id and version. */
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

static struct slot *slot_for(struct slot *slots, size_t mask, uint64_t multiplier, uint32_t id)
{
  size_t at = hash_id(multiplier, id) & mask;
  while (slots[at].id != 0 && slots[at].id != id)
    at = (at + 1) & mask;
  return &slots[at];
}

static void fill_table(kh_keytable *table, const kh_keylist *list, const uint32_t *order,
                       kh_key *versions, struct slot *slots)
{
  for (size_t i = 0; i < table->version_count; i++) {
    const kh_key *key = kh_keylist_at(list, order[i]);
    versions[i] = *key;
    struct slot *slot = slot_for(slots, table->slot_mask, table->multiplier, key->id);
    if (slot->id == 0)
      *slot = (struct slot){.id = key->id, .first = (uint32_t)i};
    slot->count++;
    slot->latest = key->version;
    table->has_ciphers = table->has_ciphers || key->policy.cipher != KH_CIPHER_UNSET;
  }
}

static int compare_retired(const void *left, const void *right)
{
  const kh_retired *a = left;
  const kh_retired *b = right;
  if (a->id != b->id)
    return a->id < b->id ? -1 : 1;
  return a->version < b->version ? -1 : a->version > b->version;
}

static bool take_retired(kh_keytable *table, const kh_keylist *list)
{
  size_t count = kh_keylist_retired_count(list);
  size_t kept = 0;
  table->retired = calloc(count + 1, sizeof *table->retired);
  if (table->retired == NULL)
    return false;
  for (size_t i = 0; i < count; i++)
    table->retired[i] = *kh_keylist_retired_at(list, i);
  qsort(table->retired, count, sizeof *table->retired, compare_retired);
  for (size_t i = 0; i < count; i++)
    if (kept == 0 || compare_retired(&table->retired[kept - 1], &table->retired[i]) != 0)
      table->retired[kept++] = table->retired[i];
  table->retired_count = kept;
  return true;
}

static kh_status build_table(kh_keytable *table, const kh_keylist *list, uint32_t *order)
{
  table->version_count = order_keys(list, order);
  table->id_count = count_ids(list, order, table->version_count);
  kh_status status = kh_random_start();
  if (status != KH_OK)
    return status;
  kh_random_bytes((uint8_t *)&table->multiplier, sizeof table->multiplier);
  table->multiplier |= 1;
  size_t slots = slots_for(table->id_count);
  table->slot_mask = slots - 1;

  size_t versions_size = table->version_count * sizeof(kh_key);
  size_t size = versions_size + slots * sizeof(struct slot);
  status = kh_secret_new(size, &table->memory);
  if (status != KH_OK)
    return status;
  kh_secret_set_len(table->memory, size);
  kh_key *versions = (void *)kh_secret_data(table->memory);
  struct slot *slot_array = (void *)(kh_secret_data(table->memory) + versions_size);
  fill_table(table, list, order, versions, slot_array);
  table->versions = versions;
  table->slots = slot_array;
  kh_secret_freeze(table->memory);
  return KH_OK;
}

kh_status kh_keytable_new(const kh_keylist *list, kh_keytable **ret_table)
{
  assert(kh_keylist_count(list) <= UINT32_MAX);
  KH_AUTO_KEYTABLE table = calloc(1, sizeof *table);
  uint32_t *order = calloc(kh_keylist_count(list) + 1, sizeof *order);
  kh_status status = KH_E_NO_MEMORY;
  if (table != NULL && order != NULL && take_retired(table, list))
    status = build_table(table, list, order);
  free(order);
  if (status != KH_OK)
    return status;
  *ret_table = table;
  table = NULL;
  return KH_OK;
}

static void append_key_of_line(const kh_key *key, uint32_t line, kh_keylist *list)
{
  kh_key *place = kh_keylist_next(list);
  *place = *key;
  place->line = line;
  kh_keylist_commit(list);
}

static bool has_later(const kh_keytable *table, const kh_retired *retired)
{
  uint32_t latest;
  return kh_keytable_latest(table, retired->id, &latest) == KH_OK && latest > retired->version;
}

/* Copies the retired versions, with their keys from `known`. A version above all others of its id
 * is still in use, so its key is missing in the list. */
static kh_status copy_retired(const kh_keylist *list, const kh_keytable *table,
                              const kh_keytable *known, kh_keylist *all)
{
  kh_status status = KH_OK;
  for (size_t i = 0; i < kh_keylist_retired_count(list) && status == KH_OK; i++) {
    const kh_retired *retired = kh_keylist_retired_at(list, i);
    const kh_key *key = kh_keytable_find(known, retired->id, retired->version);
    if (key != NULL && has_later(table, retired))
      append_key_of_line(key, retired->line, all);
    status = kh_keylist_retire(all, retired);
  }
  return status;
}

kh_status kh_keytable_new_after(const kh_keylist *list, const kh_keytable *known,
                                kh_keytable **ret_table)
{
  KH_AUTO_KEYLIST all = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  size_t retired = kh_keylist_retired_count(list);
  if (known == NULL || retired == 0)
    return kh_keytable_new(list, ret_table);
  kh_status status = kh_keytable_new(list, &table);
  if (status == KH_OK)
    status = kh_keylist_new(kh_keylist_count(list) + retired, &all);
  if (status == KH_OK)
    status = copy_retired(list, table, known, all);
  if (status != KH_OK)
    return status;
  for (size_t i = 0; i < kh_keylist_count(list); i++) /* last: the last one of a version is used */
    append_key_of_line(kh_keylist_at(list, i), kh_keylist_at(list, i)->line, all);
  return kh_keytable_new(all, ret_table);
}

void kh_keytable_free(kh_keytable **table)
{
  if (table == NULL || *table == NULL)
    return;
  kh_secret_free(&(*table)->memory);
  free((*table)->retired);
  free(*table);
  *table = NULL;
}

static const struct slot *find_slot(const kh_keytable *table, uint32_t id)
{
  size_t at = hash_id(table->multiplier, id) & table->slot_mask;
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

static const kh_key *find_version(const kh_keytable *table, const struct slot *slot,
                                  uint32_t version)
{
  size_t low = slot->first;
  size_t high = low + slot->count;
  if (table->versions == NULL) /* an id has versions: tells the analyzer, and costs nothing */
    __builtin_unreachable();
  if (version == slot->latest) /* the one most asked for */
    return &table->versions[high - 1];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const kh_key *candidate = &table->versions[middle];
    if (candidate->version == version)
      return candidate;
    if (candidate->version < version)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const kh_key *kh_keytable_find(const kh_keytable *table, uint32_t id, uint32_t version)
{
  const struct slot *slot = find_slot(table, id);
  return slot == NULL ? NULL : find_version(table, slot, version);
}

const kh_key *kh_keytable_at(const kh_keytable *table, size_t index)
{
  assert(index < table->version_count);
  return &table->versions[index];
}

bool kh_keytable_is_latest(const kh_keytable *table, size_t index)
{
  return index + 1 == table->version_count ||
         kh_keytable_at(table, index)->id != kh_keytable_at(table, index + 1)->id;
}

uint64_t kh_keytable_first_due(const kh_keytable *table, uint32_t *ret_interval)
{
  uint64_t first = KH_POLICY_NEVER;
  for (size_t i = 0; i < table->version_count; i++) {
    const kh_policy *policy = &table->versions[i].policy;
    uint64_t due = kh_policy_due(policy);
    if (!kh_keytable_is_latest(table, i) || due >= first)
      continue;
    first = due;
    if (ret_interval != NULL)
      *ret_interval = policy->rotate;
  }
  return first;
}

size_t kh_keytable_count_due(const kh_keytable *table, uint64_t now)
{
  size_t due = 0;
  for (size_t i = 0; i < table->version_count; i++)
    due += kh_keytable_is_latest(table, i) && kh_policy_due(&table->versions[i].policy) <= now;
  return due;
}

uint32_t kh_keytable_oldest_latest(const kh_keytable *table)
{
  uint32_t oldest = 0;
  for (size_t i = 0; i < table->version_count; i++) {
    uint32_t created = table->versions[i].policy.created;
    if (kh_keytable_is_latest(table, i) && created != 0 && (oldest == 0 || created < oldest))
      oldest = created;
  }
  return oldest;
}

/* returns how many retired versions are of this key id or a lower one */
static size_t retired_up_to(const kh_keytable *table, uint32_t id)
{
  size_t low = 0;
  size_t high = table->retired_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (table->retired[middle].id <= id)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

uint32_t kh_keytable_highest(const kh_keytable *table, uint32_t id)
{
  uint32_t highest = 0;
  if (kh_keytable_latest(table, id, &highest) != KH_OK)
    return 0;
  size_t count = retired_up_to(table, id);
  const kh_retired *last = count == 0 ? NULL : &table->retired[count - 1];
  return last != NULL && last->id == id && last->version > highest ? last->version : highest;
}

uint32_t kh_keytable_lacks(const kh_keytable *table, const kh_version_floor *floor, uint32_t id)
{
  uint32_t version = floor->of == NULL ? 0 : floor->of(floor->user, id);
  return version > kh_keytable_highest(table, id) ? version : 0;
}

static void foresee(kh_faults *faults, kh_status status, const kh_key *key, uint64_t size)
{
  kh_fault fault;
  kh_fault_set(&fault, status, NULL, 0);
  fault.key_id = key->id;
  fault.key_version = key->version;
  fault.size = size;
  fault.limit = KH_KEY_VERSION_MAX;
  fault.line = key->line;
  snprintf(fault.quote, sizeof fault.quote, "%s", kh_time_show(key->policy.created).text);
  kh_faults_add(faults, &fault);
}

/* Version 1 is before the first version that a file has. */
static void foresee_for(const kh_keytable *table, size_t index, uint32_t now, kh_faults *faults)
{
  const kh_key *key = &table->versions[index];
  bool is_first = index == 0 || key[-1].id != key->id;
  uint32_t before = is_first ? KH_KEY_VERSION_MIN : key[-1].version;
  if (key->version > KH_KEY_VERSION_MAX - KH_VERSION_JUMP)
    foresee(faults, KH_E_VERSION_ENDS, key, 0);
  else if (key->version - before > KH_VERSION_JUMP)
    foresee(faults, KH_E_VERSION_JUMP, key, before);
  if (key->policy.rotate != 0 && key->policy.created > now &&
      key->policy.created - now > KH_CLOCKS_APART_MAX)
    foresee(faults, KH_E_CREATED_LATER, key, 0);
}

void kh_keytable_foresee(const kh_keytable *table, uint32_t now, kh_faults *faults)
{
  for (size_t i = 0; i < table->version_count; i++)
    if (kh_keytable_is_latest(table, i))
      foresee_for(table, i, now, faults);
}

bool kh_keytable_has_ciphers(const kh_keytable *table)
{
  return table->has_ciphers;
}

bool kh_keytable_is_retired(const kh_keytable *table, uint32_t id, uint32_t version)
{
  kh_retired wanted = {.id = id, .version = version};
  return bsearch(&wanted, table->retired, table->retired_count, sizeof wanted, compare_retired) !=
         NULL;
}

size_t kh_keytable_retired_count(const kh_keytable *table)
{
  return table->retired_count;
}

const kh_retired *kh_keytable_retired_at(const kh_keytable *table, size_t index)
{
  return &table->retired[index];
}

static bool is_retired_for_later(const kh_keytable *table, const kh_key *key)
{
  uint32_t latest;
  return kh_keytable_is_retired(table, key->id, key->version) &&
         kh_keytable_latest(table, key->id, &latest) == KH_OK && latest > key->version;
}

static uint8_t cipher_of(const kh_key *key, kh_cipher default_cipher)
{
  return key->policy.cipher == KH_CIPHER_UNSET ? (uint8_t)default_cipher : key->policy.cipher;
}

/* what a copy of the redo log shows */
static const char *shown_by(kh_cipher cipher)
{
  if (cipher == KH_CIPHER_UNSET)
    return "rows, or with aes_cbc parts of rows,";
  bool is_cbc = cipher == KH_CIPHER_AES_CBC || cipher == KH_CIPHER_AES256_CBC;
  return is_cbc ? "parts of rows" : "rows";
}

/* Returns the last version of key id 1 with which a redo log shows text, or NULL. Key id 1 has the
 * first versions of the table. */
static const kh_key *find_weak_for_redo_log(const kh_keytable *table, kh_cipher default_cipher)
{
  const kh_key *found = NULL;
  const kh_key *end = table->versions + table->version_count;
  for (const kh_key *key = table->versions; key < end && key->id == KH_KEY_ID_SYSTEM; key++)
    if (cipher_of(key, default_cipher) != KH_CIPHER_AES256_XTS && !is_retired_for_later(table, key))
      found = key;
  return found;
}

static void advise_on_redo_log(kh_cipher cipher, bool is_latest, char *ret_advice, size_t room)
{
  const char *shown = shown_by(cipher);
  if (is_latest)
    snprintf(ret_advice, room,
             "the server repeats IVs in the redo log, temporary tables and Aria tables, so a copy "
             "of them shows %s without the key; 'keyhold rotate --id=%u --cipher=aes256-xts FILE', "
             "a reload and a new redo log prevent that, see keyhold-operations(7)",
             shown, KH_KEY_ID_SYSTEM);
  else
    snprintf(ret_advice, room,
             "the redo log and Aria tables may use this version until they are rebuilt, and a copy "
             "of such files shows %s without the key; rebuild them, see keyhold-operations(7), and "
             "retire this version when no data needs it",
             shown);
}

kh_status kh_keytable_check_redo_log(const kh_keytable *table, kh_cipher default_cipher,
                                     kh_fault *ret_fault)
{
  const kh_key *key = find_weak_for_redo_log(table, default_cipher);
  if (key == NULL)
    return KH_OK;
  kh_cipher cipher = (kh_cipher)cipher_of(key, default_cipher);
  kh_fault_set(ret_fault, KH_E_CIPHER_REDO_LOG, NULL, 0);
  if (ret_fault != NULL) {
    ret_fault->key_id = key->id;
    ret_fault->key_version = key->version;
    snprintf(ret_fault->name, sizeof ret_fault->name, "%s",
             cipher == KH_CIPHER_UNSET ? "default" : kh_cipher_name(cipher));
    advise_on_redo_log(cipher, kh_keytable_is_latest(table, (size_t)(key - table->versions)),
                       ret_fault->advice, sizeof ret_fault->advice);
  }
  return KH_E_CIPHER_REDO_LOG;
}

/* returns why `key` must not replace `old`; `key` NULL: it is missing */
static kh_status judge_successor(const kh_key *key, const kh_key *old, kh_cipher default_cipher)
{
  if (key == NULL)
    return KH_E_KEY_LOST;
  if (!kh_key_is_same_secret(key, old))
    return KH_E_KEY_CHANGED;
  return cipher_of(key, default_cipher) == cipher_of(old, default_cipher) ? KH_OK
                                                                          : KH_E_CIPHER_CHANGED;
}

static kh_status fail_for_successor(kh_status status, const kh_key *key, const kh_key *old,
                                    kh_fault *ret_fault)
{
  kh_fault_set(ret_fault, status, NULL, 0);
  if (ret_fault != NULL) {
    ret_fault->key_id = old->id;
    ret_fault->key_version = old->version;
    ret_fault->line = key == NULL ? 0 : key->line;
  }
  return status;
}

/* `may_lack`: versions that the table lacks are fine */
static kh_status check_successors(const kh_keytable *table, const kh_keytable *old,
                                  kh_cipher default_cipher, bool may_lack, kh_fault *ret_fault)
{
  for (size_t i = 0; i < old->version_count; i++) {
    const kh_key *was = &old->versions[i];
    const kh_key *key = kh_keytable_find(table, was->id, was->version);
    if (key == NULL && (may_lack || is_retired_for_later(table, was)))
      continue;
    kh_status status = judge_successor(key, was, default_cipher);
    if (status != KH_OK)
      return fail_for_successor(status, key, was, ret_fault);
  }
  return KH_OK;
}

kh_status kh_keytable_check_follows(const kh_keytable *table, const kh_keytable *old,
                                    kh_cipher default_cipher, kh_fault *ret_fault)
{
  return check_successors(table, old, default_cipher, false, ret_fault);
}

size_t kh_keytable_count_lost(const kh_keytable *table, const kh_keytable *old,
                              kh_cipher default_cipher)
{
  size_t lost = 0;
  for (size_t i = 0; i < old->version_count; i++) {
    const kh_key *was = &old->versions[i];
    const kh_key *key = kh_keytable_find(table, was->id, was->version);
    bool is_retired = key == NULL && is_retired_for_later(table, was);
    lost += !is_retired && judge_successor(key, was, default_cipher) != KH_OK;
  }
  return lost;
}

kh_status kh_keytable_check_agrees(const kh_keytable *table, const kh_keytable *other,
                                   kh_cipher default_cipher, kh_fault *ret_fault)
{
  return check_successors(table, other, default_cipher, true, ret_fault);
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
