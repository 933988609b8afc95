/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keyhold/limits.h"
#include "keyhold/time.h"
#include "unit.h"

static void times_that_exist(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    uint32_t time;
  } cases[] = {
      {"1970-01-01T00:00:01Z", 1},
      {"1970-01-02", 86400},
      {"1970-01-02T00:00:00Z", 86400},
      {"1972-02-29T12:00:00Z", 68212800},
      {"1999-12-31T23:59:59Z", 946684799},
      {"2000-01-01", 946684800},
      {"2000-02-29", 951782400}, /* a leap year: 400 divides it */
      {"2024-02-29T23:59:59Z", 1709251199},
      {"2026-11-22T01:05:55Z", 1795309555},
      {"2038-01-19T03:14:07Z", 2147483647},
      {"2038-01-19T03:14:08Z", 2147483648},
      {"2104-02-29", 4233686400},
      {"2106-02-07", 4294944000},
      {"2106-02-07T06:28:15Z", 4294967295},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint32_t time = 0;
    assert_true(kh_time_read(bytes_of(cases[i].text), &time));
    assert_int_equal(time, cases[i].time);
  }
}

static void texts_that_are_not_times(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "",
      "2",
      "2026",
      "2026-11",
      "2026-11-",
      "2026-11-2",
      "2026-11-022",
      "2026-11-22T",
      "2026-11-22Z",
      "2026-11-22T01",
      "2026-11-22T01:05",
      "2026-11-22T01:05Z",
      "2026-11-22T01:05:5Z",
      "2026-11-22T01:05:55",
      "2026-11-22T01:05:55z",
      "2026-11-22t01:05:55Z",
      "2026-11-22 01:05:55Z",
      "2026-11-22T01:05:55ZZ",
      "2026-11-22T01:05:55Z ",
      " 2026-11-22",
      "2026-11-22 ",
      "2026-11-22\n",
      "2026-11-22T01:05:55+00:00",
      "2026-11-22T01:05:55.0Z",
      "2026-11-22T010555Z",
      "20261122",
      "20261122T010555Z",
      "2026/11/22",
      "2026-326",
      "+2026-11-22",
      "-2026-11-22",
      "+026-11-22",
      "2026-+1-22",
      "2026- 1-22",
      "2026-1-22",
      "26-11-22",
      "12026-11-22",
      "0x26-11-22",
      /* days and times that do not exist */
      "2026-02-29",
      "2026-02-30",
      "2100-02-29",
      "2023-02-29T00:00:00Z",
      "2026-04-31",
      "2026-06-31",
      "2026-09-31",
      "2026-11-31",
      "2026-12-32",
      "2026-00-10",
      "2026-13-10",
      "2026-10-00",
      "2026-99-99",
      "2026-11-22T24:00:00Z",
      "2026-11-22T25:00:00Z",
      "2026-11-22T23:60:00Z",
      "2026-11-22T23:59:61Z",
      "2026-11-22T99:99:99Z",
      "2016-12-31T23:59:60Z", /* a leap second that was */
      /* times that 32 bits cannot hold, and 0 */
      "1970-01-01",
      "1970-01-01T00:00:00Z",
      "1969-12-31",
      "1969-12-31T23:59:59Z",
      "0000-01-01",
      "0001-01-01",
      "1900-01-01",
      "2106-02-07T06:28:16Z",
      "2106-02-08",
      "2107-01-01",
      "9999-12-31T23:59:59Z",
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    uint32_t time = 77;
    if (kh_time_read(bytes_of(texts[i]), &time))
      fail_msg("'%s' is taken", texts[i]);
    assert_int_equal(time, 77);
  }
}

static void bytes_after_the_end_and_nul_bytes(void **state)
{
  (void)state;
  static const char text[] = "2026-11-22T01:05:55Z\0";
  uint32_t time;
  for (size_t len = 0; len < sizeof text; len++) {
    /* on the heap, where the sanitizer notices a read past the end */
    uint8_t *data = malloc(len == 0 ? 1 : len);
    memcpy(data, text, len);
    assert_int_equal(kh_time_read((kh_bytes){data, len}, &time), len == 10 || len == 20);
    free(data);
  }
  assert_false(kh_time_read((kh_bytes){NULL, 0}, &time));
}

/* times far apart and near the borders of years */
static uint32_t sample(uint32_t i)
{
  return i < 4000 ? i : i < 8000 ? UINT32_MAX - (i - 4000) : i * 2654435761u;
}

static void what_is_shown_reads_back(void **state)
{
  (void)state;
  for (uint32_t i = 1; i < 200000; i++) {
    uint32_t time = sample(i), back = 0;
    kh_time_text shown = kh_time_show(time);
    assert_int_equal(strlen(shown.text), 20);
    assert_true(kh_time_read(bytes_of(shown.text), &back));
    assert_int_equal(back, time);
  }
}

static void days_read_as_their_beginning(void **state)
{
  (void)state;
  for (uint32_t day = 1; day <= UINT32_MAX / 86400; day++) {
    uint32_t back = 0;
    kh_time_text shown = kh_time_show(day * 86400 + day % 20000);
    assert_true(kh_time_read((kh_bytes){(const uint8_t *)shown.text, 10}, &back));
    assert_int_equal(back, day * 86400);
  }
}

