/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file envelope.h
 * The envelope of a key file's text: its format, and the keys that open and write it; and the
 * functions of a format, which work on an envelope.
 */
#ifndef KEYHOLD_KEYFILE_ENVELOPE_H
#define KEYHOLD_KEYFILE_ENVELOPE_H

#include "keyhold/keyfile.h"

/** Starts with the first three fields set and the rest zero. */
typedef struct kh_envelope {
  const kh_keyfile_format *format;
  kh_keyfile_options options; /**< path, for messages, digest and iterations */
  const kh_crypt *crypt;
  bool is_armoured;      /**< openssl: it is written in base64, as it was read */
  kh_secret *passphrase; /**< NULL: there is none */
  kh_sealed *sealed;     /**< of a format with slots, once it is opened or made; else NULL */
  kh_secret *prepared;   /**< what the format prepared for the next make(); NULL: nothing */
} kh_envelope;

/** A format's functions. A const table in a file of its own, and a line in the array of
 * envelope.c. All faults name the file. */
typedef struct kh_keyfile_format_functions {
  bool hides_wrong_passphrase; /**< one may give random bytes instead of an error */

  /** Returns whether a file is of this format. */
  bool (*knows)(kh_bytes file);

  /** Returns whether a file may open without a passphrase; NULL: no file of an encrypted format
   * does.
   */
  bool (*may_open_without_passphrase)(kh_bytes file);

  /** Decrypts a file with the passphrase to its text. @param ret_text  for kh_secret_free();
   * untouched on failure, and when the file is the text. */
  kh_status (*open)(kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                    kh_fault *ret_fault);

  /**
   * Prepares, in `prepared`, the slow part that does not depend on the text: the key for a new
   * salt. NULL: the format has no such part.
   */
  kh_status (*prepare)(kh_envelope *envelope, kh_fault *ret_fault);

  /** Reads the text of a file that make() made, with the keys of the envelope. Derives nothing. */
  kh_status (*read_back)(const kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                         kh_fault *ret_fault);

  /** Makes the file of a text, with what prepare() made. Derives nothing. @param ret_file  for
   * kh_secret_free(); untouched on failure. */
  kh_status (*make)(const kh_envelope *envelope, kh_bytes text, kh_secret **ret_file,
                    kh_fault *ret_fault);

  /** Logs in a hint what was tried, after KH_E_WRONG_PASSPHRASE; NULL: the format never returns
   * that.
   */
  void (*hint_what_was_tried)(const kh_keyfile_options *options, const kh_log *log);
} kh_keyfile_format_functions;

/** Returns the format of a file: text when it is of no other one. */
const kh_keyfile_format *kh_envelope_format_of(kh_bytes file);

/** Returns whether a file of this format opens only by a passphrase. */
bool kh_envelope_needs_passphrase(const kh_keyfile_format *format, kh_bytes file);

/**
 * Makes the envelope of a form, prepared. Two derivations when it has a slot, or when the format
 * prepares: one makes the key, the other one proves it.
 *
 * @param path          of the file that is made; must outlive *ret_envelope.
 * @param ret_envelope  for kh_envelope_clear(); untouched on failure.
 * @return KH_OK, KH_E_NO_PASSPHRASE, KH_E_NOT_ENCRYPTED, the codes of kh_sealed_new() and
 * kh_envelope_prepare().
 */
KH_MUST_USE kh_status kh_envelope_make(const kh_keyfile_form *form, const char *path,
                                       const kh_crypt *crypt, kh_envelope *ret_envelope,
                                       kh_fault *ret_fault);

/**
 * Makes sure that the envelope is prepared for make(): derives nothing if it is already. Called
 * before the lock is taken if make() will be needed. Valid for one file.
 *
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_envelope_prepare(kh_envelope *envelope, kh_fault *ret_fault);

/** Replaces the passphrase by a copy of another one, or by none, and drops the key that was
 * prepared with the old one. @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO. */
KH_MUST_USE kh_status kh_envelope_set_passphrase(kh_envelope *envelope, const kh_bytes *passphrase);

/** Copies all but what is prepared. @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO; to be cleared in
 * either case. */
KH_MUST_USE kh_status kh_envelope_clone(const kh_envelope *envelope, kh_envelope *ret_clone);

/** Moves an envelope out of a variable, which is empty then. */
kh_envelope kh_envelope_take(kh_envelope *envelope);

/** Wipes and frees the content of an envelope. Also for `__attribute__((cleanup))`. */
void kh_envelope_clear(kh_envelope *envelope);
#define KH_AUTO_ENVELOPE __attribute__((cleanup(kh_envelope_clear))) kh_envelope

#endif
