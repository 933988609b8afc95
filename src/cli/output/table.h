/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file table.h
 * An aligned table for people, and its colours.
 */
#ifndef KEYHOLD_CLI_TABLE_H
#define KEYHOLD_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { KH_CLI_COLUMNS_MAX = 16, KH_CLI_CELL_MAX = 200 };

/** What a text means, which a terminal shows as a colour. */
typedef enum kh_cli_colour {
  KH_CLI_PLAIN,
  KH_CLI_HEAD, /**< bold */
  KH_CLI_GOOD, /**< green */
  KH_CLI_NOTE, /**< yellow */
  KH_CLI_BAD,  /**< red */
} kh_cli_colour;

/** Whether a stream may be coloured: a terminal, and the environment does not ask for none
 * (NO_COLOR, no-color.org; TERM=dumb). */
bool kh_cli_may_colour(FILE *stream);

/** A column: its title, and on which side its cells stand. */
typedef struct kh_cli_column {
  const char *title;
  bool is_number; /**< on the right */
} kh_cli_column;

/** A cell; bytes are counted as places. */
typedef struct kh_cli_cell {
  char text[KH_CLI_CELL_MAX];
  kh_cli_colour colour;
} kh_cli_cell;

/** A table whose rows are asked for, twice, as they are printed. */
typedef struct kh_cli_table {
  const kh_cli_column *columns;
  size_t column_count; /**< at most KH_CLI_COLUMNS_MAX */
  size_t row_count;
  /** Fills the cells of a row; they come zeroed. */
  void (*fill)(const void *user, size_t row, kh_cli_cell *cells);
  const void *user;
} kh_cli_table;

/** Prints titles and rows, two spaces between columns, none at the end of a line. */
void kh_cli_table_print(const kh_cli_table *table, FILE *to, bool in_colour);

/** Writes a text in a colour or without one, by kh_cli_put_text(). */
void kh_cli_print_coloured(FILE *to, kh_cli_colour colour, bool in_colour, const char *text);

#endif
