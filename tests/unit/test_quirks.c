/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is looked up in the running process.
 * wraps: dlsym
 */
#include <fcntl.h>
#include <mysql/plugin.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/quirks.h"
#include "unit.h"

/* the process, as the plugin sees it; NULL: it does not have that */
static const char *server_version;
static bool has_printf;

static struct {
  unsigned number;
  unsigned long flags;
  char text[1024];
  unsigned count;
  char all[4096]; /* the lines, with '|' after each */
} reported;

static void report(unsigned number, const char *format, unsigned long flags, ...)
{
  va_list arguments;
  va_start(arguments, flags);
  vsnprintf(reported.text, sizeof reported.text, format, arguments);
  va_end(arguments);
  reported.number = number;
  reported.flags = flags;
  reported.count++;
  assert_in_range(strlen(reported.text), 1, KH_LINE_MAX - 1);
  size_t used = strlen(reported.all);
  snprintf(reported.all + used, sizeof reported.all - used, "%s|", reported.text);
}

void *__wrap_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name)
{
  (void)handle;
  if (strcmp(name, "server_version") == 0)
    return (void *)server_version;
  return strcmp(name, "my_printf_error") == 0 && has_printf ? (void *)report : NULL;
}

static void the_server_reports(void **state)
{
  (void)state;
  has_printf = true;
  kh_quirks_report(29, ME_ERROR_LOG, NULL, "100% %s");
  assert_string_equal(reported.text, "100% %s");
  assert_int_equal(reported.number, 29);
  assert_int_equal(reported.flags, ME_ERROR_LOG);
  kh_quirks_report(2, ME_NOTE, "file", "loaded");
  assert_string_equal(reported.text, "file: loaded");
}

/* a message of so many bytes, in words of nine letters */
static const char *long_message(size_t len)
{
  static char text[3000];
  for (size_t i = 0; i < len; i++)
    text[i] = "0123456789 "[i % 10 == 9 ? 10 : i / 10 % 10];
  text[len] = '\0';
  return text;
}

static void report_long(unsigned long flags, const char *what, size_t len)
{
  memset(&reported, 0, sizeof reported);
  has_printf = true;
  kh_quirks_report(2, flags, what, long_message(len));
}

static void a_message_at_the_limit_of_a_line_and_one_past_it(void **state)
{
  (void)state;
  report_long(ME_ERROR_LOG, NULL, KH_LINE_MAX - 1);
  assert_int_equal(reported.count, 1);
  assert_string_equal(reported.text, long_message(KH_LINE_MAX - 1));
  report_long(ME_ERROR_LOG, NULL, KH_LINE_MAX);
  assert_int_equal(reported.count, 2);
  assert_int_equal(reported.flags, ME_ERROR_LOG | ME_NOTE); /* one statement has one error */
  report_long(ME_ERROR_LOG, "file", KH_LINE_MAX - 1 - strlen("file: "));
  assert_int_equal(reported.count, 1);
  report_long(ME_WARNING | ME_ERROR_LOG, "file", KH_LINE_MAX - strlen("file: "));
  assert_int_equal(reported.count, 2);
  assert_int_equal(reported.flags, ME_NOTE | ME_ERROR_LOG); /* and one event one warning */
}

/* without a byte lost, and cut at spaces */
static void a_longer_message_goes_into_more_lines(void **state)
{
  (void)state;
  char whole[4096];
  report_long(ME_NOTE | ME_ERROR_LOG_ONLY, "file", 2500);
  assert_int_equal(reported.count, 6);
  snprintf(whole, sizeof whole, "file: %s|", long_message(2500));
  for (char *cut; (cut = strstr(reported.all, "|... ")) != NULL;)
    memmove(cut, cut + strlen("|..."), strlen(cut + strlen("|...")) + 1);
  assert_string_equal(reported.all, whole);
}

/* What goes to standard error meanwhile. */
static const char *heard_on_stderr(unsigned long flags, const char *what)
{
  static char text[256];
  int old = dup(STDERR_FILENO);
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  dup2(ends[1], STDERR_FILENO);
  kh_quirks_report(2, flags, what, "no 100%");
  fflush(stderr);
  dup2(old, STDERR_FILENO);
  close(old);
  close(ends[1]);
  ssize_t len = read(ends[0], text, sizeof text - 1);
  close(ends[0]);
  assert_true(len >= 0);
  text[len] = '\0';
  return text;
}

static void a_process_without_the_function_gets_a_line(void **state)
{
  (void)state;
  has_printf = false;
  assert_string_equal(heard_on_stderr(ME_ERROR_LOG, NULL), "[ERROR] no 100%\n");
  assert_string_equal(heard_on_stderr(ME_WARNING | ME_ERROR_LOG, "file"),
                      "[Warning] file: no 100%\n");
  assert_string_equal(heard_on_stderr(ME_NOTE | ME_ERROR_LOG_ONLY, "file"),
                      "[Note] file: no 100%\n");
}

static void a_long_passphrase_is_refused_in_the_words_of_the_version(void **state)
{
  static const struct {
    const char *version, *unit;
  } cases[] = {
      {NULL, "B "},
      {"", "B "},
      {"10.11.19-MariaDB-deb12", "B "},
      {"11.4.5-MariaDB", "B "},
      {"11.8.9-MariaDB-ubu2404", " bytes"},
      {"12.0.2-MariaDB", " bytes"},
      {"9", "B "},
  };
  (void)state;
  kh_fault fault;
  char message[KH_MESSAGE_MAX];
  char expected[128];
  (void)kh_fault_set(&fault, KH_E_SECRET_TOO_LONG, "pw", 0);
  fault.limit = 256;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    server_version = cases[i].version;
    kh_quirks_describe(&fault, message, sizeof message);
    snprintf(expected, sizeof expected,
             "Cannot read pw, the filekey is too long, max secret size is 256%s", cases[i].unit);
    assert_string_equal(message, expected);
  }
}

static void other_faults_have_the_same_words_in_all_versions(void **state)
{
  (void)state;
  kh_fault fault;
  char message[KH_MESSAGE_MAX];
  server_version = "11.8.9-MariaDB";
  (void)kh_fault_set(&fault, KH_E_FILE_SPECIAL, "B ", 0);
  kh_quirks_describe(&fault, message, sizeof message);
  assert_string_equal(message,
                      "Cannot read 'B ': it is not a regular file; specify a regular file");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_server_reports),
      cmocka_unit_test(a_message_at_the_limit_of_a_line_and_one_past_it),
      cmocka_unit_test(a_longer_message_goes_into_more_lines),
      cmocka_unit_test(a_process_without_the_function_gets_a_line),
      cmocka_unit_test(a_long_passphrase_is_refused_in_the_words_of_the_version),
      cmocka_unit_test(other_faults_have_the_same_words_in_all_versions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
