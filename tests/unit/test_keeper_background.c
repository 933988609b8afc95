/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread that waits for changes to settle */
/* wraps: kh_clock_milliseconds kh_clock_thread_milliseconds */
/* What the background thread does over a store that is not a file. Nothing is timed: each test
 * waits until something has happened. */
#include <pthread.h>
#include <stdatomic.h>

#include "keepers.h"
#include "keyhold/clock.h"
#include "tasks.h"
#include "unit.h"

enum { PATIENCE = 30 }; /* seconds */

static fake_store fake;
static recorder said;
static kh_keeper *keeper;

static const fake_key before[] = {FAKE_KEY(1, 1, 0xa1)};
static const fake_key after[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xa3)};
static const fake_key due[] = {FAKE_KEY(1, 1, 0xa1),
                               {.id = 2, .version = 1, .tag = 0xb1, .created = 1000, .rotate = 5}};

static const kh_keeper_background nothing = {0};
static const kh_keeper_background reloads = {.reload = true};
static const kh_keeper_background rotates = {.rotate = true};

enum { NOW = 1000000000 };
static bool rotation_is_slow; /* the first one takes ten seconds */

static uint32_t tell_time(void *user)
{
  (void)user;
  pthread_mutex_lock(&fake.mutex);
  uint32_t passed = rotation_is_slow && fake.rotations > 0 ? 10 : 0;
  pthread_mutex_unlock(&fake.mutex);
  return NOW + passed;
}

static _Atomic int64_t set_time; /* in milliseconds; 0: the clocks are the system's */
enum { COST = 10000 };           /* of a load while the time is set */

int64_t __real_kh_clock_milliseconds(void);
int64_t __wrap_kh_clock_milliseconds(void);
int64_t __real_kh_clock_thread_milliseconds(void);
int64_t __wrap_kh_clock_thread_milliseconds(void);

int64_t __wrap_kh_clock_milliseconds(void)
{
  int64_t now = atomic_load(&set_time);
  return now > 0 ? now : __real_kh_clock_milliseconds();
}

int64_t __wrap_kh_clock_thread_milliseconds(void)
{
  static _Atomic int64_t used;
  return atomic_load(&set_time) > 0 ? atomic_fetch_add(&used, COST)
                                    : __real_kh_clock_thread_milliseconds();
}

static void run_keeper(const kh_store_ops *ops, const fake_key *keys, size_t count)
{
  kh_keeper_options options = {.default_cipher = KH_CIPHER_AES_CBC,
                               .log = recorder_log(&said),
                               .clock = {tell_time, NULL},
                               .reload_advice = "; do not restart the server"};
  kh_store store = fake_store_start(&fake, ops, keys, count);
  assert_int_equal(kh_keeper_new(&options, &store, &keeper, NULL), KH_OK);
}

static void set_background(kh_keeper_background wanted)
{
  assert_int_equal(kh_keeper_set_background(keeper, wanted), KH_OK);
}

static int stop(void **state)
{
  (void)state;
  kh_keeper_free(&keeper);
  atomic_store(&set_time, 0);
  return fake.is_freed ? 0 : 1;
}

/* `again` is set while it waits, which wakes the thread */
static void await_said(const char *part, kh_keeper_background again)
{
  for (int i = 0; i < PATIENCE * 10 && !recorder_has(&said, part); i++) {
    set_background(again);
    test_pause(100);
  }
  recorder_expect(&said, part);
}

static bool is_watched(void)
{
  pthread_mutex_lock(&fake.mutex);
  bool has_events = fake.events >= 0;
  pthread_mutex_unlock(&fake.mutex);
  return has_events;
}

static void await_watched(bool wanted)
{
  assert_true(TEST_COMES(is_watched() == wanted));
}

static void a_change_that_is_watched_is_reloaded(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops, before, COUNT(before));
  set_background(reloads);
  await_watched(true);
  fake_store_set(&fake, after, COUNT(after));
  keeper_await_latest(keeper, 1, 3);
}

static void a_store_that_cannot_be_watched_is_looked_at(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops, before, COUNT(before));
  fake.watch_fails = KH_E_FILE_WATCH;
  set_background(reloads);
  await_said("the fake store cannot be watched and is checked every 5 seconds instead: ", reloads);
  fake_store_set(&fake, after, COUNT(after));
  set_background(reloads);
  keeper_await_latest(keeper, 1, 3);
}

