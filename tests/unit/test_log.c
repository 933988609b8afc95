/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/limits.h"
#include "keyhold/log.h"
#include "recorder.h"
#include "unit.h"

static void a_message_reaches_the_callback(void **state)
{
  (void)state;
  recorder rec;
  kh_log log = recorder_log(&rec);
  kh_log_write(&log, KH_LOG_WARNING, "%s %d", "line", 7);
  assert_string_equal(rec.text, "line 7\n");
  assert_int_equal(rec.count[KH_LOG_WARNING], 1);
}

static void a_missing_log_is_not_an_error(void **state)
{
  (void)state;
  kh_log none = {NULL, NULL};
  kh_log_write(NULL, KH_LOG_NOTE, "unheard");
  kh_log_write(&none, KH_LOG_NOTE, "unheard");
}

static void a_long_message_is_cut(void **state)
{
  (void)state;
  recorder rec;
  kh_log log = recorder_log(&rec);
  kh_log_write(&log, KH_LOG_NOTE, "%*s", (int)KH_MESSAGE_MAX - 1, "x");
  assert_int_equal(strlen(rec.text), KH_MESSAGE_MAX - 1 + 1);
  log = recorder_log(&rec);
  kh_log_write(&log, KH_LOG_NOTE, "%*s", (int)KH_MESSAGE_MAX, "x");
  assert_int_equal(strlen(rec.text), KH_MESSAGE_MAX - 1 + 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_message_reaches_the_callback),
      cmocka_unit_test(a_missing_log_is_not_an_error),
      cmocka_unit_test(a_long_message_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
