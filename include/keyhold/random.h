/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file random.h
 * Random numbers for keys, salts and intervals (libsodium, from the kernel's generator).
 */
#ifndef KEYHOLD_RANDOM_H
#define KEYHOLD_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "keyhold/status.h"

/**
 * Starts the generator; called once before kh_random_below(). Thread-safe.
 *
 * @return KH_OK, KH_E_CRYPTO (libsodium could not start).
 */
KH_MUST_USE kh_status kh_random_start(void);

/** Returns a random number, 0 to bound - 1, uniformly distributed; 0 for a bound of 0 or 1.
 * Thread-safe; never waits once kh_random_start() has succeeded. */
uint32_t kh_random_below(uint32_t bound);

/** Fills memory with random bytes, for keys and salts. Thread-safe; never waits once
 * kh_random_start() has succeeded. */
void kh_random_bytes(uint8_t *ret_data, size_t len);

#endif
