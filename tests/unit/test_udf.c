/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_report_fault */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/fault.h"
#include "server/report.h"
#include "server/udf.h"
#include "unit.h"
#include "wrap.h"

static kh_fault reported;
static unsigned reports, made;
static kh_status answer;

WRAPS(kh_report_fault);
void __wrap_kh_report_fault(const kh_fault *fault)
{
  reported = *fault;
  reports++;
}

static kh_status make(char **ret_text, size_t *ret_len)
{
  if (answer != KH_OK)
    return answer;
  made++;
  *ret_text = strdup("a text");
  *ret_len = 6;
  return KH_OK;
}

static int forget(void **state)
{
  (void)state;
  reports = made = 0;
  answer = KH_OK;
  return 0;
}

/* what the server passes: its defaults, and an empty message */
static my_bool start(UDF_INIT *init, unsigned arg_count, char *message)
{
  UDF_ARGS args = {.arg_count = arg_count};
  *init = (UDF_INIT){.maybe_null = 1, .max_length = 255};
  message[0] = '\0';
  return kh_udf_start(init, &args, message);
}

static char *ask(const UDF_INIT *init, unsigned long *ret_len, char *ret_error)
{
  *ret_error = 0;
  return kh_udf_text(init, "the_function", make, ret_len, ret_error);
}

static void a_text_is_made_once_a_statement(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE], error;
  unsigned long len = 0;
  UDF_INIT init;
  assert_int_equal(start(&init, 0, message), 0);
  assert_string_equal(message, "");
  assert_int_equal(made, 0);
  char *first = ask(&init, &len, &error);
  assert_int_equal(error, 0);
  assert_int_equal(len, 6);
  assert_string_equal(first, "a text");
  assert_ptr_equal(ask(&init, &len, &error), first);
  assert_int_equal(made, 1);
  kh_udf_stop(&init);
  assert_null(init.ptr);
}

static void a_statement_that_never_asks(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE];
  UDF_INIT init;
  assert_int_equal(start(&init, 0, message), 0);
  kh_udf_stop(&init);
  kh_udf_stop(&init);
  assert_int_equal(made, 0);
}

static void the_result_is_never_null_and_of_any_length(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE];
  UDF_INIT init;
  assert_int_equal(start(&init, 0, message), 0);
  assert_int_equal(init.maybe_null, 0);
  assert_int_equal(init.max_length, 4294967295u);
  kh_udf_stop(&init);
}

static void arguments_are_refused(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE];
  UDF_INIT init;
  assert_int_equal(start(&init, 1, message), 1);
  assert_string_equal(message, "the function takes no arguments");
  assert_null(init.ptr);
}

/* the server has room for MYSQL_ERRMSG_SIZE bytes */
static void a_long_reason_is_cut(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE + 1], reason[2 * MYSQL_ERRMSG_SIZE];
  memset(reason, 'r', sizeof reason);
  reason[sizeof reason - 1] = '\0';
  message[MYSQL_ERRMSG_SIZE] = 'x';
  assert_int_equal(kh_udf_refuse(message, "%s", reason), 1);
  assert_int_equal(strlen(message), MYSQL_ERRMSG_SIZE - 1);
  assert_int_equal(message[MYSQL_ERRMSG_SIZE], 'x');
}

/* a NULL alone would drop the row without an error */
static void a_failure_is_reported(void **state)
{
  (void)state;
  char message[MYSQL_ERRMSG_SIZE], error;
  unsigned long len = 77;
  UDF_INIT init;
  assert_int_equal(start(&init, 0, message), 0);
  answer = KH_E_NO_MEMORY;
  assert_null(ask(&init, &len, &error));
  assert_int_equal(error, 1);
  assert_int_equal(reports, 1);
  assert_int_equal(reported.status, KH_E_NO_MEMORY);
  assert_string_equal(reported.path.text, "the_function");
  answer = KH_OK;
  assert_non_null(ask(&init, &len, &error));
  assert_int_equal(error, 0);
  kh_udf_stop(&init);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_text_is_made_once_a_statement, forget),
      cmocka_unit_test_setup(a_statement_that_never_asks, forget),
      cmocka_unit_test_setup(the_result_is_never_null_and_of_any_length, forget),
      cmocka_unit_test_setup(arguments_are_refused, forget),
      cmocka_unit_test_setup(a_long_reason_is_cut, forget),
      cmocka_unit_test_setup(a_failure_is_reported, forget),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
