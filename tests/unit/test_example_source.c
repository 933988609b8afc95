/* SPDX-License-Identifier: GPL-2.0-only */
/* How the versions of example_key_management change, with a clock that the test sets. Under
 * ThreadSanitizer this also proves that a change under concurrent callers is not a race. */
#include <stdatomic.h>

#include "plugins/example/source.h"
#include "threads.h"
#include "unit.h"

enum { THREADS = 4, TURNS = 3000 };

static _Atomic uint32_t hands;
static kh_example_keys *keys;

static uint32_t turned(void *unused)
{
  (void)unused;
  return atomic_load(&hands);
}

static int start(void **state)
{
  (void)state;
  static const kh_clock clock = {turned, NULL};
  hands = 1000000;
  return kh_example_keys_new(&clock, &keys) != KH_OK;
}

static int stop(void **state)
{
  (void)state;
  kh_example_source.free(keys);
  return 0;
}

static uint32_t latest(uint32_t id)
{
  uint32_t version = 0;
  assert_int_equal(kh_example_source.latest(keys, id, &version), KH_OK);
  return version;
}

static void the_first_version_is_the_time_of_the_start(void **state)
{
  (void)state;
  assert_int_equal(latest(1), 1000000);
  assert_int_equal(latest(0), 1000000);
  assert_int_equal(latest(4294967295u), 1000000);
}

/* Moves the clock by seconds until the version changes; returns the seconds. */
static unsigned seconds_to_the_next(void)
{
  uint32_t before = latest(1);
  uint32_t began = hands;
  while (latest(1) == before)
    hands++;
  assert_int_equal(latest(1), hands);
  assert_int_equal(latest(2), hands);
  return hands - began;
}

static void each_lasts_45_to_90_seconds_at_random(void **state)
{
  (void)state;
  unsigned seen[KH_EXAMPLE_PERIOD_MAX + 1] = {0};
  for (unsigned i = 0; i < 46 * 60; i++) {
    unsigned seconds = seconds_to_the_next();
    assert_in_range(seconds, 45, 90);
    seen[seconds]++;
  }
  for (unsigned seconds = 45; seconds <= 90; seconds++)
    assert_true(seen[seconds] > 0); /* that one is missing has a chance below 1e-24 */
}

static void a_leap_of_the_clock_is_one_change(void **state)
{
  (void)state;
  hands += 86400;
  assert_int_equal(latest(1), hands);
  hands += 44;
  assert_int_equal(latest(1), hands - 44);
}

static void a_clock_set_back_lowers_nothing(void **state)
{
  (void)state;
  hands += 1000;
  uint32_t version = latest(1);
  hands -= 900;
  assert_int_equal(latest(1), version);
  hands += 900 + 44;
  assert_int_equal(latest(1), version);
  hands += 46;
  assert_int_equal(latest(1), hands);
}

static void odd_versions_are_ecb_and_even_ones_cbc(void **state)
{
  (void)state;
  assert_int_equal(kh_example_source.cipher(keys, 1, 1795301783), KH_CIPHER_AES_ECB);
  assert_int_equal(kh_example_source.cipher(keys, 1, 1795301784), KH_CIPHER_AES_CBC);
  assert_int_equal(kh_example_source.cipher(keys, 2, 0), KH_CIPHER_AES_CBC);
}

/* No thread ever sees a lower version than before, or one that was never the clock's time. */
static bool watch_the_version(void *unused, size_t number)
{
  (void)unused;
  (void)number;
  uint32_t last = 0;
  for (;;) {
    uint32_t version = 0;
    uint32_t now = atomic_load(&hands);
    if (kh_example_source.latest(keys, 1, &version) != KH_OK || version < last ||
        version % 100 != 0 || version > atomic_load(&hands))
      return false;
    if (version < now) /* each step of the clock is longer than any period */
      return false;
    last = version;
    if (now >= 2000000 + TURNS * 100)
      return true;
  }
}

static void threads_that_meet_at_a_change(void **state)
{
  (void)state;
  threads watchers = {.count = 0};
  hands = 2000000;
  latest(1);
  threads_start(&watchers, THREADS, watch_the_version, NULL);
  for (unsigned turn = 0; turn < TURNS; turn++) {
    hands += 100;
    latest(1);
  }
  threads_join(&watchers);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_version_is_the_time_of_the_start),
      cmocka_unit_test(each_lasts_45_to_90_seconds_at_random),
      cmocka_unit_test(a_leap_of_the_clock_is_one_change),
      cmocka_unit_test(a_clock_set_back_lowers_nothing),
      cmocka_unit_test(odd_versions_are_ecb_and_even_ones_cbc),
      cmocka_unit_test(threads_that_meet_at_a_change),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
