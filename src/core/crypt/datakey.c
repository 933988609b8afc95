/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/datakey.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine_xts.h"
#include "hkdf.h"
#include "keyhold/limits.h"
#include "keyhold/secret.h"

_Static_assert((int)KH_DATAKEY_MAX == (int)KH_XTS_KEYS, "the longest data key has all keys of XTS");

enum {
  WAYS = 4, /* entries in which one identity can be */
  SETS = KH_DATAKEYS_MAX / WAYS,
  WORD = sizeof(uint64_t),
  KEY_WORDS = KH_DATAKEY_MAX / WORD,
  PASSED_WORDS = KH_KEY_MAX / WORD,
  LABEL = 24, /* bytes of the info before the key id */
};

/*
 * A key and its identity. `writes` is incremented when a thread begins to write and again when it
 * ends: a reader that finds the same even number before and after has read a consistent entry. For
 * that, words are stored with release and loaded with acquire, so that none is seen before the odd
 * number, nor the last number before any of them. All zero: empty.
 */
struct entry {
  _Alignas(32) _Atomic uint64_t writes;
  _Atomic uint64_t version; /* key id in the upper half, key version in the lower */
  _Atomic uint64_t sort;    /* the kind, and the length of the passed key */
  _Atomic uint64_t passed[PASSED_WORDS];
  _Atomic uint64_t key[KEY_WORDS];
};

struct kh_datakeys {
  kh_hkdf *hkdf;
  _Atomic(kh_secret *) memory;     /* for KH_DATAKEYS_MAX entries; NULL before the first key */
  _Atomic(struct entry *) entries; /* in it */
};

struct identity {
  uint64_t version; /* as in an entry */
  uint64_t sort;    /* the same */
  kh_bytes passed;
  size_t words; /* of the data key */
};

static const struct {
  char label[LABEL + 1];
  size_t size;
} kinds[KH_DATAKEY_KINDS] = {
    [KH_DATAKEY_AES256] = {"Keyhold AES-256 data key", 32},
    [KH_DATAKEY_XTS] = {"Keyhold AES-256-XTS keys", KH_XTS_KEYS},
    [KH_DATAKEY_GCM] = {"Keyhold AES-256-GCM keys", 32},
};

size_t kh_datakey_size(kh_datakey_kind kind)
{
  return kinds[kind].size;
}

kh_status kh_datakeys_new(kh_datakeys **ret_keys)
{
  kh_datakeys *keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return KH_E_NO_MEMORY;
  kh_status status = kh_hkdf_new(&keys->hkdf);
  if (status != KH_OK) {
    free(keys);
    return status;
  }
  *ret_keys = keys;
  return KH_OK;
}

void kh_datakeys_free(kh_datakeys **keys)
{
  if (keys == NULL || *keys == NULL)
    return;
  kh_secret *memory = atomic_load(&(*keys)->memory);
  kh_secret_free(&memory);
  kh_hkdf_free(&(*keys)->hkdf);
  free(*keys);
  *keys = NULL;
}

/* so that the bytes are copied only to registers */
static uint64_t word_at(const uint8_t *bytes, size_t i)
{
  uint64_t word;
  memcpy(&word, bytes + i * WORD, WORD);
  return word;
}

static uint64_t load_word(const _Atomic uint64_t *word)
{
  return atomic_load_explicit(word, memory_order_acquire);
}

static void store_word(_Atomic uint64_t *word, uint64_t value)
{
  atomic_store_explicit(word, value, memory_order_release);
}

/* returns the entries that can hold an identity */
static struct entry *set_of(struct entry *entries, const struct identity *identity)
{
  const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 by the golden ratio: spreads bits up */
  uint64_t hash = (identity->version ^ identity->sort) * odd;
  for (size_t i = 0; i < identity->passed.len / WORD; i++)
    hash = (hash ^ (hash >> 32) ^ word_at(identity->passed.data, i)) * odd;
  return &entries[(hash >> 32) % SETS * WAYS];
}

static bool is_of(const struct entry *entry, const struct identity *identity)
{
  if (load_word(&entry->version) != identity->version || load_word(&entry->sort) != identity->sort)
    return false;
  for (size_t i = 0; i < identity->passed.len / WORD; i++)
    if (load_word(&entry->passed[i]) != word_at(identity->passed.data, i))
      return false;
  return true;
}

/* returns false when the entry has another identity, or was written meanwhile */
static bool read_entry(const struct entry *entry, const struct identity *identity, uint8_t *ret_key)
{
  uint64_t writes = load_word(&entry->writes);
  if (writes % 2 != 0 || !is_of(entry, identity))
    return false;
  for (size_t i = 0; i < identity->words; i++) {
    uint64_t word = load_word(&entry->key[i]);
    memcpy(ret_key + i * WORD, &word, WORD);
  }
  return load_word(&entry->writes) == writes;
}

