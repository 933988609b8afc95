/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_rotate.h
 * Rotates keys whose interval has passed: a duty of the keeper's thread.
 */
#ifndef KEYHOLD_KEEPER_AUTO_ROTATE_H
#define KEYHOLD_KEEPER_AUTO_ROTATE_H

#include "pace.h"
#include "work.h"

/** What the duty remembers. */
typedef struct kh_auto_rotate {
  uint64_t due;    /* the time that `jitter` was drawn for */
  uint32_t jitter; /* in seconds */
  kh_pace pace;
} kh_auto_rotate;

/**
 * Rotates what is due. Servers that share a file wait a random time longer, so that they do not all
 * come at once: a tenth of the interval at most, and an hour.
 *
 * @return milliseconds until it wants to be called again.
 */
int64_t kh_auto_rotate_step(kh_auto_rotate *rotate, kh_keeper *keeper);

#endif
