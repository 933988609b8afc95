/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file text.h
 * Writes untrusted text, such as names and paths: for people, or as JSON.
 */
#ifndef KEYHOLD_CLI_TEXT_H
#define KEYHOLD_CLI_TEXT_H

#include <stdio.h>

/** Writes a text with "?" for each byte of a control character, and for each byte that is not part
 * of UTF-8 (RFC 3629), since a terminal obeys escape sequences. */
void kh_cli_put_text(FILE *to, const char *text);

/** Replaces those bytes in the text itself. */
void kh_cli_hide_controls(char *text);

/** Writes a text as a JSON string (RFC 8259), with its quotes, or null for NULL. A byte that is not
 * part of UTF-8 becomes U+FFFD. */
void kh_cli_put_json(FILE *to, const char *text);

#endif
