/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "keyhold/hex.h"
#include "unit.h"

static kh_bytes digits(const char *text)
{
  return (kh_bytes){(const uint8_t *)text, strlen(text)};
}

static void every_byte_decodes_in_either_case(void **state)
{
  (void)state;
  for (unsigned byte = 0; byte < 256; byte++) {
    char lower[3];
    char upper[3];
    uint8_t decoded = (uint8_t)~byte;
    snprintf(lower, sizeof lower, "%02x", byte);
    snprintf(upper, sizeof upper, "%02X", byte);
    assert_true(kh_hex_decode(digits(lower), &decoded));
    assert_int_equal(decoded, byte);
    decoded = (uint8_t)~byte;
    assert_true(kh_hex_decode(digits(upper), &decoded));
    assert_int_equal(decoded, byte);
  }
}

static void anything_else_is_refused(void **state)
{
  (void)state;
  uint8_t decoded[8];
  assert_false(kh_hex_decode(digits("123"), decoded));
  assert_false(kh_hex_decode(digits("1g"), decoded));
  assert_false(kh_hex_decode(digits("12 4"), decoded));
  assert_false(kh_hex_decode(digits("0x12"), decoded));
  assert_true(kh_hex_decode(digits("1234"), decoded));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_decodes_in_either_case),
      cmocka_unit_test(anything_else_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
