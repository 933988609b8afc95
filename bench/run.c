/* SPDX-License-Identifier: GPL-2.0-only */
#include "run.h"

#include <mysql/plugin.h>
#include <mysql/service_encryption.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "ticks.h"

/* What one thread saw in one round of one case. */
typedef struct {
  bool correct;
  uint64_t start, end; /* ns */
  uint64_t ticks;
} sample;

/* One case in all rounds. */
typedef struct {
  bool correct;
  uint64_t repetitions;
  double ns[KH_BENCH_ROUNDS_MAX];
  double ticks[KH_BENCH_ROUNDS_MAX];
  double per_second[KH_BENCH_ROUNDS_MAX];
} record;

typedef struct measurement measurement;

typedef struct {
  measurement *of;
  kh_bench_lane *lane;
  pthread_t thread;
  sample last;
} worker;

/* What the threads share. Between two barriers only the first worker writes, and only to records.
 */
struct measurement {
  const kh_bench_settings *settings;
  kh_bench_case cases[KH_BENCH_CASES_MAX];
  size_t case_count;
  record *records;
  worker workers[KH_BENCH_THREADS_MAX];
  pthread_barrier_t barrier;
  pthread_mutex_t gate; /* held until it is known whether all threads could be made */
  bool cancelled;
};

static uint64_t now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- In the threads --- */

/* Returns how often the case fits into the time of a round. Also warms up. */
static uint64_t calibrate(kh_bench_lane *lane, unsigned milliseconds)
{
  const uint64_t target = milliseconds * (uint64_t)1000000;
  for (uint64_t times = 1;; times *= 2) {
    uint64_t start = now_ns();
    bool correct = kh_bench_lane_run(lane, times);
    uint64_t elapsed = now_ns() - start;
    if (!correct || elapsed > target)
      return times;
    if (elapsed > target / 8)
      return times * target / elapsed;
  }
}

static sample time_case(kh_bench_lane *lane, uint64_t times)
{
  sample seen;
  uint64_t ticks = kh_bench_ticks();
  seen.start = now_ns();
  seen.correct = kh_bench_lane_run(lane, times);
  seen.end = now_ns();
  seen.ticks = kh_bench_ticks() - ticks;
  return seen;
}

