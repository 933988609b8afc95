/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file json.h
 * Strings of JSON (RFC 8259) for the reports.
 */
#ifndef KEYHOLD_CLI_JSON_H
#define KEYHOLD_CLI_JSON_H

#include <stdio.h>

/** Writes a text as a JSON string, with its quotes. A byte that is not part of UTF-8 becomes
 * U+FFFD. */
void kh_cli_json_string(FILE *to, const char *text);

/** Likewise, or null for NULL. */
void kh_cli_json_string_or_null(FILE *to, const char *text);

#endif
