/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/keeper/budget.h"
#include "unit.h"

enum { NOW = 1000000, MINUTES = 60000 };

static int64_t pause_after(kh_budget *budget, int64_t cost, bool is_refused)
{
  kh_budget_spend(budget, NOW, cost, is_refused);
  return kh_budget_left(budget, NOW);
}

static void a_pause_grows_with_each_refusal(void **state)
{
  (void)state;
  kh_budget budget = {0};
  assert_int_equal(kh_budget_left(&budget, NOW), 0);
  assert_int_equal(pause_after(&budget, 100, true), 800);
  assert_int_equal(pause_after(&budget, 100, true), 1600);
  assert_int_equal(pause_after(&budget, 100, true), 3200);
  assert_int_equal(pause_after(&budget, 100, true), 6400);
  assert_int_equal(pause_after(&budget, 100, true), 6400);
  assert_int_equal(kh_budget_left(&budget, NOW + 6399), 1);
  assert_int_equal(kh_budget_left(&budget, NOW + 6401), 0);
}

static void a_pause_has_a_limit(void **state)
{
  (void)state;
  kh_budget budget = {0};
  int64_t last = 0;
  for (int i = 0; i < 100; i++) {
    int64_t pause = pause_after(&budget, 8000, true);
    assert_true(pause >= last && pause <= 5 * MINUTES);
    last = pause;
  }
  assert_in_range(last, 5 * MINUTES - 64, 5 * MINUTES);
  assert_in_range(pause_after(&budget, INT64_MAX, true), 5 * MINUTES - 64, 5 * MINUTES);
}

static void what_costs_nothing_is_not_delayed(void **state)
{
  (void)state;
  kh_budget budget = {0};
  for (int i = 0; i < 100; i++)
    assert_int_equal(pause_after(&budget, 0, true), 0);
}

static void a_success_ends_the_growth(void **state)
{
  (void)state;
  kh_budget budget = {0};
  pause_after(&budget, 100, true);
  pause_after(&budget, 100, true);
  assert_int_equal(pause_after(&budget, 100, false), 800);
  assert_int_equal(pause_after(&budget, 100, false), 800);
  assert_int_equal(pause_after(&budget, 100, true), 800);
  kh_budget_reset(&budget);
  assert_int_equal(kh_budget_left(&budget, NOW), 0);
  assert_int_equal(pause_after(&budget, 100, true), 800);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pause_grows_with_each_refusal),
      cmocka_unit_test(a_pause_has_a_limit),
      cmocka_unit_test(what_costs_nothing_is_not_delayed),
      cmocka_unit_test(a_success_ends_the_growth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
