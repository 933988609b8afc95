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

/** Reads a decimal number from `least` to `most`, digits only; false: the
 * text is not one, and *ret_number is untouched. */
bool kh_cli_read_number(const char *text, uint32_t least, uint32_t most, uint32_t *ret_number);

/** Returns a key id, for a subcommand's parser. Ends the process, by kh_cli_usage_error(), if the
 * value is not one; the message does not repeat the value, which may be a key. */
uint32_t kh_cli_key_id_option(const char *value, struct argp_state *state);

#endif
