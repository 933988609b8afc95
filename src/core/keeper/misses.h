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

/** Frees the place of a miss, so that it can be added again. Thread-safe. */
void kh_misses_forget(kh_misses *misses, size_t place);

/** Returns whether a table has the missing key version. Thread-safe. */
bool kh_miss_is_in(kh_miss miss, const kh_keytable *table);

/** Forgets every miss that a table has. Thread-safe. */
void kh_misses_forget_found(kh_misses *misses, const kh_keytable *table);

#endif
