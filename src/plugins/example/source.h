/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file source.h
 * The key source of example_key_management: keys made from key id and version. A version is the
 * UNIX time at which it began; a new one begins at random every 45 to 90 seconds. Anyone can
 * compute these keys: they protect nothing.
 */
#ifndef KEYHOLD_PLUGINS_EXAMPLE_SOURCE_H
#define KEYHOLD_PLUGINS_EXAMPLE_SOURCE_H

#include "keyhold/clock.h"
#include "server/key_source.h"

/** Shortest and longest time in seconds for which a version is the latest one. */
#define KH_EXAMPLE_PERIOD_MIN 45u
#define KH_EXAMPLE_PERIOD_MAX 90u

/** Its functions are called with a kh_example_keys. Odd versions are for ECB, even ones for CBC. */
extern const kh_key_source kh_example_source;

/** The version in force, and the time of the next one. */
typedef struct kh_example_keys kh_example_keys;

/**
 * Starts with the clock's time as the first version.
 *
 * @param clock     copied; read by every kh_example_source.latest(). When it is set back, the
 * version stays the same until the clock has caught up: a version never becomes lower.
 * @param ret_keys  for kh_example_source.free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO (no random numbers, or no MD5).
 */
KH_MUST_USE kh_status kh_example_keys_new(const kh_clock *clock, kh_example_keys **ret_keys);

#endif
