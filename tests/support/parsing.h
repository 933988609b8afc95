/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file parsing.h
 * Texts of key files that are parsed in many variants.
 */
#ifndef KEYHOLD_TEST_PARSING_H
#define KEYHOLD_TEST_PARSING_H

#include "keyhold/keyfile_text.h"

/** Parses a short text with each value of a byte at each place: each gives a list or a fault. */
void parse_with_any_byte(const char *text, kh_repeats repeats);

#endif
