/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/cursor.h"
#include "unit.h"

static kh_cursor over(const char *text)
{
  return kh_cursor_over(bytes_of(text));
}

static bool is_a(int byte)
{
  return byte == 'a';
}

static void it_never_passes_the_end(void **state)
{
  (void)state;
  kh_cursor cursor = over("ab");
  assert_int_equal(kh_cursor_peek(&cursor), 'a');
  assert_int_equal(kh_cursor_peek_at(&cursor, 1), 'b');
  assert_int_equal(kh_cursor_peek_at(&cursor, 2), KH_CURSOR_END);
  assert_int_equal(kh_cursor_peek_at(&cursor, SIZE_MAX), KH_CURSOR_END);
  kh_cursor_skip(&cursor, SIZE_MAX);
  assert_true(kh_cursor_at_end(&cursor));
  assert_int_equal(cursor.at, 2);
  assert_int_equal(kh_cursor_peek(&cursor), KH_CURSOR_END);
  assert_int_equal(kh_cursor_take(&cursor, 5).len, 0);
}

static void no_bytes_at_all(void **state)
{
  (void)state;
  kh_cursor cursor = kh_cursor_over((kh_bytes){NULL, 0});
  assert_true(kh_cursor_at_end(&cursor));
  assert_int_equal(kh_cursor_peek(&cursor), KH_CURSOR_END);
  assert_int_equal(kh_cursor_take(&cursor, 1).len, 0);
  assert_int_equal(kh_cursor_take_until(&cursor, 'x').len, 0);
}

static void bytes_are_unsigned(void **state)
{
  (void)state;
  kh_cursor cursor = over("\xff");
  assert_int_equal(kh_cursor_peek(&cursor), 255);
}

static void lines(void **state)
{
  (void)state;
  kh_cursor cursor = over("one\n\ntwo");
  assert_int_equal(kh_cursor_take_until(&cursor, '\n').len, 3);
  assert_int_equal(kh_cursor_take_until(&cursor, '\n').len, 0);
  assert_false(kh_cursor_at_end(&cursor));
  kh_bytes last = kh_cursor_take_until(&cursor, '\n');
  assert_memory_equal(last.data, "two", 3);
  assert_true(kh_cursor_at_end(&cursor));
}

static void span_counts_and_does_not_move(void **state)
{
  (void)state;
  kh_cursor cursor = over("aaab");
  assert_int_equal(kh_cursor_span(&cursor, is_a), 3);
  assert_int_equal(cursor.at, 0);
  kh_cursor_skip(&cursor, 3);
  assert_int_equal(kh_cursor_span(&cursor, is_a), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_never_passes_the_end),
      cmocka_unit_test(no_bytes_at_all),
      cmocka_unit_test(bytes_are_unsigned),
      cmocka_unit_test(lines),
      cmocka_unit_test(span_counts_and_does_not_move),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