static void a_store_without_a_watch_is_looked_at(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare, before, COUNT(before));
  set_background(reloads);
  fake_store_set(&fake, after, COUNT(after));
  set_background(reloads);
  keeper_await_latest(keeper, 1, 3);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

static void a_task_that_ends_lets_the_watch_go(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops, before, COUNT(before));
  set_background(reloads);
  await_watched(true);
  set_background(nothing);
  await_watched(false);
  set_background(reloads);
  await_watched(true);
}

/* the fake store has refused, or answered, so many loads without a statement */
static bool has_loaded(unsigned count)
{
  pthread_mutex_lock(&fake.mutex);
  bool has = fake.automatic_loads >= count;
  pthread_mutex_unlock(&fake.mutex);
  return has;
}

static void let_time_pass(int64_t milliseconds)
{
  atomic_fetch_add(&set_time, milliseconds);
  set_background(reloads);
  test_pause(10);
}

static bool loads_after(int64_t milliseconds, unsigned count)
{
  let_time_pass(milliseconds);
  return has_loaded(count);
}

/* whoever writes the content sets what it costs; a statement does not wait */
static void a_costly_refusal_delays_every_content(void **state)
{
  (void)state;
  enum { LOOK = 600, PAUSE = 8 * COST };
  kh_keeper_token token;
  atomic_store(&set_time, 1000);
  run_keeper(&fake_store_ops_bare, before, COUNT(before));
  fake.load_fails = KH_E_SOCKET;
  fake_store_set(&fake, before, COUNT(before));
  set_background(reloads);
  assert_true(TEST_COMES(loads_after(LOOK, 1)));
  recorder_await(&said, "was not reloaded");
  fake_store_set(&fake, after, COUNT(after));
  for (int64_t passed = 0; passed < PAUSE - 2 * LOOK; passed += LOOK)
    assert_false(loads_after(LOOK, 2));
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_E_SOCKET);
  assert_true(TEST_COMES(loads_after(LOOK, 2)));
  assert_int_equal(fake.loads,
                   4); /* the first one, two automatic ones, and that of the statement */
}

/* an unfinished change is waited for; an explicit reload is not held back */
static void a_content_that_is_doubted_is_not_reloaded_automatically(void **state)
{
  (void)state;
  kh_keeper_token token;
  run_keeper(&fake_store_ops, before, COUNT(before));
  pthread_mutex_lock(&fake.mutex);
  fake.doubt = KH_E_FILE_UNFINISHED;
  pthread_mutex_unlock(&fake.mutex);
  fake_store_set(&fake, after, COUNT(after));
  await_said("the fake store was not reloaded: ", reloads);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 1), 3);
}

/* a store that is away for a moment causes no warning; for longer, one */
static void a_store_that_stays_away_is_warned_of(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops, before, COUNT(before));
  pthread_mutex_lock(&fake.mutex);
  fake.mark_fails = KH_E_SOCKET;
  pthread_mutex_unlock(&fake.mutex);
  set_background(reloads);
  test_pause(300);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
  assert_true(kh_keeper_get_stats(keeper).last_reload_ok);
  await_said("the fake store was not reloaded: ", reloads);
  set_background(reloads);
  test_pause(300);
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_false(stats.last_reload_ok);
  assert_string_not_equal(stats.last_result, "ok");
  assert_int_equal(stats.failures, 1);

  /* it comes back as it was: there is nothing to reload */
  pthread_mutex_lock(&fake.mutex);
  fake.mark_fails = KH_OK;
  pthread_mutex_unlock(&fake.mutex);
  set_background(reloads);
  assert_true(TEST_COMES(kh_keeper_get_stats(keeper).last_reload_ok));
  stats = kh_keeper_get_stats(keeper);
  assert_string_equal(stats.last_result, "ok");
  assert_int_equal(stats.failures, 1);
  assert_int_equal(stats.generation, 1);
}

