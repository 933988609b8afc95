/* SPDX-License-Identifier: GPL-2.0-only */
#include "floor.h"

#include <stdlib.h>

#include "misses.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
  return a > b ? a : b;
}

/* Merges the floors of the key ids of a table, both sorted by id. */
static void merge(const kh_floors *old, const kh_keytable *table, kh_floors *merged)
{
  size_t from = 0;
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    uint32_t id = kh_keytable_at(table, i)->id;
    if (!kh_keytable_is_latest(table, i))
      continue;
    for (; from < old->count && old->at[from].id < id; from++)
      merged->at[merged->count++] = old->at[from];
    bool is_known = from < old->count && old->at[from].id == id;
    uint32_t before = is_known ? old->at[from++].version : 0;
    merged->at[merged->count++] =
        (kh_floor){.id = id, .version = larger(before, kh_keytable_highest(table, id))};
  }
  for (; from < old->count; from++)
    merged->at[merged->count++] = old->at[from];
}

kh_status kh_floor_raise(kh_keeper *keeper, const kh_keytable *table)
{
  size_t most = keeper->floors.count + kh_keytable_id_count(table);
  kh_floors merged = {.at = calloc(most, sizeof *merged.at)};
  if (merged.at == NULL)
    return KH_E_NO_MEMORY;
  merge(&keeper->floors, table, &merged);
  free(keeper->floors.at);
  keeper->floors = merged;
  return KH_OK;
}

static int compare_ids(const void *left, const void *right)
{
  const kh_floor *a = left;
  const kh_floor *b = right;
  return a->id < b->id ? -1 : a->id > b->id;
}

uint32_t kh_floor_of(const void *keeper, uint32_t id)
{
  const kh_keeper *self = keeper;
  const kh_floors *floors = &self->floors;
  kh_floor wanted = {.id = id};
  const kh_floor *found =
      floors->count == 0 ? NULL
                         : bsearch(&wanted, floors->at, floors->count, sizeof wanted, compare_ids);
  return larger(found == NULL ? 0 : found->version, kh_misses_highest(self, id));
}
