/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file opened.h
 * A key file that was read, decrypted and parsed, with all that is needed to write it again.
 */
#ifndef KEYHOLD_KEYFILE_OPENED_H
#define KEYHOLD_KEYFILE_OPENED_H

#include "format.h"
#include "keyhold/keyfile.h"
#include "keyhold/keyfile_text.h"

/** How a file is opened, and what came of it. Starts with the first four fields set and the rest
 * zero. */
typedef struct kh_opened {
  const kh_keyfile_options *options;
  const kh_crypt *crypt;
  const kh_log *log;   /**< may be NULL */
  kh_fault *ret_fault; /**< may be NULL */

  const kh_keyfile_format *format;
  bool has_asked;        /**< for the passphrase */
  kh_secret *passphrase; /**< NULL: there is none */
  kh_secret *file;       /**< as it lies on disk */
  kh_secret *decrypted;  /**< NULL when the file is the text */
  kh_keylist *list;
  kh_keyfile_info info;
} kh_opened;

/**
 * Reads the file and recognises its format.
 *
 * @return as kh_file_read(), or KH_E_FILE_TOO_LARGE. The caller cleans up in either case.
 */
KH_MUST_USE kh_status kh_opened_read(kh_opened *opened);

/** Fills the fault of a file that is larger than KH_KEYFILE_MAX, and gives its status. */
kh_status kh_opened_too_large(const kh_opened *opened, uint64_t size);

/**
 * Gets the passphrase, unless that is done. A program or another host may take its time for it, so
 * who takes the file's lock asks before that.
 *
 * @return as kh_unlock(). The caller cleans up in either case.
 */
KH_MUST_USE kh_status kh_opened_unlock(kh_opened *opened);

/**
 * Gets the passphrase, reads the file, recognises its format, decrypts and parses it.
 *
 * @return as kh_keyfile_load(). The caller cleans up in either case.
 */
KH_MUST_USE kh_status kh_opened_open(kh_opened *opened, kh_repeats repeats);

/** The text of the file. Owned by `opened`. */
kh_bytes kh_opened_text(const kh_opened *opened);

/** For `__attribute__((cleanup))`: wipes and frees what is left in it. */
void kh_opened_cleanup(kh_opened *opened);
#define KH_AUTO_OPENED __attribute__((cleanup(kh_opened_cleanup))) kh_opened

#endif
