/* SPDX-License-Identifier: GPL-2.0-only */
/* The measuring of keyhold_bench.so: it notices every wrong result, and calls the service as its
 * cases specify.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "json.h"
#include "run.h"
#include "toy_service.h"
#include "unit.h"

/* number of calls of pthread_create that succeed; later ones fail */
static int threads_left;

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
  if (threads_left-- <= 0)
    return EAGAIN;
  return __real_pthread_create(thread, attributes, start, argument);
}

static int reset(void **state)
{
  (void)state;
  toy_reset();
  threads_left = KH_BENCH_THREADS_MAX;
  return 0;
}

static kh_bench_settings settings_of(unsigned threads, const char *only)
{
  return (kh_bench_settings){
      .threads = threads, .rounds = 3, .milliseconds = 1, .ids = {1, 2, 0, 1}, .only = only};
}

static kh_bench_results *measured(unsigned threads, const char *only)
{
  kh_bench_settings settings = settings_of(threads, only);
  kh_bench_results *results = NULL;
  assert_null(kh_bench_run(&settings, &results));
  assert_non_null(results);
  return results;
}

/* --- The cases --- */

static void every_case_has_its_own_name(void **state)
{
  (void)state;
  static kh_bench_case cases[KH_BENCH_CASES_MAX];
  static char names[KH_BENCH_CASES_MAX][KH_BENCH_NAME_MAX];
  size_t count = kh_bench_cases("", true, cases);
  /* 2 operations * 2 paddings * 10 sizes and 9 streamed, for 2 key sizes, same and new; 3 of keys,
   * 3 of many keys, and encryption and decryption of 4 sizes with one key and with some in turn */
  assert_int_equal(count, (2 * 2 * 10 + 9) * 2 * 2 + 3 + 3 + 2 * 4 * 2);
  assert_int_equal(kh_bench_cases("", false, cases), count - 3 - 2 * 4 * 2);
  count = kh_bench_cases("", true, cases);
  for (size_t i = 0; i < count; i++) {
    kh_bench_case_name(&cases[i], names[i]);
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(names[i], names[j]);
  }
}

static void a_pattern_chooses_cases(void **state)
{
  (void)state;
  static kh_bench_case cases[KH_BENCH_CASES_MAX];
  assert_int_equal(kh_bench_cases("get_key-*", false, cases), 2);
  assert_int_equal(kh_bench_cases("get_key-*", true, cases), 3);
  assert_int_equal(kh_bench_cases("@(latest_version|get_key-256)", true, cases), 2);
  assert_int_equal(kh_bench_cases("decrypt-padded-256-new-16", false, cases), 1);
  assert_int_equal(cases[0].operation, KH_BENCH_DECRYPT);
  assert_true(cases[0].padded);
  assert_true(cases[0].new_key);
  assert_int_equal(cases[0].key_bits, 256);
  assert_int_equal(cases[0].size, 16);
  assert_int_equal(kh_bench_cases("nonesuch", true, cases), 0);
}

/* --- Results --- */

static void check_numbers(const kh_bench_result *result)
{
  assert_true(result->correct);
  assert_true(result->repetitions > 0);
  assert_true(result->ns_min > 0);
  assert_true(result->ns >= result->ns_min);
  assert_true(result->ns_max >= result->ns);
  assert_true(result->per_second > 0);
}

static void every_case_of_a_right_service_is_correct(void **state)
{
  (void)state;
  kh_bench_settings settings = settings_of(1, "");
  kh_bench_results *results = NULL;
  settings.rounds = 1;
  assert_null(kh_bench_run(&settings, &results));
  assert_int_equal(results->count, 199);
  for (size_t i = 0; i < results->count; i++)
    check_numbers(&results->results[i]);
  assert_int_equal(toy_called.contexts, toy_called.finished);
  free(results);
}

