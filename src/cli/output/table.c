/* SPDX-License-Identifier: GPL-2.0-only */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* SGR of ECMA-48 */
static const char *const begins[] = {
    [KH_CLI_PLAIN] = "",        [KH_CLI_HEAD] = "\033[1m", [KH_CLI_GOOD] = "\033[32m",
    [KH_CLI_NOTE] = "\033[33m", [KH_CLI_BAD] = "\033[31m",
};

bool kh_cli_may_colour(FILE *stream)
{
  const char *none = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  return (none == NULL || none[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0 &&
         isatty(fileno(stream));
}

struct row {
  kh_cli_cell cells[KH_CLI_COLUMNS_MAX];
};

static void fill(const kh_cli_table *table, size_t index, struct row *ret_row)
{
  memset(ret_row, 0, sizeof *ret_row);
  table->fill(table->user, index, ret_row->cells);
}

static void fill_titles(const kh_cli_table *table, struct row *ret_row)
{
  for (size_t i = 0; i < table->column_count; i++) {
    snprintf(ret_row->cells[i].text, KH_CLI_CELL_MAX, "%s", table->columns[i].title);
    ret_row->cells[i].colour = KH_CLI_HEAD;
  }
}

static void widen(const kh_cli_table *table, const struct row *row, size_t *widths)
{
  for (size_t i = 0; i < table->column_count; i++) {
    size_t len = strlen(row->cells[i].text);
    if (len > widths[i])
      widths[i] = len;
  }
}

void kh_cli_print_coloured(FILE *to, kh_cli_colour colour, bool in_colour, const char *text)
{
  bool plain = !in_colour || colour == KH_CLI_PLAIN || text[0] == '\0';
  fputs(plain ? "" : begins[colour], to);
  kh_cli_put_text(to, text);
  fputs(plain ? "" : "\033[0m", to);
}

/* spaces are owed until a text follows them, so that no line ends in one */
static void print_row(const kh_cli_table *table, const struct row *row, const size_t *widths,
                      FILE *to, bool in_colour)
{
  size_t owed = 0;
  for (size_t i = 0; i < table->column_count; i++) {
    const kh_cli_cell *cell = &row->cells[i];
    size_t len = strlen(cell->text);
    size_t gap = widths[i] - len;
    if (len > 0) {
      fprintf(to, "%*s", (int)(owed + (table->columns[i].is_number ? gap : 0)), "");
      kh_cli_print_coloured(to, cell->colour, in_colour, cell->text);
      owed = 0;
    }
    owed += (len > 0 && table->columns[i].is_number ? 0 : gap) + 2;
  }
  fputc('\n', to);
}

void kh_cli_table_print(const kh_cli_table *table, FILE *to, bool in_colour)
{
  size_t widths[KH_CLI_COLUMNS_MAX] = {0};
  struct row row = {0};
  fill_titles(table, &row);
  widen(table, &row, widths);
  for (size_t i = 0; i < table->row_count; i++) {
    fill(table, i, &row);
    widen(table, &row, widths);
  }
  fill_titles(table, &row);
  print_row(table, &row, widths, to, in_colour);
  for (size_t i = 0; i < table->row_count; i++) {
    fill(table, i, &row);
    print_row(table, &row, widths, to, in_colour);
  }
}
