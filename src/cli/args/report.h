/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file report.h
 * The arguments of a subcommand that opens a key file and reports on it, for people or as JSON.
 */
#ifndef KEYHOLD_CLI_REPORT_H
#define KEYHOLD_CLI_REPORT_H

#include "target.h"

/** What they said. Starts as KH_CLI_REPORT_NONE. */
typedef struct kh_cli_report {
  kh_cli_target target;
  bool json;
} kh_cli_report;

#define KH_CLI_REPORT_NONE ((kh_cli_report){.target = KH_CLI_TARGET_NONE})

/** FILE, how it opens, and --json; its input is a kh_cli_report. As the only child of an argp
 * without a parser it gets the input of that. */
extern const struct argp kh_cli_report_argp;

#endif
