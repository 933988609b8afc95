/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile_text.h
 * The text of a key file: its lines are read, added and retired. docs/key-file.md is the format.
 */
#ifndef KEYHOLD_KEYFILE_TEXT_H
#define KEYHOLD_KEYFILE_TEXT_H

#include "keyhold/fault.h"
#include "keyhold/keylist.h"
#include "keyhold/keytable.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** How kh_keyfile_parse_text() treats one key id and version that appears twice with different keys
 * or attributes. */
typedef enum kh_repeats {
  KH_REPEATS_AS_UPSTREAM, /**< the last one is used, with a warning, in a file of `id;key` lines
                             without attributes; an error in any other */
  KH_REPEATS_REFUSED,     /**< an error in every file */
} kh_repeats;

/**
 * Parses the text of a key file: lines `id;key` or `id;version;key` with attributes, comments and
 * empty lines; ends at the first NUL. The fault's quote has what was expected and what is there, as
 * far as that is known.
 *
 * @param path       for messages.
 * @param text       may hold any bytes.
 * @param log        may be NULL.
 * @param ret_list   for kh_keylist_free(), key id 1 in it; untouched on failure.
 * @param ret_fault  may be NULL; has the line and the column.
 * @return KH_OK, KH_E_SYNTAX, KH_E_KEY_ID, KH_E_KEY_VERSION, KH_E_KEY_HEX, KH_E_KEY_DUPLICATE,
 * KH_E_ATTRIBUTE, KH_E_ATTRIBUTE_VALUE, KH_E_KEY_TOO_SHORT, KH_E_NO_SYSTEM_KEY, KH_E_NO_MEMORY,
 * KH_E_CRYPTO. As thread-safe as the log.
 */
KH_MUST_USE kh_status kh_keyfile_parse_text(const char *path, kh_bytes text, kh_repeats repeats,
                                            const kh_log *log, kh_keylist **ret_list,
                                            kh_fault *ret_fault);

/**
 * Parses a text as kh_keyfile_parse_text() does with KH_REPEATS_AS_UPSTREAM, and passes all its
 * faults: reading goes on after a wrong line. KH_E_KEY_REST is passed, and not returned: a line has
 * a key in the rest that is ignored, of which kh_keyfile_parse_text() warns in the log; and so is
 * KH_E_TEXT_NUL. A missing key id 1 is none where a wrong line may have it.
 *
 * @param ret_fault  may be NULL; the first fault.
 * @return as kh_keyfile_parse_text(): the first fault's status.
 */
KH_MUST_USE kh_status kh_keyfile_parse_whole_text(const char *path, kh_bytes text,
                                                  const kh_log *log, kh_faults *faults,
                                                  kh_keylist **ret_list, kh_fault *ret_fault);

/**
 * Adds a line for each retired version of a list to the end of a text, which has a line end or is
 * empty. Thread-safe.
 *
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keyfile_add_markers(kh_bytes text, const kh_keylist *retired,
                                             kh_secret **ret_text);

/**
 * Adds lines for new key versions to the text of a key file that kh_keyfile_parse_text() accepts.
 * The existing text stays the same, byte for byte; each new line is after the last line of its key
 * id, with that line's line end ("\r\n" or "\n"), and those of key ids that are not in the text at
 * its end. A last line without a line end gets one. Thread-safe.
 *
 * @param text      may be empty.
 * @param parsed    the text's list, with the line of each key.
 * @param added     the new versions, in their order in the text.
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keyfile_add_lines(kh_bytes text, const kh_keylist *parsed,
                                           const kh_keylist *added, kh_secret **ret_text);

/**
 * Replaces the lines of key versions in such a text with "id;version;retired"; the rest stays the
 * same, byte for byte. Thread-safe.
 *
 * @param text      that kh_keyfile_parse_text() accepts.
 * @param parsed    the text's list, with the line of each key.
 * @param retired   the key versions; which keys they are does not matter.
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keyfile_retire_lines(kh_bytes text, const kh_keylist *parsed,
                                              const kh_keytable *retired, kh_secret **ret_text);

#endif
