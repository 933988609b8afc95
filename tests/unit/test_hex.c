/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "keyhold/hex.h"
#include "unit.h"

static kh_bytes digits(const char *text)
{
  return bytes_of(text);
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

static void every_byte_encodes_and_decodes_again(void **state)
{
  (void)state;
  for (unsigned byte = 0; byte < 256; byte++) {
    uint8_t data = (uint8_t)byte;
    uint8_t decoded = (uint8_t)~byte;
    char expected[3];
    uint8_t written[4] = {0xff, 0xff, 0xff, 0xff};
    snprintf(expected, sizeof expected, "%02x", byte);
    kh_hex_encode((kh_bytes){&data, 1}, written);
    assert_memory_equal(written, expected, 3);
    assert_int_equal(written[3], 0xff);
    assert_true(kh_hex_decode((kh_bytes){written, 2}, &decoded));
    assert_int_equal(decoded, byte);
  }
}

static void runs_of_bytes_encode_in_their_order(void **state)
{
  (void)state;
  static const uint8_t data[] = {0x00, 0x19, 0xaf, 0xff};
  uint8_t written[9] = {0xff};
  kh_hex_encode((kh_bytes){data, 0}, written);
  assert_int_equal(written[0], 0);
  kh_hex_encode((kh_bytes){data, sizeof data}, written);
  assert_string_equal((const char *)written, "0019afff");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_decodes_in_either_case),
      cmocka_unit_test(anything_else_is_refused),
      cmocka_unit_test(every_byte_encodes_and_decodes_again),
      cmocka_unit_test(runs_of_bytes_encode_in_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
