/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args/number.h"
#include "unit.h"

static void numbers(void **state)
{
  (void)state;
  uint32_t number = 77;
  static const char *const none[] = {
      "",   "x", "1x", " 1", "-1", "+1", "0x1", "9", "101", "4294967296", "18446744073709551617",
      "1.0"};
  for (size_t i = 0; i < COUNT(none); i++)
    assert_false(kh_cli_read_number(none[i], 10, 100, &number));
  assert_false(kh_cli_read_number("", 0, 100, &number));
  assert_int_equal(number, 77);
  assert_true(kh_cli_read_number("10", 10, 100, &number) && number == 10);
  assert_true(kh_cli_read_number("0100", 10, 100, &number) && number == 100);
  assert_true(kh_cli_read_number("4294967295", 0, UINT32_MAX, &number) && number == UINT32_MAX);
  assert_false(kh_cli_read_number("4294967296", 0, UINT32_MAX, &number));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
