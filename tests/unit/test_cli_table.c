/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include "cli/output/table.h"
#include "unit.h"

static const char *const texts[][3] = {
    {"a", "1", "x"}, {"longer", "12345", ""}, {"", "7", ""}, {"", "", ""}, {"b", "", "y"}};
static const kh_cli_column columns[] = {{"NAME", false}, {"SIZE", true}, {"REST", false}};

static void fill(const void *user, size_t row, kh_cli_cell *cells)
{
  for (size_t i = 0; i < COUNT(columns); i++) {
    assert_string_equal(cells[i].text, ""); /* they are zeroed */
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

static void colours_do_not_change_the_alignment(void **state)
{
  (void)state;
  assert_prints(1, KH_CLI_BAD, true,
                "\033[1mNAME\033[0m  \033[1mSIZE\033[0m  \033[1mREST\033[0m\n"
                "\033[31ma\033[0m        \033[31m1\033[0m  \033[31mx\033[0m\n");
}

static void fill_escape(const void *user, size_t row, kh_cli_cell *cells)
{
  (void)user;
  (void)row;
  snprintf(cells[0].text, KH_CLI_CELL_MAX, "\x1b]0;title\x07");
}

static void a_cell_with_control_characters(void **state)
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

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_are_aligned),
      cmocka_unit_test(titles_count_too),
      cmocka_unit_test(colours_do_not_change_the_alignment),
      cmocka_unit_test(a_cell_with_control_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
