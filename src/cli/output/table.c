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

/* Fills the cells of a line; line 0 has the titles. */
static void fill_table_line(const kh_cli_table *table, size_t line, kh_cli_cell *cells)
{
  memset(cells, 0, KH_CLI_COLUMNS_MAX * sizeof *cells);
  if (line > 0) {
    table->fill(table->user, line - 1, cells);
    return;
  }
  for (size_t i = 0; i < table->column_count; i++) {
    snprintf(cells[i].text, KH_CLI_CELL_MAX, "%s", table->columns[i].title);
    cells[i].colour = KH_CLI_HEAD;
  }
}

void kh_cli_print_coloured(FILE *to, kh_cli_colour colour, bool in_colour, const char *text)
{
  bool plain = !in_colour || colour == KH_CLI_PLAIN || text[0] == '\0';
  fputs(plain ? "" : begins[colour], to);
  kh_cli_put_text(to, text);
  fputs(plain ? "" : "\033[0m", to);
}

/* Prints spaces only before a text, so that no line ends in one. */
static void print_table_line(const kh_cli_table *table, const kh_cli_cell *cells,
                             const size_t *widths, FILE *to, bool in_colour)
{
  size_t owed = 0;
  for (size_t i = 0; i < table->column_count; i++) {
    const kh_cli_cell *cell = &cells[i];
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
  kh_cli_cell cells[KH_CLI_COLUMNS_MAX];
  for (size_t line = 0; line <= table->row_count; line++) {
    fill_table_line(table, line, cells);
    for (size_t i = 0; i < table->column_count; i++) {
      size_t len = strlen(cells[i].text);
      widths[i] = len > widths[i] ? len : widths[i];
    }
  }
  for (size_t line = 0; line <= table->row_count; line++) {
    fill_table_line(table, line, cells);
    print_table_line(table, cells, widths, to, in_colour);
  }
}
