/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file say.h
 * What the command says to people: on the standard error output, so that a report is all that the
 * standard output has.
 */
#ifndef KEYHOLD_CLI_SAY_H
#define KEYHOLD_CLI_SAY_H

#include "keyhold/fault.h"
#include "keyhold/log.h"

/** Says a line, by kh_cli_put_text(). No argument may hold a secret. */
__attribute__((format(printf, 1, 2))) void kh_cli_say(const char *format, ...);

/** Says a line and gives KH_CLI_FAILED, so that a failing function ends with one `return`. */
__attribute__((format(printf, 1, 2))) int kh_cli_fail(const char *format, ...);

/** Says what a fault is and gives KH_CLI_FAILED. */
int kh_cli_fail_with(const kh_fault *fault);

/** Says what a status is, with the path of a file or NULL, and gives KH_CLI_FAILED. */
int kh_cli_fail_status(kh_status status, const char *path);

/** A log that says warnings and hints. */
kh_log kh_cli_log(void);

#endif
