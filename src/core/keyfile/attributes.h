/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file attributes.h
 * The attributes after a key in a line of the text form: ";cipher=aes-ctr;rotate=90d".
 */
#ifndef KEYHOLD_KEYFILE_ATTRIBUTES_H
#define KEYHOLD_KEYFILE_ATTRIBUTES_H

#include <stdbool.h>

#include "keyhold/cursor.h"
#include "keyhold/keylist.h"
#include "keyhold/status.h"

/** Room for all attributes of a key version and the NUL. */
enum { KH_ATTRIBUTES_TEXT_MAX = 128 };

/** Attributes as text. */
typedef struct kh_attributes_text {
  char text[KH_ATTRIBUTES_TEXT_MAX];
} kh_attributes_text;

/**
 * Reads the attributes of a line. A line in which no field is a known attribute has none: its rest
 * is ignored, as in the server's own plugin.
 *
 * @param cursor     over the line, after the key; after a failure at the error.
 * @param key        with its length; its policy is filled.
 * @param ret_given  whether the line has attributes; untouched on failure.
 * @return KH_OK, KH_E_ATTRIBUTE, KH_E_ATTRIBUTE_VALUE, KH_E_KEY_TOO_SHORT.
 */
KH_MUST_USE kh_status kh_attributes_read(kh_cursor *cursor, kh_key *key, bool *ret_given);

/** Returns whether two key versions have the same attributes. */
bool kh_attributes_are_same(const kh_policy *a, const kh_policy *b);

/** Writes attributes as they are after a key; "" when there are none. */
kh_attributes_text kh_attributes_show(const kh_policy *policy);

#endif
