/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file time.h
 * Times and intervals as people write them: ISO 8601 in UTC, and numbers of days or hours.
 */
#ifndef KEYHOLD_TIME_H
#define KEYHOLD_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "keyhold/bytes.h"

/** Room for a time and its NUL: "2026-11-22T01:05:55Z". */
enum { KH_TIME_TEXT_MAX = 24 };

/** A time as text. */
typedef struct kh_time_text {
  char text[KH_TIME_TEXT_MAX]; /**< ends with NUL */
} kh_time_text;

/** Writes a UNIX time as ISO 8601 in UTC, "2026-11-22T01:05:55Z" (RFC 3339). Thread-safe. */
kh_time_text kh_time_show(uint32_t time);

/**
 * Reads "2026-11-22T01:05:55Z", or "2026-11-22" for that day's beginning. A time that does not
 * exist (the 30th of February) or that UNIX time in 32 bits cannot hold (before
 * 1970-01-01T00:00:01Z, after 2106-02-07T06:28:15Z) is refused, and so is a leap second.
 * Thread-safe.
 *
 * @param ret_time  untouched on failure.
 * @return false: it is no such time.
 */
bool kh_time_read(kh_bytes text, uint32_t *ret_time);

/**
 * Reads an interval: a decimal number and a unit without a space between: s, m (minutes), h, d, w,
 * y (365 days). KH_ROTATE_MIN .. KH_ROTATE_MAX seconds. Thread-safe.
 *
 * @param ret_seconds  untouched on failure.
 * @return false: it is no such interval.
 */
bool kh_interval_read(kh_bytes text, uint32_t *ret_seconds);

/** Writes an interval in the largest unit that gives a whole number, so that it reads back as the
 * same. At most KH_TIME_TEXT_MAX bytes. Thread-safe. */
kh_time_text kh_interval_show(uint32_t seconds);

#endif
