/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/policy.h"
#include "unit.h"

static void when_a_key_is_due(void **state)
{
  (void)state;
  assert_true(kh_policy_due(&(kh_policy){0}) == KH_POLICY_NEVER);
  assert_true(kh_policy_due(&(kh_policy){.created = 1000}) == KH_POLICY_NEVER);
  assert_int_equal(kh_policy_due(&(kh_policy){.created = 1000, .rotate = 50}), 1050);
  assert_int_equal(kh_policy_due(&(kh_policy){.rotate = 50}), 50);
  assert_true(kh_policy_due(&(kh_policy){.created = 4000000000u, .rotate = 3000000000u}) ==
              7000000000u);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(when_a_key_is_due),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
