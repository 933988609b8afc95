/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args/number.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "unit.h"

static const char *const texts[][3] = {
    {"a", "1", "x"}, {"longer", "12345", ""}, {"", "7", ""}, {"", "", ""}, {"b", "", "y"}};
static const kh_cli_column columns[] = {{"NAME", false}, {"SIZE", true}, {"REST", false}};

static void fill(const void *user, size_t row, kh_cli_cell *cells)
{
  for (size_t i = 0; i < COUNT(columns); i++) {
    assert_string_equal(cells[i].text, ""); /* they come empty */
    snprintf(cells[i].text, KH_CLI_CELL_MAX, "%s", texts[row][i]);
    cells[i].colour = row == 0 ? *(const kh_cli_colour *)user : KH_CLI_PLAIN;
  }
}

static void assert_prints(size_t rows, kh_cli_colour colour, bool in_colour, const char *expected)
{
  char *text = NULL;
  size_t len;
  FILE *out = open_memstream(&text, &len);
  kh_cli_table table = {columns, COUNT(columns), rows, fill, &colour};
  kh_cli_table_print(&table, out, in_colour);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, expected);
  free(text);
}

static void columns_are_aligned(void **state)
{
  (void)state;
  assert_prints(5, KH_CLI_PLAIN, true,
                "\033[1mNAME\033[0m     \033[1mSIZE\033[0m  \033[1mREST\033[0m\n"
                "a           1  x\n"
                "longer  12345\n"
                "            7\n"
                "\n"
                "b              y\n");
}

static void titles_count_too(void **state)
{
  (void)state;
  assert_prints(1, KH_CLI_BAD, false, "NAME  SIZE  REST\na        1  x\n");
  assert_prints(0, KH_CLI_BAD, false, "NAME  SIZE  REST\n");
}

static void colours_do_not_move_anything(void **state)
{
  (void)state;
  assert_prints(1, KH_CLI_BAD, true,
                "\033[1mNAME\033[0m  \033[1mSIZE\033[0m  \033[1mREST\033[0m\n"
                "\033[31ma\033[0m        \033[31m1\033[0m  \033[31mx\033[0m\n");
}

static void assert_string(const char *text, const char *expected)
{
  char *json = NULL;
  size_t len;
  FILE *out = open_memstream(&json, &len);
  kh_cli_put_json(out, text);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(json, expected);
  free(json);
}

static void strings_of_json(void **state)
{
  (void)state;
  assert_string("", "\"\"");
  assert_string("plain /path", "\"plain /path\"");
  assert_string("\"\\\n\t\x01\x7f", "\"\\\"\\\\\\u000a\\u0009\\u0001\\u007f\"");
  assert_string("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91",
                "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91\"");
}

/* each byte that is wrong is replaced, and what follows it stays */
static void what_is_not_utf8(void **state)
{
  (void)state;
  assert_string("\x80x", "\"\\ufffdx\"");
  assert_string("\xc3", "\"\\ufffd\"");
  assert_string("\xc3x", "\"\\ufffdx\"");
  assert_string("\xc0\xaf", "\"\\ufffd\\ufffd\"");                         /* overlong */
  assert_string("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");              /* likewise */
  assert_string("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");              /* a surrogate */
  assert_string("\xf4\x90\x80\x80z", "\"\\ufffd\\ufffd\\ufffd\\ufffdz\""); /* beyond U+10FFFF */
  assert_string("\xe2\x82", "\"\\ufffd\\ufffd\"");
  assert_string("\xf0\x9f\x94", "\"\\ufffd\\ufffd\\ufffd\"");
  assert_string("\xff", "\"\\ufffd\"");
}

static void assert_put(const char *text, const char *expected)
{
  char *put = NULL;
  size_t len;
  FILE *out = open_memstream(&put, &len);
  kh_cli_put_text(out, text);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(put, expected);
  assert_true(snprintf(put, len + 1, "%s", text) == (int)len); /* as many bytes */
  kh_cli_hide_controls(put);
  assert_string_equal(put, expected);
  free(put);
}

static void what_a_terminal_is_given(void **state)
{
  (void)state;
  assert_put("", "");
  assert_put("plain \"\\/ ~", "plain \"\\/ ~");
  assert_put("\x1b[31mred\x1b[0m", "?[31mred?[0m");
  assert_put("a\rb\nc\td\x1f\x7f", "a?b?c?d??");
  assert_put("\xc3\xa4 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x94\x91",
             "\xc3\xa4 \xc2\xa0 \xe2\x82\xac \xf0\x9f\x94\x91");
  assert_put("\xc2\x80x\xc2\x9b"
             "31m\xc2\x9f",
             "\?\?x\?\?31m\?\?"); /* C1 */
  assert_put("\x9b"
             "31m\xc3\xe2\x82",
             "\?31m\?\?\?");
}

static void fill_escape(const void *user, size_t row, kh_cli_cell *cells)
{
  (void)user;
  (void)row;
  snprintf(cells[0].text, KH_CLI_CELL_MAX, "\x1b]0;title\x07");
}

static void a_cell_of_anything(void **state)
{
  (void)state;
  char *text = NULL;
  size_t len;
  FILE *out = open_memstream(&text, &len);
  kh_cli_table table = {columns, 1, 1, fill_escape, NULL};
  kh_cli_table_print(&table, out, false);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, "NAME\n?]0;title?\n");
  free(text);
}

static void null_of_json(void **state)
{
  (void)state;
  char *json = NULL;
  size_t len;
  FILE *out = open_memstream(&json, &len);
  kh_cli_put_json(out, NULL);
  kh_cli_put_json(out, "null");
  assert_int_equal(fclose(out), 0);
  assert_string_equal(json, "null\"null\"");
  free(json);
}

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
      cmocka_unit_test(columns_are_aligned),
      cmocka_unit_test(titles_count_too),
      cmocka_unit_test(colours_do_not_move_anything),
      cmocka_unit_test(strings_of_json),
      cmocka_unit_test(what_is_not_utf8),
      cmocka_unit_test(what_a_terminal_is_given),
      cmocka_unit_test(a_cell_of_anything),
      cmocka_unit_test(null_of_json),
      cmocka_unit_test(numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
