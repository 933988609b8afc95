/* SPDX-License-Identifier: GPL-2.0-only */
#include "misses.h"

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
      atomic_fetch_add(&misses->noted, 1);
      return true;
    }
    if (found == word)
      return false;
  }
  atomic_fetch_add(&misses->dropped, 1);
  return false;
}

kh_miss kh_misses_at(const kh_misses *misses, size_t place)
{
  uint64_t word = atomic_load(&misses->places[place]);
  return (kh_miss){.id = (uint32_t)(word >> 32), .version = (uint32_t)word};
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

void kh_keeper_note_miss(kh_keeper *keeper, uint32_t id, uint32_t version)
{
  bool is_new = kh_misses_add(&keeper->misses, (kh_miss){.id = id, .version = version});
  if (is_new && keeper->store.ops->lookup != NULL)
    kh_keeper_wake(keeper);
}
