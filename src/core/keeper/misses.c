/* SPDX-License-Identifier: GPL-2.0-only */
#include "misses.h"

#include "log_messages.h"

static uint64_t word_of(kh_miss miss)
{
  return (uint64_t)miss.id << 32 | miss.version;
}

/* Consecutive ids and versions begin at consecutive places. */
static size_t first_place(kh_miss miss)
{
  return (miss.id * 7u + miss.version) % KH_KEEPER_MISSES_MAX;
}

static bool has_miss(kh_misses *misses, size_t first, uint64_t word)
{
  for (size_t i = 0; i < KH_KEEPER_MISSES_MAX; i++)
    if (atomic_load_explicit(&misses->places[(first + i) % KH_KEEPER_MISSES_MAX],
                             memory_order_relaxed) == word)
      return true;
  return false;
}

/* Two threads that add one miss at the same time may find different free places if a third one
 * frees one between them. The miss is then looked up twice, which does no harm. */
bool kh_misses_add(kh_misses *misses, kh_miss miss)
{
  size_t first = first_place(miss);
  uint64_t word = word_of(miss);
  if (miss.id == 0 || has_miss(misses, first, word))
    return false;
  for (size_t i = 0; i < KH_KEEPER_MISSES_MAX; i++) {
    uint64_t found = 0;
    if (atomic_compare_exchange_strong(&misses->places[(first + i) % KH_KEEPER_MISSES_MAX], &found,
                                       word)) {
      atomic_store(&misses->last, word);
      atomic_fetch_add(&misses->noted, 1);
      return true;
    }
    if (found == word)
      return false;
  }
  atomic_store(&misses->last, word);
  atomic_fetch_add(&misses->dropped, 1);
  return false;
}

static kh_miss miss_of(uint64_t word)
{
  return (kh_miss){.id = (uint32_t)(word >> 32), .version = (uint32_t)word};
}

kh_miss kh_misses_at(const kh_misses *misses, size_t place)
{
  return miss_of(atomic_load(&misses->places[place]));
}

kh_miss kh_misses_last(const kh_misses *misses)
{
  return miss_of(atomic_load(&misses->last));
}

bool kh_misses_are_more(const kh_misses *misses, kh_miss *ret_last)
{
  *ret_last = kh_misses_last(misses);
  return atomic_load(&misses->dropped) > 0;
}

void kh_misses_forget(kh_misses *misses, size_t place)
{
  atomic_store(&misses->places[place], 0);
}

bool kh_miss_is_in(kh_miss miss, const kh_keytable *table)
{
  uint32_t latest;
  if (miss.version == 0)
    return kh_keytable_latest(table, miss.id, &latest) == KH_OK;
  return kh_keytable_find(table, miss.id, miss.version) != NULL;
}

void kh_misses_forget_found(kh_misses *misses, const kh_keytable *table)
{
  for (size_t i = 0; i < KH_KEEPER_MISSES_MAX; i++) {
    kh_miss miss = kh_misses_at(misses, i);
    if (miss.id != 0 && kh_miss_is_in(miss, table))
      kh_misses_forget(misses, i);
  }
}

static bool brings_one_of(const kh_misses *misses, uint32_t id, const kh_keytable *table,
                          const kh_keytable *old)
{
  for (size_t i = 0; i < KH_KEEPER_MISSES_MAX; i++) {
    kh_miss miss = kh_misses_at(misses, i);
    bool is_usual = miss.id == KH_KEY_ID_TEMPORARY && miss.version == 0; /* at each start */
    if (miss.id == id && !is_usual && kh_miss_is_in(miss, table) && !kh_miss_is_in(miss, old))
      return true;
  }
  return false;
}

bool kh_misses_brings(const kh_keeper *keeper, uint32_t id, const kh_keytable *table,
                      const kh_keytable *old)
{
  return brings_one_of(&keeper->unknown_ids, id, table, old) ||
         brings_one_of(&keeper->missing_versions, id, table, old);
}