static int compare_times(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Adds what all threads saw in this round to the case's record. */
static void collect(measurement *of, record *to, unsigned round)
{
  const unsigned threads = of->settings->threads;
  uint64_t first = UINT64_MAX, last = 0, total = 0, ticks = 0;
  for (unsigned i = 0; i < threads; i++) {
    const sample *seen = &of->workers[i].last;
    to->correct = to->correct && seen->correct;
    first = seen->start < first ? seen->start : first;
    last = seen->end > last ? seen->end : last;
    total += seen->end - seen->start;
    ticks += seen->ticks;
  }
  const double operations = (double)to->repetitions * threads;
  to->ns[round] = (double)total / operations;
  to->ticks[round] = (double)ticks / operations;
  to->per_second[round] = operations * 1e9 / (double)(last - first);
}

static void measure(worker *self, size_t number, unsigned round)
{
  measurement *of = self->of;
  record *to = &of->records[number];
  const bool leads = self == of->workers;
  bool correct = kh_bench_lane_prepare(self->lane, &of->cases[number]);
  if (leads && round == 0)
    to->repetitions = correct ? calibrate(self->lane, of->settings->milliseconds) : 1;
  pthread_barrier_wait(&of->barrier);
  if (correct)
    correct = kh_bench_lane_run(self->lane, to->repetitions / 8 + 1);
  pthread_barrier_wait(&of->barrier);
  self->last = correct ? time_case(self->lane, to->repetitions) : (sample){.end = 1};
  pthread_barrier_wait(&of->barrier);
  if (leads)
    collect(of, to, round);
}

static void *run_worker(void *argument)
{
  worker *self = argument;
  measurement *of = self->of;
  pthread_mutex_lock(&of->gate);
  bool cancelled = of->cancelled;
  pthread_mutex_unlock(&of->gate);
  if (cancelled)
    return NULL;
  for (unsigned round = 0; round < of->settings->rounds; round++)
    for (size_t number = 0; number < of->case_count; number++)
      measure(self, number, round);
  return NULL;
}

/* --- In the caller's thread --- */

/* Starts the threads with all signals blocked, since the server handles them. Returns how many
 * started. */
static unsigned start_threads(measurement *of)
{
  sigset_t all, before;
  unsigned started = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  while (started < of->settings->threads &&
         pthread_create(&of->workers[started].thread, NULL, run_worker, &of->workers[started]) == 0)
    started++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

static const char *run_threads(measurement *of)
{
  if (pthread_barrier_init(&of->barrier, NULL, of->settings->threads) != 0)
    return "a barrier could not be made";
  pthread_mutex_init(&of->gate, NULL);
  pthread_mutex_lock(&of->gate);
  unsigned started = start_threads(of);
  of->cancelled = started < of->settings->threads;
  pthread_mutex_unlock(&of->gate);
  for (unsigned i = 0; i < started; i++)
    pthread_join(of->workers[i].thread, NULL);
  pthread_mutex_destroy(&of->gate);
  pthread_barrier_destroy(&of->barrier);
  return of->cancelled ? "not all threads could be started" : NULL;
}

static double median(double values[], unsigned count)
{
  qsort(values, count, sizeof *values, compare_times);
  return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static kh_bench_result result_of(const kh_bench_case *what, record *from, unsigned rounds)
{
  kh_bench_result result = {.what = *what, .correct = from->correct};
  if (!from->correct)
    return result;
  result.ns = median(from->ns, rounds); /* sorts */
  result.ns_min = from->ns[0];
  result.ns_max = from->ns[rounds - 1];
  result.ticks = median(from->ticks, rounds);
  result.per_second = median(from->per_second, rounds);
  result.repetitions = from->repetitions;
  return result;
}

static const char *summarize(measurement *of, kh_bench_results **ret_results)
{
  kh_bench_results *results = malloc(sizeof *results);
  if (results == NULL)
    return "out of memory";
  results->count = of->case_count;
  for (size_t i = 0; i < of->case_count; i++)
    results->results[i] = result_of(&of->cases[i], &of->records[i], of->settings->rounds);
  *ret_results = results;
  return NULL;
}

static const char *make_measurement(const kh_bench_settings *settings, measurement *of)
{
  of->settings = settings;
  of->case_count = kh_bench_cases(settings->only, settings->ids.ids > 0, of->cases);
  if (of->case_count == 0)
    return "no case matches keyhold_bench_only";
  of->records = calloc(of->case_count, sizeof *of->records);
  if (of->records == NULL)
    return "out of memory";
  for (size_t i = 0; i < of->case_count; i++)
    of->records[i].correct = true;
  for (unsigned i = 0; i < settings->threads; i++) {
    of->workers[i].of = of;
    of->workers[i].lane = kh_bench_lane_new(i + 1, settings->ids);
    if (of->workers[i].lane == NULL)
      return "out of memory";
  }
  return NULL;
}

static void free_measurement(measurement *of)
{
  for (unsigned i = 0; i < of->settings->threads; i++)
    kh_bench_lane_free(&of->workers[i].lane);
  free(of->records);
  free(of);
}

static const char *check_key_ids(kh_bench_key_ids ids)
{
  if (encryption_key_get_latest_version(ids.id_128) == ENCRYPTION_KEY_VERSION_INVALID ||
      encryption_key_get_latest_version(ids.id_256) == ENCRYPTION_KEY_VERSION_INVALID)
    return "no encryption plugin is active, or it lacks the keys keyhold_bench_key_id_128 and "
           "keyhold_bench_key_id_256";
  return NULL;
}

const char *kh_bench_run(const kh_bench_settings *settings, kh_bench_results **ret_results)
{
  const char *failure = check_key_ids(settings->ids);
  if (failure != NULL)
    return failure;
  measurement *of = calloc(1, sizeof *of);
  if (of == NULL)
    return "out of memory";
  failure = make_measurement(settings, of);
  if (failure == NULL)
    failure = run_threads(of);
  if (failure == NULL)
    failure = summarize(of, ret_results);
  free_measurement(of);
  return failure;
}
