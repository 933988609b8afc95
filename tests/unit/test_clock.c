/* SPDX-License-Identifier: GPL-2.0-only */
#include <time.h>

#include "keyhold/clock.h"
#include "unit.h"

static uint32_t turned(void *user)
{
  return *(uint32_t *)user;
}

static void the_systems_clock_is_the_time(void **state)
{
  (void)state;
  kh_clock clock = kh_clock_system();
  time_t before = time(NULL);
  uint32_t now = kh_clock_now(&clock);
  assert_in_range(now, before, time(NULL));
}

static void a_clock_of_ones_own(void **state)
{
  (void)state;
  uint32_t time = 7;
  kh_clock clock = {turned, &time};
  assert_int_equal(kh_clock_now(&clock), 7);
  time = UINT32_MAX;
  assert_int_equal(kh_clock_now(&clock), UINT32_MAX);
}

static void the_steady_clock_counts_milliseconds(void **state)
{
  (void)state;
  struct timespec pause = {.tv_nsec = 20000000};
  int64_t before = kh_clock_milliseconds();
  nanosleep(&pause, NULL);
  int64_t passed = kh_clock_milliseconds() - before;
  assert_in_range(passed, 20, 10000);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_systems_clock_is_the_time),
      cmocka_unit_test(a_clock_of_ones_own),
      cmocka_unit_test(the_steady_clock_counts_milliseconds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
