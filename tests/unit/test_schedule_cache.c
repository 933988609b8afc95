/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/crypt/schedule_cache.h"
#include "unit.h"

static kh_bytes key(const char *text)
{
  return (kh_bytes){(const uint8_t *)text, 16};
}

static void a_schedule_belongs_to_one_key_and_kind(void **state)
{
  (void)state;
  kh_schedule schedule = {.len = 0};
  assert_false(kh_schedule_fits(&schedule, key("0123456789abcdef"), 0));
  kh_schedule_note(&schedule, key("0123456789abcdef"), 2);
  assert_true(kh_schedule_fits(&schedule, key("0123456789abcdef"), 2));
  assert_false(kh_schedule_fits(&schedule, key("0123456789abcdef"), 1));
  assert_false(kh_schedule_fits(&schedule, key("0123456789abcdeX"), 2));
  assert_false(
      kh_schedule_fits(&schedule, (kh_bytes){(const uint8_t *)"0123456789abcdef01234567", 24}, 2));
}

static void it_is_old_after_so_many_uses_also_when_the_count_wraps(void **state)
{
  (void)state;
  static const uint32_t starts[] = {0, 5, UINT32_MAX, UINT32_MAX - KH_SCHEDULE_USES,
                                    UINT32_MAX - 1};
  for (size_t i = 0; i < COUNT(starts); i++) {
    kh_schedule schedule = {.len = 16, .last_use = starts[i]};
    assert_false(kh_schedule_is_old(&schedule, starts[i] + KH_SCHEDULE_USES));
    assert_true(kh_schedule_is_old(&schedule, starts[i] + KH_SCHEDULE_USES + 1));
    schedule.len = 0;
    assert_false(kh_schedule_is_old(&schedule, starts[i] + KH_SCHEDULE_USES + 1));
  }
}

static void a_free_one_is_evicted_first_then_the_oldest(void **state)
{
  (void)state;
  kh_schedule free_one = {.len = 0};
  kh_schedule older = {.len = 16, .last_use = UINT32_MAX - 3};
  kh_schedule newer = {.len = 16, .last_use = 2};
  assert_true(kh_schedule_is_evicted_before(&free_one, &older, 5));
  assert_false(kh_schedule_is_evicted_before(&older, &free_one, 5));
  assert_false(kh_schedule_is_evicted_before(&free_one, &free_one, 5));
  assert_true(kh_schedule_is_evicted_before(&older, &newer, 5));
  assert_false(kh_schedule_is_evicted_before(&newer, &older, 5));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_schedule_belongs_to_one_key_and_kind),
      cmocka_unit_test(it_is_old_after_so_many_uses_also_when_the_count_wraps),
      cmocka_unit_test(a_free_one_is_evicted_first_then_the_oldest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
