/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file terminal.h
 * Asks for passphrases on the terminal, without echo.
 */
#ifndef KEYHOLD_CLI_TERMINAL_H
#define KEYHOLD_CLI_TERMINAL_H

#include <stdbool.h>

#include "keyhold/secret.h"

/**
 * Asks for a line on the terminal of the process, without echo, whatever the standard input is. A
 * signal that ends or stops the process takes effect after the terminal is restored; after a stop
 * the question is asked again.
 *
 * @param instead   what to use where there is no terminal, for the message.
 * @param ret_line  for kh_secret_free(); at most KH_SECRET_FILE_MAX bytes, may be empty; untouched
 * on failure.
 * @return false: a message has the reason.
 */
bool kh_cli_ask(const char *question, const char *instead, kh_secret **ret_line);

#endif
