/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file kept.h
 * Which of a few kept key schedules belongs to a key, which one makes place for a new one, and when
 * one is too old.
 *
 * Ages count uses by the thread that owns the schedules. A schedule that was not used for
 * KH_KEPT_USES uses is wiped, at the latest KH_KEPT_SWEEP uses later.
 */
#ifndef KEYHOLD_CRYPT_KEPT_H
#define KEYHOLD_CRYPT_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "keyhold/bytes.h"
#include "keyhold/limits.h"

enum { KH_KEPT_USES = 1024, KH_KEPT_SWEEP = 256 };

/** The key of a kept schedule. All zero: free. */
typedef struct kh_kept {
  uint8_t key[KH_KEY_MAX];
  uint32_t last_use;
  uint8_t len;  /**< of the key in bytes; 0: free */
  uint8_t kind; /**< what the schedule is for, as its engine numbers it */
} kh_kept;

/** Whether this is the schedule of that key, for that kind of work. */
static inline bool kh_kept_is(const kh_kept *kept, kh_bytes key, uint8_t kind)
{
  /* the first bytes tell most keys apart without a call */
  return kept->len == key.len && kept->kind == kind &&
         memcmp(kept->key, key.data, sizeof(uint64_t)) == 0 &&
         memcmp(kept->key, key.data, key.len) == 0;
}

/** Notes that the schedule now is of that key. */
static inline void kh_kept_take(kh_kept *kept, kh_bytes key, uint8_t kind)
{
  memcpy(kept->key, key.data, key.len);
  kept->len = (uint8_t)key.len;
  kept->kind = kind;
}

/** Whether it holds a key that was not used for too long. */
static inline bool kh_kept_is_old(const kh_kept *kept, uint32_t now)
{
  return kept->len != 0 && now - kept->last_use > KH_KEPT_USES;
}

/** Whether `a` should make place before `b`: free ones first, then the one used longer ago. */
static inline bool kh_kept_yields(const kh_kept *a, const kh_kept *b, uint32_t now)
{
  if (a->len == 0 || b->len == 0)
    return a->len == 0 && b->len != 0;
  return now - a->last_use > now - b->last_use;
}

#endif
