/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file table.h
 * An aligned table for people, and colours.
 */
#ifndef KEYHOLD_CLI_TABLE_H
#define KEYHOLD_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { KH_CLI_COLUMNS_MAX = 16, KH_CLI_CELL_MAX = 200 };

/** The meaning of a text, which a terminal shows as a colour. */
typedef enum kh_cli_colour {
  KH_CLI_PLAIN,
  KH_CLI_HEAD, /**< bold */
  KH_CLI_GOOD, /**< green */
  KH_CLI_NOTE, /**< yellow */
  KH_CLI_BAD,  /**< red */
} kh_cli_colour;

/** Returns whether a stream may be coloured: it is a terminal, and the environment allows it
 * (NO_COLOR, no-color.org; TERM=dumb). */
bool kh_cli_may_colour(FILE *stream);

/** A column. */
typedef struct kh_cli_column {
  const char *title;
  bool is_number; /**< cells are aligned to the right */
} kh_cli_column;

/** A cell; each byte counts as one place. */
typedef struct kh_cli_cell {
  char text[KH_CLI_CELL_MAX];
  kh_cli_colour colour;
} kh_cli_cell;

/** A table. Each row is filled twice: for the widths, and to be printed. */
typedef struct kh_cli_table {
  const kh_cli_column *columns;
  size_t column_count; /**< at most KH_CLI_COLUMNS_MAX */
  size_t row_count;
  /** Fills the cells of a row; they come zeroed. */
  void (*fill)(const void *user, size_t row, kh_cli_cell *cells);
  const void *user;
} kh_cli_table;

/** Prints titles and rows, with two spaces between columns and none at the end of a line. */
void kh_cli_table_print(const kh_cli_table *table, FILE *to, bool in_colour);

/** Writes a text in a colour or without one, by kh_cli_put_text(). */
void kh_cli_print_coloured(FILE *to, kh_cli_colour colour, bool in_colour, const char *text);

#endif