/* Only a reload shows that the reason has passed, since the content is the same. */
static void a_reload_on_request_that_failed_is_repeated(void **state)
{
  (void)state;
  kh_keeper_token token;
  run_keeper(&fake_store_ops, before, COUNT(before));
  pthread_mutex_lock(&fake.mutex);
  fake.load_fails = KH_E_SOCKET;
  fake.doubt = KH_E_FILE_UNFINISHED; /* what is in force is not waited for */
  pthread_mutex_unlock(&fake.mutex);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_E_SOCKET);
  assert_false(kh_keeper_get_stats(keeper).last_reload_ok);
  set_background(reloads);
  recorder_await(&said, "the fake store was not reloaded: ");
  recorder_expect(&said, "; do not restart the server\n");
  assert_false(kh_keeper_get_stats(keeper).last_reload_ok);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 2);
  set_background(nothing);
  await_watched(false);
  pthread_mutex_lock(&fake.mutex);
  fake.load_fails = KH_OK;
  pthread_mutex_unlock(&fake.mutex);
  set_background(reloads);
  assert_true(TEST_COMES(kh_keeper_get_stats(keeper).last_reload_ok));
  assert_string_equal(kh_keeper_get_stats(keeper).last_result, "ok");
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 2);
}

static void a_key_that_is_due_is_rotated(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops, due, COUNT(due));
  set_background(rotates);
  keeper_await_latest(keeper, 2, 3);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  assert_int_equal(kh_keeper_get_stats(keeper).rotations, 1);
}

/* else the store would be asked again and again without a pause */
static void a_store_that_loses_new_versions_is_not_asked_for_a_while(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops, due, COUNT(due));
  fake.forgets_new_versions = true;
  await_said("keys due for rotation were not rotated: ", rotates);
  for (int i = 0; i < 10; i++) {
    set_background(rotates);
    test_pause(20);
  }
  pthread_mutex_lock(&fake.mutex);
  unsigned rotations = fake.rotations;
  pthread_mutex_unlock(&fake.mutex);
  assert_int_equal(rotations, 2);
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
}

/* while another key is being rotated: this one was not left out */
static void a_key_that_comes_due_meanwhile_is_rotated(void **state)
{
  (void)state;
  const fake_key keys[] = {
      due[0], due[1], {.id = 3, .version = 1, .tag = 0xc1, .created = NOW - 5, .rotate = 10}};
  rotation_is_slow = true;
  run_keeper(&fake_store_ops, keys, COUNT(keys));
  set_background(rotates);
  keeper_await_latest(keeper, 3, 3);
  test_pause(100);
  rotation_is_slow = false;
  assert_int_equal(keeper_latest(keeper, 2), 5);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

static void a_store_that_cannot_rotate_is_logged_once(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare, due, COUNT(due));
  await_said("keys due for rotation were not rotated: Cannot rotate the keys of 'fake:1'", rotates);
  set_background(rotates);
  test_pause(300);
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
}

/* only a store that can look keys up needs the thread for that */
static void the_thread_runs_only_if_there_is_a_task(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare, before, COUNT(before));
  set_background(nothing);
  assert_true(TEST_COMES(test_tasks("keyhold", NULL) == 0));
  kh_keeper_free(&keeper);
  run_keeper(&fake_store_ops, before, COUNT(before));
  assert_true(TEST_COMES(test_tasks("keyhold", NULL) == 0));
  set_background(nothing);
  assert_true(TEST_COMES(test_tasks("keyhold", NULL) == 1));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_change_that_is_watched_is_reloaded, stop),
      cmocka_unit_test_teardown(a_store_that_cannot_be_watched_is_looked_at, stop),
      cmocka_unit_test_teardown(a_store_without_a_watch_is_looked_at, stop),
      cmocka_unit_test_teardown(a_task_that_ends_lets_the_watch_go, stop),
      cmocka_unit_test_teardown(a_costly_refusal_delays_every_content, stop),
      cmocka_unit_test_teardown(a_content_that_is_doubted_is_not_reloaded_automatically, stop),
      cmocka_unit_test_teardown(a_store_that_stays_away_is_warned_of, stop),
      cmocka_unit_test_teardown(a_reload_on_request_that_failed_is_repeated, stop),
      cmocka_unit_test_teardown(a_key_that_is_due_is_rotated, stop),
      cmocka_unit_test_teardown(a_store_that_loses_new_versions_is_not_asked_for_a_while, stop),
      cmocka_unit_test_teardown(a_key_that_comes_due_meanwhile_is_rotated, stop),
      cmocka_unit_test_teardown(a_store_that_cannot_rotate_is_logged_once, stop),
      cmocka_unit_test_teardown(the_thread_runs_only_if_there_is_a_task, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
