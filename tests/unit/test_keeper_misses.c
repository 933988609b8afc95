/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread */
/* Keys that are asked for and not in force: they are noted, and looked up in the background. */
#include <pthread.h>
#include <stdatomic.h>

#include "core/keeper/auto_lookup.h"
#include "keepers.h"
#include "tasks.h"
#include "threads.h"
#include "unit.h"

static fake_store fake;
static recorder said;
static kh_keeper *keeper;

static const fake_key one_key[] = {FAKE_KEY(1, 1, 0xa1)};

static void run_keeper(const kh_store_ops *ops)
{
  keeper = fake_keeper_start(&fake, ops, one_key, COUNT(one_key), &said);
}

/* with its thread, which has looked once */
static void run_background(void)
{
  run_keeper(&fake_store_ops);
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){0}), KH_OK);
}

static int stop(void **state)
{
  (void)state;
  kh_keeper_free(&keeper);
  return 0;
}

static unsigned lookups(void)
{
  pthread_mutex_lock(&fake.mutex);
  unsigned count = fake.lookups;
  pthread_mutex_unlock(&fake.mutex);
  return count;
}

static void await_lookups(unsigned count)
{
  assert_true(TEST_COMES(lookups() >= count));
}

static void a_miss_is_noted_once(void **state)
{
  (void)state;
  kh_misses misses = {0};
  assert_true(kh_misses_add(&misses, (kh_miss){7, 0}));
  assert_true(kh_misses_add(&misses, (kh_miss){7, 3}));
  assert_false(kh_misses_add(&misses, (kh_miss){7, 0}));
  assert_false(kh_misses_add(&misses, (kh_miss){0, 3})); /* no key has this id */
  assert_int_equal(misses.noted, 2);
  assert_int_equal(misses.dropped, 0);
}

static void there_is_room_for_so_many(void **state)
{
  (void)state;
  kh_misses misses = {0};
  for (uint32_t i = 1; i <= KH_KEEPER_MISSES_MAX; i++)
    assert_true(kh_misses_add(&misses, (kh_miss){UINT32_MAX, i}));
  for (uint32_t i = 1; i <= KH_KEEPER_MISSES_MAX; i++)
    assert_false(kh_misses_add(&misses, (kh_miss){UINT32_MAX, i}));
  assert_int_equal(misses.dropped, 0);
  assert_false(kh_misses_add(&misses, (kh_miss){9, 9}));
  assert_int_equal(misses.noted, KH_KEEPER_MISSES_MAX);
  assert_int_equal(misses.dropped, 1);
  kh_misses_forget(&misses, 5);
  assert_int_equal(kh_misses_at(&misses, 5).id, 0);
  assert_true(kh_misses_add(&misses, (kh_miss){9, 9}));
  assert_int_equal(kh_misses_at(&misses, 5).id, 9);
  assert_int_equal(kh_misses_at(&misses, 5).version, 9);
}

enum { THREADS = 4, IDS = 40 };

static bool add_all(void *shared, size_t number)
{
  kh_misses *misses = shared;
  (void)number;
  for (uint32_t id = 1; id <= IDS; id++)
    (void)kh_misses_add(misses, (kh_miss){id, id});
  return true;
}

static void threads_note_each_miss_once(void **state)
{
  (void)state;
  kh_misses misses = {0};
  threads_run(THREADS, add_all, &misses);
  assert_int_equal(misses.noted, IDS);
  assert_int_equal(misses.dropped, 0);
}

/* without a look-up, and without a thread, misses are counted */
static void a_keeper_counts_misses(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare);
  for (int i = 0; i < 3; i++) {
    kh_keeper_note_miss(keeper, 7, 0);
    kh_keeper_note_miss(keeper, 1, 9);
  }
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.misses, 2);
  assert_int_equal(stats.misses_dropped, 0);
}

/* a key that a reload brings is no longer missed, and its place is free */
static void a_reload_answers_misses(void **state)
{
  (void)state;
  kh_keeper_token token;
  run_keeper(&fake_store_ops_bare);
  kh_keeper_note_miss(keeper, 7, 0);
  kh_keeper_note_miss(keeper, 7, 1);
  kh_keeper_note_miss(keeper, 8, 1);
  fake_store_set(&fake, (fake_key[]){FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 1, 0xc1)}, 2);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  kh_keeper_note_miss(keeper, 7, 0);
  kh_keeper_note_miss(keeper, 7, 1);
  kh_keeper_note_miss(keeper, 8, 1);
  assert_int_equal(kh_keeper_get_stats(keeper).misses, 5);
}

