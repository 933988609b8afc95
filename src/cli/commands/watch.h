/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file watch.h
 * The parts of `keyhold watch`: what a look has found, for people (watch_screen.c) and as JSON
 * (watch_json.c).
 */
#ifndef KEYHOLD_CLI_WATCH_H
#define KEYHOLD_CLI_WATCH_H

#include "cli/server/progress.h"

/** One look at a server, and all of them together so far. */
typedef struct kh_cli_look {
  kh_cli_tablespaces tablespaces;
  kh_cli_progress progress;
} kh_cli_look;

/** Where looks are shown, on the standard output. Starts as all zero but for the first. */
typedef struct kh_cli_screen {
  bool is_terminal; /**< each look takes the place of the one before */
  size_t rows;      /**< lines that it has, and how long one can be */
  size_t columns;
  size_t shown; /**< lines that are shown now */
} kh_cli_screen;

/** Shows a look for people: a bar for each tablespace that moves or will, and one for all. */
void kh_cli_watch_print(kh_cli_screen *screen, const kh_cli_look *look);

/** Prints a look as a line of JSON. */
void kh_cli_watch_print_json(const kh_cli_look *look);

#endif
