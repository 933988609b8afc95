/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <string.h>

#include "keyhold/status.h"
#include "unit.h"

static void every_code_has_its_own_phrase(void **state)
{
  (void)state;
  for (int a = 0; a < KH_STATUS_COUNT; a++) {
    assert_string_not_equal(kh_status_phrase((kh_status)a), "unknown status");
    for (int b = 0; b < a; b++)
      assert_string_not_equal(kh_status_phrase((kh_status)a), kh_status_phrase((kh_status)b));
  }
}

static void a_code_outside_the_enum_is_unknown(void **state)
{
  (void)state;
  assert_string_equal(kh_status_phrase(KH_STATUS_COUNT), "unknown status");
  assert_string_equal(kh_status_phrase((kh_status)4000000000u), "unknown status");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_code_has_its_own_phrase),
      cmocka_unit_test(a_code_outside_the_enum_is_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
