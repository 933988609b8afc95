/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file number.h
 * Numbers in arguments.
 */
#ifndef KEYHOLD_CLI_NUMBER_H
#define KEYHOLD_CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/** Reads a decimal number from `least` to `most`, digits only; *ret_number is untouched when it is
 * none. */
bool kh_cli_read_number(const char *text, uint32_t least, uint32_t most, uint32_t *ret_number);

#endif
