/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file message.h
 * What the command says to people: on the standard error output, so that a report is all that the
 * standard output has.
 */
#ifndef KEYHOLD_CLI_MESSAGE_H
#define KEYHOLD_CLI_MESSAGE_H

#include "keyhold/fault.h"
#include "keyhold/log.h"

/** What a subcommand gives, and the command ends with (docs/command.md). */
enum {
  KH_CLI_DONE = 0,
  KH_CLI_FAILED = 1, /**< refused, or failed; a message has said why */
  KH_CLI_USAGE = 2,  /**< it was called wrongly */
  KH_CLI_NO = 3,     /**< the question that was asked has the answer no: not good, not finished */
  KH_CLI_WRITTEN = 4 /**< done, and a key file was written; the command ends with KH_CLI_DONE */
};

/** Says a line, by kh_cli_put_text(). No argument may hold a secret. */
__attribute__((format(printf, 1, 2))) void kh_cli_message(const char *format, ...);

/** Says a line and gives KH_CLI_FAILED, so that a failing function ends with one `return`. */
__attribute__((format(printf, 1, 2))) int kh_cli_fail(const char *format, ...);

/** Says what a fault is and gives KH_CLI_FAILED. */
int kh_cli_fail_with(const kh_fault *fault);

/** Says what a status is, with the path of a file or NULL, and gives KH_CLI_FAILED. */
int kh_cli_fail_status(kh_status status, const char *path);

/** A log that says warnings and hints. */
kh_log kh_cli_log(void);

#endif
