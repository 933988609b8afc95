/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/random.h"
#include "unit.h"

static int start(void **state)
{
  (void)state;
  return kh_random_start() != KH_OK;
}

static void every_number_below_the_bound_comes(void **state)
{
  (void)state;
  unsigned seen[46] = {0};
  for (unsigned i = 0; i < 46 * 100; i++) {
    uint32_t number = kh_random_below(46);
    assert_in_range(number, 0, 45);
    seen[number]++;
  }
  for (size_t i = 0; i < COUNT(seen); i++)
    assert_in_range(seen[i], 1, 300); /* the chance that one of them fails this is below 1e-40 */
}

static void bounds_of_nothing(void **state)
{
  (void)state;
  assert_int_equal(kh_random_below(0), 0);
  assert_int_equal(kh_random_below(1), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_number_below_the_bound_comes),
      cmocka_unit_test(bounds_of_nothing),
  };
  return cmocka_run_group_tests(tests, start, NULL);
}
