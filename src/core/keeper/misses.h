/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file misses.h
 * Missing key versions that the server asked for: a small lock-free set.
 */
#ifndef KEYHOLD_KEEPER_MISSES_H
#define KEYHOLD_KEEPER_MISSES_H

#include "state.h"

/** A key version that is missing; version 0: the latest one of an unknown key id. */
typedef struct kh_miss {
  uint32_t id; /* 0: there is none */
  uint32_t version;
} kh_miss;

/** Adds a miss. Thread-safe; writes nothing if the miss is in the set already.
 *
 * @return whether it is new and was added; false if the set is full, which is counted. */
bool kh_misses_add(kh_misses *misses, kh_miss miss);

/** Returns the miss at a place < KH_KEEPER_MISSES_MAX. Thread-safe. */
kh_miss kh_misses_at(const kh_misses *misses, size_t place);

/** Returns the miss that was added or dropped last; id 0: none. Thread-safe. */
kh_miss kh_misses_last(const kh_misses *misses);

/** Frees the place of a miss, so that it can be added again. Thread-safe. */
void kh_misses_forget(kh_misses *misses, size_t place);

/** Returns whether a table has the missing key version. Thread-safe. */
bool kh_miss_is_in(kh_miss miss, const kh_keytable *table);

/** Forgets every miss that a table has. Thread-safe. */
void kh_misses_forget_found(kh_misses *misses, const kh_keytable *table);

/** Returns the highest version of a key id that the server asked for in vain, implausible ones
 * apart; 0: none. A version that is still to be looked up counts. Thread-safe. */
uint32_t kh_misses_highest(const kh_keeper *keeper, uint32_t id);

/** Returns whether more versions are missing than are recorded, and the last of them. Thread-safe.
 */
bool kh_misses_are_more(const kh_misses *misses, kh_miss *ret_last);

/** Returns whether a version is so far above the highest one that a table has of its key id that it
 * comes from a damaged page (KH_VERSIONS_AHEAD_MAX). Thread-safe. */
bool kh_miss_is_implausible(kh_miss miss, const kh_keytable *table);

/** Records a key that was asked for in vain: that the store does not have either. Logs it the first
 * time. Thread-safe; takes no lock but the log's, and writes nothing if it was recorded before. */
void kh_keeper_report_miss(kh_keeper *keeper, kh_miss miss);

/** Returns whether a table has a key of this id that was asked for in vain and that the old table
 * lacks. Thread-safe. */
bool kh_misses_brings(const kh_keeper *keeper, uint32_t id, const kh_keytable *table,
                      const kh_keytable *old);

#endif
