/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file progress.h
 * The progress of re-encryption as a whole: amount, rate, and bars.
 */
#ifndef KEYHOLD_CLI_PROGRESS_H
#define KEYHOLD_CLI_PROGRESS_H

#include "tablespaces.h"

/** All tablespaces together. Starts as all zero. */
typedef struct kh_cli_progress {
  uint64_t pages; /**< of encrypted tablespaces, and those that are being encrypted */
  uint64_t done;
  size_t unfinished; /**< tablespaces that move or will move */
  size_t too_near;   /**< tablespaces that stay: KH_CLI_STOP_AGE */
  size_t keyless;    /**< tablespaces that stay: KH_CLI_STOP_KEY */
  size_t plain;      /**< tablespaces that are not encrypted */
  uint64_t staying;  /**< pages of tablespaces that stay */
  double at;         /**< time of the last update, in seconds; 0: never */
  double rate;       /**< pages a second; negative: not known yet */
} kh_cli_progress;

/** Updates the amounts, and the rate from this update and those before. @param now  in seconds. */
void kh_cli_progress_update(kh_cli_progress *progress, const kh_cli_tablespaces *tablespaces,
                            double now);

/** Returns the number of tablespaces that stay at an older version. */
static inline size_t kh_cli_progress_stays(const kh_cli_progress *progress)
{
  return progress->too_near + progress->keyless;
}

/** Returns whether all encrypted tablespaces have the current version. */
static inline bool kh_cli_progress_is_finished(const kh_cli_progress *progress)
{
  return progress->unfinished == 0 && kh_cli_progress_stays(progress) == 0;
}

/** Returns the seconds until nothing moves at this rate; negative: not known, or nothing moves and
 * some tablespaces stay. */
double kh_cli_progress_left(const kh_cli_progress *progress);

enum { KH_CLI_LINE_MAX = 256 };

/** A line for a terminal, without a line end. */
typedef struct kh_cli_line {
  char text[KH_CLI_LINE_MAX];
} kh_cli_line;

/** Returns a line with a name in `width` places (the middle of a longer one is left out), a bar,
 * the part that is done, and the pages. */
kh_cli_line kh_cli_progress_bar(const char *name, size_t width, uint64_t done, uint64_t pages);

/** Returns a line with a name, as above, and the version at which a tablespace stays, whose state
 * is KH_CLI_TABLESPACE_STAYS. */
kh_cli_line kh_cli_progress_stay(const kh_cli_tablespaces *tablespaces,
                                 const kh_cli_tablespace *tablespace, size_t width);

enum { KH_CLI_DURATION_MAX = 48 };

/** A duration as text. */
typedef struct kh_cli_duration {
  char text[KH_CLI_DURATION_MAX];
} kh_cli_duration;

/** Returns a duration for people: "7 s", "3 min 20 s", "2 h 5 min". */
kh_cli_duration kh_cli_show_seconds(double seconds);

#endif