static void several_threads_measure_together(void **state)
{
  (void)state;
  kh_bench_results *results = measured(4, "*-256*");
  for (size_t i = 0; i < results->count; i++)
    check_numbers(&results->results[i]);
  free(results);
}

/* --- What the service sees --- */

static void the_same_key_is_the_same(void **state)
{
  (void)state;
  free(measured(1, "encrypt-nopad-256-same-32"));
  /* another key for each of the three rounds */
  assert_true(toy_called.contexts - toy_called.same_key <= 3);
}

static void a_new_key_is_new_each_time(void **state)
{
  (void)state;
  static const char *const names[] = {"encrypt-nopad-128-new-32", "decrypt-nopad-256-new-32",
                                      "stream-nopad-256-new-32"};
  for (size_t i = 0; i < COUNT(names); i++) {
    toy_reset();
    free(measured(1, names[i]));
    assert_true(toy_called.contexts > 2 * 3 + 3);
    assert_true(toy_called.same_key <= 2 * 3); /* the check decrypts what it encrypted */
  }
}

static void no_iv_is_used_twice(void **state)
{
  (void)state;
  static const char *const names[] = {"encrypt-nopad-128-same-32", "encrypt-padded-128-same-32",
                                      "decrypt-nopad-256-same-32", "stream-nopad-256-same-32"};
  for (size_t i = 0; i < COUNT(names); i++) {
    toy_reset();
    free(measured(1, names[i]));
    assert_true(toy_called.same_iv <= 3); /* the check decrypts what it encrypted */
  }
}

static void padded_messages_change_key_and_iv(void **state)
{
  (void)state;
  free(measured(1, "decrypt-padded-128-new-32"));
  assert_true(toy_called.same_key <= 3 * (64 + 1)); /* each message once encrypted and checked */
  assert_true(toy_called.contexts > 2 * 3 * 64);
}

static void an_event_is_streamed_in_pieces(void **state)
{
  (void)state;
  /* the checks before it decrypt in one piece, so this looks at the last context, which was timed
   */
  free(measured(1, "stream-nopad-128-same-16354"));
  assert_int_equal(toy_called.first, 15);
  assert_int_equal(toy_called.last, 4);
  assert_int_equal(toy_called.updates, 2 + 4); /* 15 + 3 * 4096 + 4047 + 4 */
}

static kh_bench_results *measured_many(unsigned ids, unsigned versions, const char *only)
{
  kh_bench_settings settings = settings_of(1, only);
  kh_bench_results *results = NULL;
  settings.rounds = 1; /* a second round would check before it measures */
  settings.ids.ids = ids;
  settings.ids.versions = versions;
  assert_null(kh_bench_run(&settings, &results));
  return results;
}

/* each id was asked for about equally often, not counting the few checks */
static void check_spread(const atomic_ulong asked[static TOY_IDS + 1])
{
  unsigned long total = 0;
  for (unsigned id = 1; id <= TOY_IDS; id++)
    total += asked[id];
  for (unsigned id = 1; id <= TOY_IDS; id++)
    assert_in_range(asked[id], total / TOY_IDS * 3 / 4, total / TOY_IDS * 5 / 4);
}

static void measure_all_of_many(void)
{
  kh_bench_results *results = measured_many(TOY_IDS, 1, "*-many");
  assert_int_equal(results->count, 3);
  for (size_t i = 0; i < results->count; i++)
    check_numbers(&results->results[i]);
  free(results);
}

/* repeats if the machine is so busy that a single call seems to take the time of a round */
static void keys_in_turn_change_each_time(void **state)
{
  (void)state;
  static const char *const names[] = {"encrypt-nopad-128-turn-41", "decrypt-nopad-128-turn-16354"};
  for (size_t i = 0; i < COUNT(names); i++) {
    toy_reset();
    free(measured_many(TOY_IDS, 1, names[i]));
    assert_true(toy_called.contexts > 2 * 3 + 3);
    assert_true(toy_called.same_key <= 2 * 3); /* the check decrypts what it encrypted */
  }
}

