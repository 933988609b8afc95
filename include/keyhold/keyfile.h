/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile.h
 * Reads a key file, in the clear or encrypted by `openssl enc`, into a list of keys.
 * docs/key-file.md is the format.
 */
#ifndef KEYHOLD_KEYFILE_H
#define KEYHOLD_KEYFILE_H

#include <stdbool.h>

#include "keyhold/crypt.h"
#include "keyhold/fault.h"
#include "keyhold/keylist.h"
#include "keyhold/log.h"

/** Which file, and how it opens. All strings belong to the caller. */
typedef struct kh_keyfile_options {
  const char *path;           /**< the key file */
  const char *filekey;        /**< as kh_unlock() takes it */
  kh_digest digest;           /**< of the key derivation of an encrypted file */
  uint32_t pbkdf2_iterations; /**< 0: no PBKDF2; at most INT_MAX */
} kh_keyfile_options;

/** What a key file was found to be. */
typedef struct kh_keyfile_info {
  const char *format; /**< "text" or "openssl"; constant */
  bool locked; /**< all memory that held the passphrase, the file, its text and the list was locked
                  into RAM */
} kh_keyfile_info;

/**
 * Loads a key file. Nothing is kept but the list; the passphrase and the decrypted text are wiped
 * before it returns.
 *
 * Warns of a file that others may read, and of a key that a later line of an `id;key` file
 * replaces; after
 * KH_E_WRONG_PASSPHRASE a hint has told what was tried.
 *
 * @param crypt      for the decryption.
 * @param log        may be NULL.
 * @param ret_list   for kh_keylist_free(), key id 1 in it; untouched on failure.
 * @param ret_info   may be NULL; untouched on failure.
 * @param ret_fault  may be NULL; names the file, and line and column where there are some.
 * @return KH_OK; the codes of kh_unlock() and kh_file_read(); KH_E_FILE_TOO_LARGE;
 * KH_E_NOT_ENCRYPTED, KH_E_NO_PASSPHRASE, KH_E_WRONG_PASSPHRASE, KH_E_CONTAINER_SIZE; the codes of
 * kh_keyfile_parse_text(). As thread-safe as the log. May wait for the disk, and for the key
 * derivation.
 */
KH_MUST_USE kh_status kh_keyfile_load(const kh_keyfile_options *options, const kh_crypt *crypt,
                                      const kh_log *log, kh_keylist **ret_list,
                                      kh_keyfile_info *ret_info, kh_fault *ret_fault);

/**
 * Parses the text of a key file: lines `id;key` or `id;version;key`, comments and empty lines; ends
 * at the first NUL.
 *
 * @param path       for messages only.
 * @param text       may hold any bytes.
 * @return KH_OK, KH_E_SYNTAX, KH_E_KEY_ID, KH_E_KEY_VERSION, KH_E_KEY_HEX, KH_E_KEY_DUPLICATE,
 * KH_E_NO_SYSTEM_KEY, KH_E_NO_MEMORY, KH_E_CRYPTO. Parameters otherwise as kh_keyfile_load().
 */
KH_MUST_USE kh_status kh_keyfile_parse_text(const char *path, kh_bytes text, const kh_log *log,
                                            kh_keylist **ret_list, kh_fault *ret_fault);

/**
 * Whether a file is encrypted by `openssl enc`: longer than 8 bytes and beginning with "Salted__"
 * (enc(1ssl)).
 */
bool kh_keyfile_is_openssl(kh_bytes file);

/**
 * Decrypts a file that kh_keyfile_is_openssl() knows: AES-256-CBC, PKCS#7 padding.
 *
 * The format has no integrity check: about one wrong passphrase in 256 is not seen here.
 *
 * @param options     path for messages; digest and iterations.
 * @param passphrase  may be empty.
 * @param ret_text    for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_CONTAINER_SIZE, KH_E_WRONG_PASSPHRASE, KH_E_NO_MEMORY, KH_E_CRYPTO.
 * Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_decrypt_openssl(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, kh_bytes file,
                                                 kh_bytes passphrase, kh_secret **ret_text,
                                                 kh_fault *ret_fault);

#endif
