/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file text.h
 * The elements of the text form of a key file: where it ends, and its classes of characters.
 */
#ifndef KEYHOLD_CORE_KEYFILE_TEXT_H
#define KEYHOLD_CORE_KEYFILE_TEXT_H

#include <stdbool.h>
#include <string.h>

#include "keyhold/fault.h"
#include "keyhold/keylist.h"

/** The word that replaces a key that was removed from the file on purpose. */
#define KH_KEYFILE_RETIRED "retired"

/**
 * Checks the repeats in a list of kh_keyfile_parse_text() as with KH_REPEATS_REFUSED.
 *
 * @return KH_OK, KH_E_KEY_DUPLICATE, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_text_check_strictly(const char *path, const kh_keylist *list,
                                             kh_fault *ret_fault);

/** Returns a text up to its first NUL. */
static inline kh_bytes kh_text_until_nul(kh_bytes text)
{
  const uint8_t *nul = text.len == 0 ? NULL : memchr(text.data, '\0', text.len);
  if (nul != NULL)
    text.len = (size_t)(nul - text.data);
  return text;
}

/** Returns whether the last line, if any, has a line end. */
static inline bool kh_text_ends_line(kh_bytes text)
{
  text = kh_text_until_nul(text);
  return text.len == 0 || text.data[text.len - 1] == '\n';
}

/** Returns isspace() of the C locale, except for the newline, which no line has. */
static inline bool kh_text_is_blank(int byte)
{
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static inline bool kh_text_is_digit(int byte)
{
  return byte >= '0' && byte <= '9';
}

static inline bool kh_text_is_hex(int byte)
{
  return kh_text_is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

#endif
