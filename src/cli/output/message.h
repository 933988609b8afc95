/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file message.h
 * The messages of the command: on the standard error output, so that the standard output has only
 * the report.
 */
#ifndef KEYHOLD_CLI_MESSAGE_H
#define KEYHOLD_CLI_MESSAGE_H

#include <stdarg.h>

#include "keyhold/fault.h"
#include "keyhold/log.h"

/** The result of a subcommand, and the exit status of the command (docs/command.md). */
enum {
  KH_CLI_DONE = 0,
  KH_CLI_FAILED = 1, /**< refused, or failed; a message has the reason */
  KH_CLI_USAGE = 2,  /**< wrong usage */
  KH_CLI_NO = 3,     /**< the answer is no: problems were found, work is left */
  KH_CLI_WRITTEN = 4 /**< done, and a key file was written; the exit status is KH_CLI_DONE */
};

/** Prints a line after "keyhold: ", by kh_cli_put_text(). No argument may hold a secret. */
__attribute__((format(printf, 1, 2))) void kh_cli_message(const char *format, ...);

/** Prints a line after a name and ": ". @param name  of a command, such as "keyhold list". */
__attribute__((format(printf, 2, 0))) void kh_cli_message_from(const char *name, const char *format,
                                                               va_list arguments);

/** Prints a line, and returns KH_CLI_FAILED, so that a failing function ends with one `return`. */
__attribute__((format(printf, 1, 2))) int kh_cli_fail(const char *format, ...);

/** Prints the sentence of a fault, and returns KH_CLI_FAILED. */
int kh_cli_fail_with(const kh_fault *fault);

/** Prints the sentence of a status, with the path of a file or NULL, and returns KH_CLI_FAILED. */
int kh_cli_fail_status(kh_status status, const char *path);

/** Returns a log that prints warnings and hints. */
kh_log kh_cli_log(void);

/**
 * Flushes the standard output. A report that was not written whole must not look complete, nor a
 * change that was made look like one that was not.
 *
 * @param result  of the subcommand.
 * @return the exit status of the command: KH_CLI_FAILED if the output cannot be written, and a
 *         message has the reason.
 */
int kh_cli_close_output(int result);

#endif
