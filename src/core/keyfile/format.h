/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file format.h
 * The formats of a key file: what turns a file into its text, and a text into a file.
 */
#ifndef KEYHOLD_KEYFILE_FORMAT_H
#define KEYHOLD_KEYFILE_FORMAT_H

#include <stdbool.h>

#include "keyhold/keyfile.h"
#include "keyhold/sealed.h"

/** What a file is made of. */
typedef struct kh_keyfile_content {
  kh_bytes text;
  kh_bytes passphrase; /**< none when the format is not encrypted */
  kh_bytes old; /**< the file that is replaced, of the same format and passphrase: what it has
                   beside the text stays; no bytes when there is none */
  const kh_sealed_slot *slot; /**< without an old file: what a format with slots makes; NULL: its
                                 default */
} kh_keyfile_content;

/** One format. A const table in a file of its own, and a line in the array of keyfile_format.c. */
typedef struct kh_keyfile_format {
  const char *name;            /**< as kh_keyfile_info has it */
  bool is_encrypted;           /**< needs a passphrase; the others refuse one */
  bool hides_wrong_passphrase; /**< a wrong passphrase may give random bytes instead of an error */

  /** Whether a file is of this format. */
  bool (*knows)(kh_bytes file);

  /**
   * Gives the text of a file.
   *
   * @param passphrase  none when the format is not encrypted.
   * @param ret_text    for kh_secret_free(); untouched on failure, and when the file is the text.
   * @param ret_fault   names the file.
   */
  kh_status (*open)(const kh_keyfile_options *options, const kh_crypt *crypt, kh_bytes file,
                    kh_bytes passphrase, kh_secret **ret_text, kh_fault *ret_fault);

  /** Gives the file of a text: likewise, the other way round. */
  kh_status (*make)(const kh_keyfile_options *options, const kh_crypt *crypt,
                    const kh_keyfile_content *content, kh_secret **ret_file, kh_fault *ret_fault);

  /** Says in a hint what was tried when KH_E_WRONG_PASSPHRASE is the answer; NULL when it never is.
   */
  void (*hint_what_was_tried)(const kh_keyfile_options *options, const kh_log *log);
} kh_keyfile_format;

extern const kh_keyfile_format kh_keyfile_format_openssl;
extern const kh_keyfile_format kh_keyfile_format_sealed;
extern const kh_keyfile_format kh_keyfile_format_text;

/** The format of that name; NULL: there is none. */
const kh_keyfile_format *kh_keyfile_format_named(const char *name);

/** The format of a file: text when it is no other. */
const kh_keyfile_format *kh_keyfile_format_of(kh_bytes file);

#endif
