/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file progress.h
 * How far re-encryption is as a whole, how fast it goes, and as bars.
 */
#ifndef KEYHOLD_CLI_PROGRESS_H
#define KEYHOLD_CLI_PROGRESS_H

#include "tablespaces.h"

/** All tablespaces together. Starts as all zero. */
typedef struct kh_cli_progress {
  uint64_t pages; /**< of what is encrypted, or being so */
  uint64_t done;
  size_t unfinished; /**< tablespaces */
  size_t plain;      /**< tablespaces in the clear */
  double at;         /**< when that was, in seconds; 0: never */
  double rate;       /**< pages a second; negative: not known yet */
} kh_cli_progress;

/** Takes a look at them: the rate is worked out of this one and of those before. */
void kh_cli_progress_update(kh_cli_progress *progress, const kh_cli_tablespaces *tablespaces,
                            double now);

/** Seconds until all is done at this rate; negative: nobody can say. */
double kh_cli_progress_left(const kh_cli_progress *progress);

enum { KH_CLI_LINE_MAX = 256 };

/** A line for a terminal, without a line end. */
typedef struct kh_cli_line {
  char text[KH_CLI_LINE_MAX];
} kh_cli_line;

/** A name in `width` places, its middle left out if it is longer; then a bar, what of it is done,
 * and the pages. */
kh_cli_line kh_cli_progress_bar(const char *name, size_t width, uint64_t done, uint64_t pages);

enum { KH_CLI_DURATION_MAX = 48 };

/** A duration as text. */
typedef struct kh_cli_duration {
  char text[KH_CLI_DURATION_MAX];
} kh_cli_duration;

/** A duration for people: "7 s", "3 min 20 s", "2 h 5 min". */
kh_cli_duration kh_cli_show_seconds(double seconds);

#endif
