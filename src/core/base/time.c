/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "keyhold/cursor.h"
#include "keyhold/limits.h"

/* the last one divides every interval */
static const struct unit {
  char letter;
  uint32_t seconds;
} units[] = {{'y', 31536000}, {'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

enum { UNITS = sizeof units / sizeof units[0] };

static bool is_digit(int byte)
{
  return byte >= '0' && byte <= '9';
}

static bool skip_byte(kh_cursor *cursor, int byte)
{
  if (kh_cursor_peek(cursor) != byte)
    return false;
  kh_cursor_skip(cursor, 1);
  return true;
}

/* exactly `count` digits */
static bool read_digits(kh_cursor *cursor, int count, int *ret_value)
{
  int value = 0;
  for (int i = 0; i < count; i++) {
    int byte = kh_cursor_peek(cursor);
    if (!is_digit(byte))
      return false;
    value = value * 10 + (byte - '0');
    kh_cursor_skip(cursor, 1);
  }
  *ret_value = value;
  return true;
}

static bool read_date(kh_cursor *cursor, struct tm *tm)
{
  int year, month;
  if (!read_digits(cursor, 4, &year) || !skip_byte(cursor, '-') ||
      !read_digits(cursor, 2, &month) || !skip_byte(cursor, '-') ||
      !read_digits(cursor, 2, &tm->tm_mday))
    return false;
  tm->tm_year = year - 1900;
  tm->tm_mon = month - 1;
  return true;
}

static bool read_clock(kh_cursor *cursor, struct tm *tm)
{
  return skip_byte(cursor, 'T') && read_digits(cursor, 2, &tm->tm_hour) && skip_byte(cursor, ':') &&
         read_digits(cursor, 2, &tm->tm_min) && skip_byte(cursor, ':') &&
         read_digits(cursor, 2, &tm->tm_sec) && skip_byte(cursor, 'Z');
}

/* timegm() converts the 30th of February to the 2nd of March */
static bool is_real_time(const struct tm *wanted, time_t time)
{
  struct tm real;
  return gmtime_r(&time, &real) != NULL && real.tm_year == wanted->tm_year &&
         real.tm_mon == wanted->tm_mon && real.tm_mday == wanted->tm_mday &&
         real.tm_hour == wanted->tm_hour && real.tm_min == wanted->tm_min &&
         real.tm_sec == wanted->tm_sec;
}

bool kh_time_read(kh_bytes text, uint32_t *ret_time)
{
  kh_cursor cursor = kh_cursor_over(text);
  struct tm tm = {.tm_isdst = 0};
  if (!read_date(&cursor, &tm))
    return false;
  if (!kh_cursor_at_end(&cursor) && (!read_clock(&cursor, &tm) || !kh_cursor_at_end(&cursor)))
    return false;
  struct tm normalised = tm;
  time_t time = timegm(&normalised);
  if (time < 1 || time > (time_t)UINT32_MAX || !is_real_time(&tm, time))
    return false;
  *ret_time = (uint32_t)time;
  return true;
}

kh_time_text kh_time_show(uint32_t time)
{
  kh_time_text shown = {.text = ""};
  time_t wide = (time_t)time;
  struct tm tm;
  (void)gmtime_r(&wide, &tm); /* 32 bits are a year that it knows */
  strftime(shown.text, sizeof shown.text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return shown;
}

/* stops at the first number that no unit can make small enough */
static bool read_count_of_units(kh_cursor *cursor, uint64_t *ret_number)
{
  uint64_t number = 0;
  if (!is_digit(kh_cursor_peek(cursor)))
    return false;
  for (int byte; is_digit(byte = kh_cursor_peek(cursor)); kh_cursor_skip(cursor, 1)) {
    number = number * 10 + (uint64_t)(byte - '0');
    if (number > KH_ROTATE_MAX)
      return false;
  }
  *ret_number = number;
  return true;
}

static bool read_unit(kh_cursor *cursor, uint32_t *ret_seconds)
{
  for (size_t i = 0; i < UNITS; i++)
    if (skip_byte(cursor, units[i].letter)) {
      *ret_seconds = units[i].seconds;
      return true;
    }
  return false;
}

bool kh_interval_read(kh_bytes text, uint32_t *ret_seconds)
{
  kh_cursor cursor = kh_cursor_over(text);
  uint64_t number;
  uint32_t unit;
  if (!read_count_of_units(&cursor, &number) || !read_unit(&cursor, &unit) ||
      !kh_cursor_at_end(&cursor))
    return false;
  uint64_t seconds = number * unit;
  if (seconds < KH_ROTATE_MIN || seconds > KH_ROTATE_MAX)
    return false;
  *ret_seconds = (uint32_t)seconds;
  return true;
}

kh_time_text kh_interval_show(uint32_t seconds)
{
  kh_time_text shown;
  const struct unit *unit = units;
  while (seconds % unit->seconds != 0)
    unit++;
  snprintf(shown.text, sizeof shown.text, "%" PRIu32 "%c", seconds / unit->seconds, unit->letter);
  return shown;
}
