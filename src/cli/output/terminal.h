/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file terminal.h
 * The terminal: asks for passphrases without showing them.
 */
#ifndef KEYHOLD_CLI_TERMINAL_H
#define KEYHOLD_CLI_TERMINAL_H

#include <stdbool.h>

#include "keyhold/secret.h"

/**
 * Asks for a line on the process's own terminal, whatever the standard input is. What is typed is
 * not shown. A signal that ends or stops the process finds the terminal as it was before; after a
 * stop the question is asked again.
 *
 * @param ret_line  for kh_secret_free(); at most KH_SECRET_FILE_MAX bytes, may be empty; untouched
 * on failure.
 * @return false: a message has said why.
 */
bool kh_cli_ask(const char *question, kh_secret **ret_line);

#endif