static void many_keys_are_asked_for_equally_often(void **state)
{
  (void)state;
  do {
    toy_reset();
    measure_all_of_many();
  } while (toy_called.latest_of[1] < 1000 || toy_called.keys_of[1] < 1000);
  check_spread(toy_called.latest_of);
  check_spread(toy_called.keys_of);
}

static void check_many_wrong(unsigned ids, unsigned versions, const char *only)
{
  kh_bench_results *results = measured_many(ids, versions, only);
  assert_int_equal(results->count, 1);
  assert_false(results->results[0].correct);
  free(results);
}

static void many_keys_that_are_not_there_are_seen(void **state)
{
  (void)state;
  /* noticed before anything is timed: the timed loop of this case asks for no key */
  check_many_wrong(TOY_IDS + 1, 1, "choose-many");
  check_many_wrong(TOY_IDS, 2, "choose-many");
  toy_does = TOY_KEY_SHORT;
  check_many_wrong(TOY_IDS, 1, "choose-many");
  toy_does = TOY_VERSION_CHANGES;
  check_many_wrong(TOY_IDS, 1, "choose-many");
}

static void a_key_of_many_that_goes_is_seen(void **state)
{
  (void)state;
  static const char *const names[] = {"latest_version-many", "get_key-many"};
  for (size_t i = 0; i < COUNT(names); i++) {
    toy_reset();
    toy_does = TOY_KEY_GOES;
    check_many_wrong(TOY_IDS, 1, names[i]);
  }
}

/* --- Wrong results are noticed --- */

static const struct {
  toy_fault fault;
  const char *only;
} faults[] = {
    {TOY_IDENTITY, "encrypt-nopad-128-same-16"},
    {TOY_IDENTITY, "stream-nopad-128-same-32"},
    {TOY_IDENTITY, "decrypt-padded-128-same-16"},
    {TOY_DECRYPTS_WRONG, "encrypt-nopad-128-same-256"},
    {TOY_DECRYPTS_WRONG, "decrypt-nopad-128-same-256"},
    {TOY_DECRYPTS_WRONG, "decrypt-padded-256-new-256"},
    {TOY_DECRYPTS_WRONG, "stream-nopad-128-same-256"},
    {TOY_ENCRYPTS_SHORT, "encrypt-nopad-128-same-256"},
    {TOY_ENCRYPTS_SHORT, "encrypt-padded-128-same-256"},
    {TOY_ENCRYPTS_SHORT, "stream-nopad-128-same-256"},
    {TOY_LENGTH_LIES, "encrypt-padded-128-same-256"},
    {TOY_LENGTH_LIES, "decrypt-padded-128-same-256"},
    {TOY_LENGTH_HUGE, "encrypt-padded-128-same-256"},
    {TOY_STREAMS_WRONG, "stream-nopad-128-same-256"},
    {TOY_INIT_FAILS, "encrypt-nopad-128-same-256"},
    {TOY_INIT_FAILS, "stream-nopad-128-same-256"},
    {TOY_UPDATE_FAILS, "decrypt-nopad-128-same-256"},
    {TOY_UPDATE_FAILS, "stream-nopad-128-same-256"},
    {TOY_UPDATE_FAILS_LATE, "encrypt-nopad-128-same-16"},
    {TOY_UPDATE_FAILS_LATE, "stream-nopad-128-same-32"},
    {TOY_CONTEXT_HUGE, "stream-nopad-128-same-256"},
    {TOY_KEY_SHORT, "get_key-128"},
    {TOY_KEY_SHORT, "get_key-256"},
    {TOY_KEY_CHANGES, "get_key-256"},
    {TOY_KEY_ZERO, "get_key-128"},
    {TOY_VERSION_CHANGES, "latest_version"},
};

