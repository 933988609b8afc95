/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread that waits for changes to settle */
/* The keeper's thread checks whether the store still has the keys in force, and reloads nothing. */
#include <pthread.h>

#include "keepers.h"
#include "tasks.h"
#include "unit.h"

enum { EVERY = 20 }; /* milliseconds */

static fake_store fake;
static recorder said;
static kh_keeper *keeper;

static const fake_key in_force[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xa3),
                                    FAKE_KEY(2, 1, 0xb1)};
static const fake_key old[] = {FAKE_KEY(1, 1, 0xa1)};
static const fake_key other[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xff), FAKE_KEY(2, 1, 0xb1)};
static const fake_key more[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xa3), FAKE_KEY(2, 1, 0xb1),
                                FAKE_KEY(2, 3, 0xb3)};

static const kh_keeper_background checks = {.check_every = EVERY};

static int start(void **state)
{
  (void)state;
  keeper = fake_keeper_start(&fake, &fake_store_ops, in_force, COUNT(in_force), &said);
  return kh_keeper_set_background(keeper, checks) == KH_OK ? 0 : 1;
}

static int stop(void **state)
{
  (void)state;
  kh_keeper_free(&keeper);
  return fake.is_freed ? 0 : 1;
}

static unsigned loads(void)
{
  pthread_mutex_lock(&fake.mutex);
  unsigned count = fake.loads;
  pthread_mutex_unlock(&fake.mutex);
  return count;
}

static void make_fail(kh_status *of, kh_status status)
{
  pthread_mutex_lock(&fake.mutex);
  *of = status;
  pthread_mutex_unlock(&fake.mutex);
}

static void await_unsaved(size_t versions)
{
  assert_true(TEST_COMES(kh_keeper_get_stats(keeper).unsaved == versions));
}

static void an_old_copy_is_reported_once(void **state)
{
  (void)state;
  fake_store_set(&fake, old, COUNT(old));
  recorder_await(&said, "the keys in use cannot be read from the fake store: Key id 1 version 3 is "
                        "missing in 'fake:1'; the keys in use stay in force. Data may need it: put "
                        "it back; do not restart the server\n");
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 2);
  test_pause(10L * EVERY);
  assert_int_equal(loads(), 2); /* of the start, and of the check */
  assert_int_equal(recorder_count(&said, KH_LOG_WARNING), 1);
  assert_int_equal(keeper_latest(keeper, 1), 3);
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.generation, 1);
  assert_true(stats.last_reload_ok);
  assert_int_equal(stats.failures, 0);
}

static void each_finding_is_reported_and_its_end(void **state)
{
  (void)state;
  fake_store_set(&fake, old, COUNT(old));
  await_unsaved(2);
  fake_store_set(&fake, other, COUNT(other));
  recorder_await(&said, "has a different key for key id 1 version 3");
  await_unsaved(1);
  assert_int_equal(recorder_count(&said, KH_LOG_WARNING), 2);
  fake_store_set(&fake, more, COUNT(more));
  recorder_await(&said, "'fake:1' has every key version in use again\n");
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 0);
  test_pause(10L * EVERY);
  assert_int_equal(loads(), 4);
  assert_int_equal(keeper_latest(keeper, 2), 1); /* nothing is put in force */
  fake_store_set(&fake, old, COUNT(old));
  await_unsaved(2);
  assert_true(TEST_COMES(recorder_count(&said, KH_LOG_WARNING) == 3));
}