/* returns by how much a version is above the highest one of its key id; 0: it is not */
static uint32_t steps_ahead(kh_miss miss, const kh_keytable *table)
{
  uint32_t highest = kh_keytable_highest(table, miss.id);
  return highest != 0 && miss.version > highest ? miss.version - highest : 0;
}

bool kh_miss_is_implausible(kh_miss miss, const kh_keytable *table)
{
  return steps_ahead(miss, table) > KH_VERSIONS_AHEAD_MAX;
}

static uint32_t highest_of(const kh_misses *misses, uint32_t id, const kh_keytable *in_force)
{
  uint32_t highest = 0;
  for (size_t i = 0; i < KH_KEEPER_MISSES_MAX; i++) {
    kh_miss miss = kh_misses_at(misses, i);
    if (miss.id == id && miss.version > highest && !kh_miss_is_implausible(miss, in_force))
      highest = miss.version;
  }
  return highest;
}

/* Those that are still to be looked up count too: data has them, whatever the store answers. */
uint32_t kh_misses_highest(const kh_keeper *keeper, uint32_t id)
{
  const kh_keytable *in_force = kh_keyring_begin(keeper->ring);
  uint32_t reported = highest_of(&keeper->missing_versions, id, in_force);
  uint32_t noted = highest_of(&keeper->misses, id, in_force);
  kh_keyring_end(keeper->ring);
  return reported > noted ? reported : noted;
}

/* A version is one that data has. A key id without one may be that of a new table, or of an old one
 * that is opened. */
static kh_severity severity_of(kh_miss miss)
{
  if (miss.version != 0)
    return KH_LOG_QUIET_ERROR;
  return miss.id == KH_KEY_ID_TEMPORARY ? KH_LOG_NOTE : KH_LOG_QUIET_WARNING;
}

/* Those that come from damaged pages must not take the places of others, nor count as missing. */
static kh_misses *set_of(kh_keeper *keeper, kh_miss miss, const kh_keytable *table)
{
  if (miss.version == 0)
    return &keeper->unknown_ids;
  return kh_miss_is_implausible(miss, table) ? &keeper->implausible : &keeper->missing_versions;
}

static void note_full(const kh_keeper *keeper, kh_misses *misses)
{
  if (atomic_load(&misses->dropped) == 0 || atomic_load(&misses->is_full_noted) ||
      atomic_exchange(&misses->is_full_noted, true))
    return;
  kh_log_write(
      &keeper->options.log, KH_LOG_QUIET_WARNING,
      "'%s' lacks more than %u keys that the server asked for; further ones are not logged",
      kh_store_shown_place(&keeper->store).text, KH_KEEPER_MISSES_MAX);
}

void kh_keeper_report_miss(kh_keeper *keeper, kh_miss miss)
{
  const kh_keytable *table = kh_keyring_begin(keeper->ring);
  kh_misses *misses = set_of(keeper, miss, table);
  bool is_new = kh_misses_add(misses, miss);
  kh_message message = {""};
  if (is_new)
    message = kh_message_missing(keeper, miss, table);
  kh_keyring_end(keeper->ring);
  if (is_new)
    kh_log_write(&keeper->options.log, severity_of(miss), "%s", message.text);
  else
    note_full(keeper, misses);
}

/* A process that is not a server has no thread, which alone asks a store. */
static bool can_look_up(const kh_keeper *keeper)
{
  return keeper->store.ops->lookup != NULL && atomic_load(&keeper->background.wake) >= 0;
}

void kh_keeper_note_miss(kh_keeper *keeper, uint32_t id, uint32_t version)
{
  kh_miss miss = {.id = id, .version = version > KH_KEY_VERSION_MAX ? 0 : version};
  if (!can_look_up(keeper))
    kh_keeper_report_miss(keeper, miss);
  else if (kh_misses_add(&keeper->misses, miss))
    kh_keeper_wake(keeper);
}