static void what_the_store_finds_is_put_in_force(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 4, 0xc4);
  fake.hidden[1] = (fake_key)FAKE_KEY(1, 3, 0xa3);
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 0);
  keeper_await_latest(keeper, 7, 4);
  kh_keeper_note_miss(keeper, 1, 3);
  keeper_await_latest(keeper, 1, 3);
  assert_int_equal(keeper_latest(keeper, 7), 4);
  recorder_await(
      &said,
      "'fake:1' (fake) supplied a missing key: 2 keys with 2 versions; new: key id 7 version "
      "4\n");
  assert_int_equal(kh_keeper_get_stats(keeper).versions, 3);
}

/* asked for again and again: the store is asked once */
static void what_the_store_lacks_is_remembered(void **state)
{
  (void)state;
  run_background();
  for (int i = 0; i < 50; i++) {
    kh_keeper_note_miss(keeper, 7, 2);
    test_pause(4);
  }
  await_lookups(1);
  test_pause(100);
  assert_int_equal(lookups(), 1);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

static void an_empty_answer_counts_as_no_answer(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.finds_nothing = true;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 2);
  await_lookups(1);
  test_pause(100);
  assert_int_equal(lookups(), 1);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
}

/* the failure is logged once and tried again later; the other misses do not ask a store that fails
 */
static void a_store_that_does_not_answer_is_not_asked_for_a_while(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.lookup_fails = KH_E_SOCKET;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 2);
  recorder_await(&said, "key id 7 version 2 cannot be looked up: ");
  for (uint32_t id = 10; id < 20; id++)
    kh_keeper_note_miss(keeper, id, 0);
  test_pause(200);
  assert_int_equal(lookups(), 1);
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
}

static void an_answer_with_another_key_is_refused(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.answers_with_old = true;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 2);
  recorder_await(&said, "key id 7 version 2 cannot be looked up: ");
  recorder_await(&said, "key id 1 version 1");
  const kh_key *key = kh_keytable_find(kh_keyring_begin(kh_keeper_ring(keeper)), 1, 1);
  bool is_kept = key != NULL && key->bytes[0] == 0xa1;
  kh_keyring_end(kh_keeper_ring(keeper));
  assert_true(is_kept);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
}

/* A useless answer, again and again, does not keep the others from being looked up.
 */
static void a_bad_answer_does_not_hold_up_other_misses(void **state)
{
  (void)state;
  kh_auto_lookup lookup;
  run_keeper(&fake_store_ops);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 2, 0xc2);
  fake.hidden[1] = (fake_key)FAKE_KEY(9, 1, 0xd1);
  fake.bad_id = 9;
  kh_keeper_note_miss(keeper, 9, 1); /* its place is the first one */
  kh_keeper_note_miss(keeper, 7, 2);
  assert_int_equal(kh_misses_at(&keeper->misses, 0).id, 9);
  kh_auto_lookup_task.begin(&lookup, keeper);
  assert_true(kh_auto_lookup_task.step(&lookup, keeper) > 0);
  lookup.backoff.next = 0; /* its waiting time has passed */
  (void)kh_auto_lookup_task.step(&lookup, keeper);
  assert_int_equal(keeper_latest(keeper, 7), 2);
  assert_int_equal(keeper_latest(keeper, 9), 0);
}

/* A found key is not the whole store: what another session prepared before is not skipped. */
static void a_found_key_does_not_replace_a_prepared_change(void **state)
{
  (void)state;
  kh_keeper_token token;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 4, 0xc4);
  pthread_mutex_unlock(&fake.mutex);
  fake_store_set(&fake,
                 (fake_key[]){FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 4, 0xc4), FAKE_KEY(8, 1, 0xd1)}, 3);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_note_miss(keeper, 7, 4);
  keeper_await_latest(keeper, 7, 4);
  assert_int_equal(keeper_latest(keeper, 8), 0);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 8), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_miss_is_noted_once),
      cmocka_unit_test(there_is_room_for_so_many),
      cmocka_unit_test(threads_note_each_miss_once),
      cmocka_unit_test_teardown(a_keeper_counts_misses, stop),
      cmocka_unit_test_teardown(a_reload_answers_misses, stop),
      cmocka_unit_test_teardown(what_the_store_finds_is_put_in_force, stop),
      cmocka_unit_test_teardown(what_the_store_lacks_is_remembered, stop),
      cmocka_unit_test_teardown(an_empty_answer_counts_as_no_answer, stop),
      cmocka_unit_test_teardown(a_store_that_does_not_answer_is_not_asked_for_a_while, stop),
      cmocka_unit_test_teardown(an_answer_with_another_key_is_refused, stop),
      cmocka_unit_test_teardown(a_bad_answer_does_not_hold_up_other_misses, stop),
      cmocka_unit_test_teardown(a_found_key_does_not_replace_a_prepared_change, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