static void times_are_shown_in_utc(void **state)
{
  (void)state;
  uint32_t back = 0;
  assert_string_equal(kh_time_show(0).text, "1970-01-01T00:00:00Z");
  setenv("TZ", "America/New_York", 1);
  tzset();
  assert_string_equal(kh_time_show(1795309555).text, "2026-11-22T01:05:55Z");
  assert_true(kh_time_read(bytes_of("2026-11-22T01:05:55Z"), &back));
  assert_int_equal(back, 1795309555);
  assert_string_equal(kh_time_show(UINT32_MAX).text, "2106-02-07T06:28:15Z");
  unsetenv("TZ");
  tzset();
}

static void intervals(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    uint32_t seconds;
  } cases[] = {
      {"1s", 1},
      {"59s", 59},
      {"1m", 60},
      {"90m", 5400},
      {"1h", 3600},
      {"36h", 129600},
      {"1d", 86400},
      {"90d", 7776000},
      {"1w", 604800},
      {"1y", 31536000},
      {"100y", 3153600000},
      {"36525d", 3155760000},
      {"3155760000s", 3155760000},
      {"52596000m", 3155760000},
      {"876600h", 3155760000},
      {"5217w", 3155241600},
      {"007d", 604800},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint32_t seconds = 0;
    assert_true(kh_interval_read(bytes_of(cases[i].text), &seconds));
    assert_int_equal(seconds, cases[i].seconds);
  }
}

static void texts_that_are_not_intervals(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "",
      "d",
      "90",
      "90 d",
      " 90d",
      "90d ",
      "90dd",
      "90d1",
      "1d12h",
      "-1d",
      "+1d",
      "1.5d",
      "1e3s",
      "0x10s",
      "90D",
      "90M",
      "1S",
      "1Y",
      "1ms",
      "1x",
      "d90",
      "90\n",
      "90d\n",
      "0s",
      "0d",
      "0y",
      "000s", /* KH_ROTATE_MIN is a second */
      "3155760001s",
      "52596001m",
      "876601h",
      "36526d",
      "5218w",
      "101y",
      "3155760000y",
      "4294967295s",
      "4294967296s",
      "4294967297s",
      "18446744073709551616s",
      "18446744073709551617s",
      "99999999999999999999999999999999999999d",
  };
  for (size_t i = 0; i < COUNT(texts); i++) {
    uint32_t seconds = 77;
    if (kh_interval_read(bytes_of(texts[i]), &seconds))
      fail_msg("'%s' is taken", texts[i]);
    assert_int_equal(seconds, 77);
  }
  uint32_t seconds;
  assert_false(kh_interval_read((kh_bytes){NULL, 0}, &seconds));
  assert_false(kh_interval_read((kh_bytes){(const uint8_t *)"9d\0", 3}, &seconds));
}

static void intervals_are_shown_in_the_largest_unit(void **state)
{
  (void)state;
  static const struct {
    uint32_t seconds;
    const char *text;
  } cases[] = {
      {1, "1s"},
      {59, "59s"},
      {60, "1m"},
      {61, "61s"},
      {3600, "1h"},
      {5400, "90m"},
      {86400, "1d"},
      {129600, "36h"},
      {604800, "1w"},
      {7776000, "90d"},
      {31536000, "1y"},
      {31622400, "366d"},
      {63072000, "2y"},
      {KH_ROTATE_MAX, "36525d"},
      {UINT32_MAX, "4294967295s"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_string_equal(kh_interval_show(cases[i].seconds).text, cases[i].text);
}

static void expect_interval_reads_back(uint32_t seconds)
{
  uint32_t back = 0;
  assert_true(kh_interval_read(bytes_of(kh_interval_show(seconds).text), &back));
  assert_int_equal(back, seconds);
}

static void intervals_read_back(void **state)
{
  (void)state;
  static const uint32_t units[] = {1, 60, 3600, 86400, 604800, 31536000};
  expect_interval_reads_back(KH_ROTATE_MAX);
  for (size_t unit = 0; unit < COUNT(units); unit++)
    for (uint32_t i = KH_ROTATE_MIN; i <= 10000 && i <= KH_ROTATE_MAX / units[unit]; i++)
      expect_interval_reads_back(i * units[unit]);
  for (uint32_t i = 1; i <= 50000; i++)
    expect_interval_reads_back(i * 2654435761u % KH_ROTATE_MAX + KH_ROTATE_MIN);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_that_exist),
      cmocka_unit_test(texts_that_are_not_times),
      cmocka_unit_test(bytes_after_the_end_and_nul_bytes),
      cmocka_unit_test(what_is_shown_reads_back),
      cmocka_unit_test(days_read_as_their_beginning),
      cmocka_unit_test(times_are_shown_in_utc),
      cmocka_unit_test(intervals),
      cmocka_unit_test(texts_that_are_not_intervals),
      cmocka_unit_test(intervals_are_shown_in_the_largest_unit),
      cmocka_unit_test(intervals_read_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
