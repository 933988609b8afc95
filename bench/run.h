/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file run.h
 * A measurement: every case, with a number of threads at once, in several rounds.
 */
#ifndef KEYHOLD_BENCH_RUN_H
#define KEYHOLD_BENCH_RUN_H

#include "case.h"
#include "lane.h"

/** Most threads and rounds of a measurement; a round of a case lasts at most a second. */
enum { KH_BENCH_THREADS_MAX = 64, KH_BENCH_ROUNDS_MAX = 101, KH_BENCH_MILLISECONDS_MAX = 1000 };

/** What to measure, and how long. */
typedef struct {
  unsigned threads;      /**< 1 to KH_BENCH_THREADS_MAX */
  unsigned rounds;       /**< 1 to KH_BENCH_ROUNDS_MAX; each goes over all cases */
  unsigned milliseconds; /**< about how long a case is timed in a round */
  kh_bench_key_ids ids;
  const char *only; /**< see kh_bench_cases() */
} kh_bench_settings;

/** What one case took. All numbers are 0 when it was not correct. */
typedef struct {
  kh_bench_case what;
  bool correct;         /**< in every thread and round */
  double ns;            /**< of one operation as its thread sees it, median of the rounds */
  double ns_min;        /**< of the fastest round */
  double ns_max;        /**< of the slowest round */
  double ticks;         /**< of one operation, median of the rounds, see kh_bench_ticks() */
  double per_second;    /**< operations of all threads together, median of the rounds */
  uint64_t repetitions; /**< in each round and thread */
} kh_bench_result;

typedef struct {
  size_t count;
  kh_bench_result results[KH_BENCH_CASES_MAX];
} kh_bench_results;

/**
 * Measures. Takes about rounds * cases * milliseconds. The calling thread waits.
 *
 * @param ret_results  for free(); untouched on failure.
 * @return NULL, or a constant phrase that says what is wrong.
 */
const char *kh_bench_run(const kh_bench_settings *settings, kh_bench_results **ret_results);

#endif
