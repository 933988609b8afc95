/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file lane.h
 * One thread's part of a measurement: its buffers, and the loops that call the server's encryption
 * service. Lanes share nothing. A lane belongs to one thread at a time.
 */
#ifndef KEYHOLD_BENCH_LANE_H
#define KEYHOLD_BENCH_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "case.h"

typedef struct kh_bench_lane kh_bench_lane;

/** Keys that the active plugin has. */
typedef struct {
  unsigned id_128;   /**< id of one of 128 bits */
  unsigned id_256;   /**< id of one of 256 bits */
  unsigned ids;      /**< 1 to this: the keys of the cases over many keys; 0: there are none */
  unsigned versions; /**< 1 to this: what each of those has */
} kh_bench_key_ids;

/**
 * Makes the buffers and fills them with random-looking bytes.
 *
 * @param seed  lanes with different seeds have different bytes and keys.
 * @return a lane for kh_bench_lane_free(), or NULL when there is no memory.
 */
kh_bench_lane *kh_bench_lane_new(uint64_t seed, kh_bench_key_ids ids);

/** Frees; sets the pointer to NULL. Takes a pointer to NULL. */
void kh_bench_lane_free(kh_bench_lane **lane);

/**
 * Prepares the lane for a case and checks the plugin's results: a ciphertext differs from the
 * plaintext, has the length that the plugin reports and decrypts to the plaintext; a key has the
 * expected length and is the same at a second call; of many keys each version exists, and the last
 * is the latest.
 *
 * @return whether all that holds. If not, the lane must not be run.
 */
bool kh_bench_lane_prepare(kh_bench_lane *lane, const kh_bench_case *what);

/**
 * Runs the prepared case a number of times: the loop that is timed. Each time has a new IV;
 * decryption with padding cycles through 64 messages, or 4 large ones, that were made before. Of
 * many keys, the next one depends on the last answer, so that calls cannot overlap.
 *
 * @return whether every call succeeded and gave the right length.
 */
bool kh_bench_lane_run(kh_bench_lane *lane, uint64_t times);

#endif
