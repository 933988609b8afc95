/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile.h
 * Reads a key file, in the clear, encrypted by `openssl enc` or sealed, into a list of keys.
 * docs/key-file.md is the format. keyfile_text.h has its text, keyfile_change.h and rotation.h have
 * what changes it.
 */
#ifndef KEYHOLD_KEYFILE_H
#define KEYHOLD_KEYFILE_H

#include <stdbool.h>

#include "keyhold/crypt.h"
#include "keyhold/fault.h"
#include "keyhold/file.h"
#include "keyhold/kdf.h"
#include "keyhold/keylist.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** Which file, and how it opens. All strings belong to the caller. */
typedef struct kh_keyfile_options {
  const char *path;            /**< the key file */
  const char *filekey;         /**< as kh_unlock() takes it */
  const kh_secret *passphrase; /**< what opens an encrypted file; NULL: what `filekey` names */
  kh_permissions permissions;  /**< of the key file and of a file with the passphrase */
  bool waits_shortly;          /**< for the passphrase, whatever it comes from (kh_unlock_how) */
  kh_digest digest;            /**< of the key derivation of a file of `openssl enc` */
  uint32_t pbkdf2_iterations;  /**< likewise; 0: no PBKDF2; at most INT_MAX */
} kh_keyfile_options;

/** What a key file was found to be. */
typedef struct kh_keyfile_info {
  const char *format;  /**< "text", "openssl" or "sealed"; constant */
  bool ends_line;      /**< the file is text and its last line has a line end, or it is no text */
  kh_file_stamp stamp; /**< of the content that was loaded */
  bool locked; /**< all memory that held the passphrase, the file, its text and the list was locked
                  into RAM */
} kh_keyfile_info;

/** What a key file is, before it is opened. */
typedef struct kh_keyfile_look {
  const char *format; /**< "text", "openssl" or "sealed"; constant */
  bool is_encrypted;  /**< it needs a passphrase; the others refuse one */
} kh_keyfile_look;

/**
 * What a format is.
 *
 * @param ret_look  untouched when there is none.
 * @return false: no format has that name. Thread-safe.
 */
bool kh_keyfile_format_by_name(const char *name, kh_keyfile_look *ret_look);

/**
 * Looks at a key file without opening it. What is no other format is text, whatever it holds.
 *
 * @param ret_look   untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_file_read(); KH_E_FILE_TOO_LARGE. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_look_at(const char *path, kh_keyfile_look *ret_look,
                                         kh_fault *ret_fault);

/**
 * Loads a key file. Nothing is kept but the list; the passphrase and the decrypted text are wiped
 * before it returns.
 *
 * Warns of a file that others may read, and of a key that a later line of an `id;key` file
 * replaces; after KH_E_WRONG_PASSPHRASE a hint has told what was tried.
 *
 * @param crypt      for the decryption.
 * @param log        may be NULL.
 * @param ret_list   for kh_keylist_free(), key id 1 in it; untouched on failure.
 * @param ret_info   may be NULL; untouched on failure.
 * @param ret_fault  may be NULL; names the file, and line and column where there are some.
 * @return KH_OK; the codes of kh_unlock() and kh_file_read(); KH_E_FILE_TOO_LARGE,
 * KH_E_FILE_UNSAFE; KH_E_NOT_ENCRYPTED, KH_E_NO_PASSPHRASE, KH_E_WRONG_PASSPHRASE,
 * KH_E_CONTAINER_SIZE; the codes of kh_sealed_open() and kh_keyfile_parse_text(). As thread-safe as
 * the log. May wait for the disk, and for the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_load(const kh_keyfile_options *options, const kh_crypt *crypt,
                                      const kh_log *log, kh_keylist **ret_list,
                                      kh_keyfile_info *ret_info, kh_fault *ret_fault);

/**
 * Gives the text of a key file, keys and all, if it can be loaded.
 *
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return as kh_keyfile_load(). Parameters otherwise likewise.
 */
KH_MUST_USE kh_status kh_keyfile_read_text(const kh_keyfile_options *options, const kh_crypt *crypt,
                                           const kh_log *log, kh_secret **ret_text,
                                           kh_fault *ret_fault);

#endif