static struct identity identity_of(const kh_datakey *wanted)
{
  return (struct identity){(uint64_t)wanted->id << 32 | wanted->version,
                           (uint64_t)wanted->kind << 32 | wanted->passed.len, wanted->passed,
                           kinds[wanted->kind].size / WORD};
}

bool kh_datakeys_find(kh_datakeys *keys, const kh_datakey *wanted, uint8_t *ret_key)
{
  struct entry *entries = atomic_load_explicit(&keys->entries, memory_order_acquire);
  if (entries == NULL)
    return false;
  struct identity identity = identity_of(wanted);
  const struct entry *set = set_of(entries, &identity);
  for (size_t i = 0; i < WAYS; i++)
    if (read_entry(&set[i], &identity, ret_key))
      return true;
  return false;
}

/* Returns NULL when there is no memory, or another thread is making it. */
static struct entry *make_entries(kh_datakeys *keys)
{
  kh_secret *memory;
  kh_secret *none = NULL;
  if (kh_secret_new(KH_DATAKEYS_MAX * sizeof(struct entry), &memory) != KH_OK)
    return NULL;
  if (!atomic_compare_exchange_strong(&keys->memory, &none, memory)) {
    kh_secret_free(&memory);
    return atomic_load(&keys->entries);
  }
  struct entry *entries = (struct entry *)(void *)kh_secret_data(memory);
  atomic_store(&keys->entries, entries);
  return entries;
}

/*
 * Returns the entry of a set to replace: the one that was written least often, so empty ones first
 * and then each in turn. NULL: the identity already has one, or another thread is writing.
 */
static struct entry *choose_entry(struct entry *set, const struct identity *identity,
                                  uint64_t *ret_writes)
{
  struct entry *chosen = NULL;
  for (size_t i = 0; i < WAYS; i++) {
    uint64_t writes = load_word(&set[i].writes);
    if (writes % 2 != 0 || is_of(&set[i], identity))
      return NULL;
    if (chosen == NULL || writes < *ret_writes) {
      chosen = &set[i];
      *ret_writes = writes;
    }
  }
  return chosen;
}

static void write_entry(struct entry *entry, const struct identity *identity, const uint8_t *key)
{
  store_word(&entry->version, identity->version);
  store_word(&entry->sort, identity->sort);
  for (size_t i = 0; i < identity->passed.len / WORD; i++)
    store_word(&entry->passed[i], word_at(identity->passed.data, i));
  for (size_t i = 0; i < identity->words; i++)
    store_word(&entry->key[i], word_at(key, i));
}

static void cache_key(kh_datakeys *keys, const struct identity *identity, const uint8_t *key)
{
  uint64_t writes = 0;
  struct entry *entries = atomic_load(&keys->entries);
  if (entries == NULL && (entries = make_entries(keys)) == NULL)
    return;
  struct entry *entry = choose_entry(set_of(entries, identity), identity, &writes);
  if (entry == NULL || !atomic_compare_exchange_strong(&entry->writes, &writes, writes + 1))
    return;
  write_entry(entry, identity, key);
  store_word(&entry->writes, writes + 2);
}

static void put_be32(uint8_t *dst, uint32_t value)
{
  for (unsigned i = 0; i < sizeof value; i++)
    dst[i] = (uint8_t)(value >> (24 - 8 * i));
}

static kh_status derive_data_key(const kh_hkdf *hkdf, kh_bytes stored, const kh_datakey *wanted,
                                 uint8_t *ret_key)
{
  uint8_t info[LABEL + 2 * sizeof(uint32_t)];
  memcpy(info, kinds[wanted->kind].label, LABEL);
  put_be32(info + LABEL, wanted->id);
  put_be32(info + LABEL + sizeof(uint32_t), wanted->version);
  kh_hkdf_input input = {stored, wanted->passed, {info, sizeof info}};
  return kh_hkdf_derive(hkdf, &input, kinds[wanted->kind].size, ret_key);
}

static bool is_passed_size(size_t len)
{
  return len == 16 || len == 24 || len == 32;
}

kh_status kh_datakeys_derive(kh_datakeys *keys, const kh_datakey *wanted, kh_bytes stored,
                             uint8_t *ret_key)
{
  if (stored.len != KH_DATAKEY_STORED || !is_passed_size(wanted->passed.len))
    return KH_E_KEY_SIZE;
  struct identity identity = identity_of(wanted);
  kh_status status = derive_data_key(keys->hkdf, stored, wanted, ret_key);
  if (status == KH_OK)
    cache_key(keys, &identity, ret_key);
  return status;
}
