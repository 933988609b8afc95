/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file number.h
 * Numbers in arguments.
 */
#ifndef KEYHOLD_CLI_NUMBER_H
#define KEYHOLD_CLI_NUMBER_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

/** Reads a decimal number from `least` to `most`, digits only; *ret_number is untouched when it is
 * none. */
bool kh_cli_read_number(const char *text, uint32_t least, uint32_t most, uint32_t *ret_number);

/** The id of a key, for a subcommand's own parser. Ends the process when the value is none, and
 * does not repeat it: it may be a key. */
uint32_t kh_cli_key_id_option(const char *value, struct argp_state *state);

#endif
