/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file schedule_cache.h
 * Which of a few cached key schedules belongs to a key, which one is evicted for a new one, and
 * when one is too old.
 *
 * Ages count uses by the thread that owns the schedules. A schedule that was not used for
 * KH_SCHEDULE_USES uses is wiped, at the latest KH_SCHEDULE_SWEEP uses later.
 */
#ifndef KEYHOLD_CRYPT_SCHEDULE_CACHE_H
#define KEYHOLD_CRYPT_SCHEDULE_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "keyhold/bytes.h"
#include "keyhold/limits.h"

enum { KH_SCHEDULE_USES = 1024, KH_SCHEDULE_SWEEP = 256 };

/** The key of a cached schedule. All zero: free. */
typedef struct kh_schedule {
  uint8_t key[KH_KEY_MAX];
  uint32_t last_use;
  uint8_t len;  /**< of the key in bytes; 0: free */
  uint8_t kind; /**< what the schedule is for, as its engine numbers it */
} kh_schedule;

/** Returns whether this is the schedule of that key, and for that kind. */
static inline bool kh_schedule_fits(const kh_schedule *schedule, kh_bytes key, uint8_t kind)
{
  /* the first bytes distinguish most keys without a call */
  return schedule->len == key.len && schedule->kind == kind &&
         memcmp(schedule->key, key.data, sizeof(uint64_t)) == 0 &&
         memcmp(schedule->key, key.data, key.len) == 0;
}

/** Notes that the schedule now is of that key. */
static inline void kh_schedule_note(kh_schedule *schedule, kh_bytes key, uint8_t kind)
{
  memcpy(schedule->key, key.data, key.len);
  schedule->len = (uint8_t)key.len;
  schedule->kind = kind;
}

/** Returns whether it holds a key that was not used for too long. */
static inline bool kh_schedule_is_old(const kh_schedule *schedule, uint32_t now)
{
  return schedule->len != 0 && now - schedule->last_use > KH_SCHEDULE_USES;
}

/** Returns whether `a` is evicted before `b`: free ones first, then the one used longer ago. */
static inline bool kh_schedule_is_evicted_before(const kh_schedule *a, const kh_schedule *b,
                                                 uint32_t now)
{
  if (a->len == 0 || b->len == 0)
    return a->len == 0 && b->len != 0;
  return now - a->last_use > now - b->last_use;
}

#endif
