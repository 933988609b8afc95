/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file utf8.h
 * Characters of UTF-8 (RFC 3629), and text that a terminal can be given.
 */
#ifndef KEYHOLD_CLI_UTF8_H
#define KEYHOLD_CLI_UTF8_H

#include <stddef.h>
#include <stdio.h>

/** The length in bytes of the character that begins here, which is not the NUL; 0: there is none.
 */
size_t kh_cli_utf8_at(const char *text);

/** Writes a text with "?" for each byte of a control character, and for each one that is not part
 * of UTF-8: names and paths may hold anything, and a terminal obeys escape sequences. */
void kh_cli_put_text(FILE *to, const char *text);

/** The same in the text's own place. */
void kh_cli_hide_controls(char *text);

#endif