static void a_store_that_is_gone_is_reported_and_saving_mends_it(void **state)
{
  (void)state;
  kh_keeper_token token;
  make_fail(&fake.mark_fails, KH_E_FILE_NOT_FOUND);
  recorder_await(&said, "the keys in use cannot be read from the fake store: ");
  await_unsaved(3);
  test_pause(10L * EVERY);
  assert_int_equal(recorder_count(&said, KH_LOG_WARNING), 1);
  assert_int_equal(loads(), 1);
  make_fail(&fake.mark_fails, KH_OK);
  recorder_await(&said, "has every key version in use again\n");
  fake_store_set(&fake, old, COUNT(old));
  await_unsaved(2);
  assert_int_equal(kh_keeper_prepare_save(keeper, false, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 0);
  assert_true(TEST_COMES(recorder_count(&said, KH_LOG_NOTE) >= 4)); /* saved, and complete, again */
  assert_int_equal(recorder_count(&said, KH_LOG_WARNING), 2);
}

/* A minute passes before it is tried again. */
static void a_content_that_does_not_load_is_not_tried_at_each_look(void **state)
{
  (void)state;
  make_fail(&fake.load_fails, KH_E_WRONG_PASSPHRASE);
  fake_store_set(&fake, in_force, COUNT(in_force));
  await_unsaved(3);
  test_pause(10L * EVERY);
  assert_int_equal(loads(), 2);
  assert_int_equal(recorder_count(&said, KH_LOG_WARNING), 1);
  make_fail(&fake.load_fails, KH_OK);
  fake_store_set(&fake, in_force, COUNT(in_force));
  await_unsaved(0);
}

/* Nothing is known of it: it may have every key, or none. */
static void a_content_that_is_not_looked_at_changes_no_count(void **state)
{
  (void)state;
  make_fail(&fake.load_fails, KH_E_STORE_FIFO);
  fake_store_set(&fake, in_force, COUNT(in_force));
  recorder_await(&said,
                 "the keys in use were not compared with the fake store: 'fake:1' is a FIFO, "
                 "and reading it would take away what the next start needs; it is read by a "
                 "start and by a reload only\n");
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 0);
  make_fail(&fake.load_fails, KH_OK);
  fake_store_set(&fake, old, COUNT(old));
  await_unsaved(2);
  make_fail(&fake.load_fails, KH_E_STORE_FIFO);
  fake_store_set(&fake, in_force, COUNT(in_force));
  test_pause(10L * EVERY);
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 2);
}

/* It has replaced the one with the keys in force, and may have others. */
static void a_content_that_is_too_costly_to_look_at_counts_as_a_loss(void **state)
{
  (void)state;
  make_fail(&fake.load_fails, KH_E_SEALED_WORK);
  fake_store_set(&fake, in_force, COUNT(in_force));
  recorder_await(&said, "the keys in use cannot be read from the fake store: Cannot decrypt "
                        "'fake:1' automatically");
  recorder_await(&said, "SET GLOBAL file_key_management_reload = ON loads it");
  await_unsaved(3);
}

static void a_content_that_is_too_costly_to_reload_counts_as_a_loss(void **state)
{
  (void)state;
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){.reload = true}), KH_OK);
  make_fail(&fake.load_fails, KH_E_SEALED_WORK);
  fake_store_set(&fake, in_force, COUNT(in_force));
  recorder_await(&said, "the fake store was not reloaded: Cannot decrypt 'fake:1' automatically");
  recorder_await(&said, "SET GLOBAL file_key_management_reload = ON loads it");
  await_unsaved(3);
}

static void what_auto_reload_reports_is_not_reported_twice(void **state)
{
  (void)state;
  kh_keeper_background both = {.reload = true, .check_every = EVERY};
  assert_int_equal(kh_keeper_set_background(keeper, both), KH_OK);
  fake_store_set(&fake, old, COUNT(old));
  recorder_await(&said, "the fake store was not reloaded: Key id 1 version 3 is missing in");
  await_unsaved(2);
  test_pause(10L * EVERY);
  assert_int_equal(recorder_count(&said, KH_LOG_WARNING), 1);
  assert_false(recorder_has(&said, "cannot be read from"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_old_copy_is_reported_once, start, stop),
      cmocka_unit_test_setup_teardown(each_finding_is_reported_and_its_end, start, stop),
      cmocka_unit_test_setup_teardown(a_store_that_is_gone_is_reported_and_saving_mends_it, start,
                                      stop),
      cmocka_unit_test_setup_teardown(a_content_that_does_not_load_is_not_tried_at_each_look, start,
                                      stop),
      cmocka_unit_test_setup_teardown(a_content_that_is_not_looked_at_changes_no_count, start,
                                      stop),
      cmocka_unit_test_setup_teardown(a_content_that_is_too_costly_to_look_at_counts_as_a_loss,
                                      start, stop),
      cmocka_unit_test_setup_teardown(a_content_that_is_too_costly_to_reload_counts_as_a_loss,
                                      start, stop),
      cmocka_unit_test_setup_teardown(what_auto_reload_reports_is_not_reported_twice, start, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