static void a_wrong_service_is_seen(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(faults); i++) {
    toy_reset();
    toy_does = faults[i].fault;
    kh_bench_results *results = measured(2, faults[i].only);
    assert_int_equal(results->count, 1);
    if (results->results[0].correct)
      fail_msg("fault %d not seen in %s", faults[i].fault, faults[i].only);
    assert_true(results->results[0].ns == 0);
    free(results);
  }
}

static void check_refused(kh_bench_settings settings, const char *phrase)
{
  kh_bench_results *results = NULL;
  const char *failure = kh_bench_run(&settings, &results);
  assert_non_null(failure);
  assert_non_null(strstr(failure, phrase));
  assert_null(results);
}

static void a_measurement_that_cannot_be_is_refused(void **state)
{
  (void)state;
  check_refused(settings_of(1, "nonesuch"), "no case matches");
  kh_bench_settings settings = settings_of(1, "");
  settings.ids.id_256 = TOY_IDS + 1;
  check_refused(settings, "lacks the keys");
  toy_does = TOY_NO_PLUGIN;
  check_refused(settings_of(1, ""), "no encryption plugin is active");
}

static void threads_that_cannot_start_end_the_others(void **state)
{
  (void)state;
  for (int left = 0; left < 4; left++) {
    threads_left = left;
    check_refused(settings_of(4, "get_key-128"), "threads");
  }
}

/* --- The document --- */

static void results_are_written_to_a_new_file(void **state)
{
  (void)state;
  toy_does = TOY_KEY_CHANGES;
  kh_bench_settings settings = settings_of(1, "get_key-128");
  kh_bench_results *results = measured(1, "get_key-128");
  const char *path = test_path("results.json");
  assert_true(kh_bench_json_save(path, &settings, results));
  char text[1000] = "";
  FILE *from = fopen(path, "r");
  assert_non_null(from);
  assert_true(fread(text, 1, sizeof text - 1, from) > 0);
  fclose(from);
  assert_non_null(strstr(text, "\"name\": \"get_key-128\""));
  assert_non_null(strstr(text, "\"correct\": false"));
  errno = 0;
  assert_false(kh_bench_json_save(path, &settings, results));
  assert_int_equal(errno, EEXIST);
  free(results);
}

static void a_full_disk_is_seen(void **state)
{
  (void)state;
  kh_bench_settings settings = settings_of(1, "get_key-128");
  kh_bench_results *results = measured(1, settings.only);
  FILE *to = fopen("/dev/full", "w");
  assert_non_null(to);
  assert_false(kh_bench_json_write(to, &settings, results));
  fclose(to);
  free(results);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(every_case_has_its_own_name, reset),
      cmocka_unit_test_setup(a_pattern_chooses_cases, reset),
      cmocka_unit_test_setup(every_case_of_a_right_service_is_correct, reset),
      cmocka_unit_test_setup(several_threads_measure_together, reset),
      cmocka_unit_test_setup(the_same_key_is_the_same, reset),
      cmocka_unit_test_setup(a_new_key_is_new_each_time, reset),
      cmocka_unit_test_setup(no_iv_is_used_twice, reset),
      cmocka_unit_test_setup(padded_messages_change_key_and_iv, reset),
      cmocka_unit_test_setup(an_event_is_streamed_in_pieces, reset),
      cmocka_unit_test_setup(keys_in_turn_change_each_time, reset),
      cmocka_unit_test_setup(many_keys_are_asked_for_equally_often, reset),
      cmocka_unit_test_setup(many_keys_that_are_not_there_are_seen, reset),
      cmocka_unit_test_setup(a_key_of_many_that_goes_is_seen, reset),
      cmocka_unit_test_setup(a_wrong_service_is_seen, reset),
      cmocka_unit_test_setup(a_measurement_that_cannot_be_is_refused, reset),
      cmocka_unit_test_setup(threads_that_cannot_start_end_the_others, reset),
      cmocka_unit_test_setup(results_are_written_to_a_new_file, reset),
      cmocka_unit_test_setup(a_full_disk_is_seen, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
