/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile_openssl.h
 * Key files of `openssl enc` (enc(1ssl)).
 */
#ifndef KEYHOLD_KEYFILE_OPENSSL_H
#define KEYHOLD_KEYFILE_OPENSSL_H

#include <stdbool.h>

#include "keyhold/keyfile.h"

/**
 * Returns whether a file is encrypted by `openssl enc`: longer than 8 bytes and beginning with
 * "Salted__" (enc(1ssl)), or with its base64 form (option -a).
 */
bool kh_keyfile_is_openssl(kh_bytes file);

/**
 * Decrypts a file for which kh_keyfile_is_openssl() is true: AES-256-CBC, PKCS#7 padding.
 *
 * The format has no integrity check: about one wrong passphrase in 256 is not noticed here.
 * Thread-safe.
 *
 * @param options     path for messages; digest and iterations.
 * @param passphrase  may be empty.
 * @param ret_text    for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_CONTAINER_SIZE, KH_E_CONTAINER_CIPHER, KH_E_CONTAINER_ARMOUR,
 * KH_E_WRONG_PASSPHRASE, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keyfile_decrypt_openssl(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, kh_bytes file,
                                                 kh_bytes passphrase, kh_secret **ret_text,
                                                 kh_fault *ret_fault);

/**
 * Encrypts a text as kh_keyfile_decrypt_openssl() reads it, with a new random salt. Thread-safe.
 *
 * @param options     path for messages; digest and iterations.
 * @param passphrase  may be empty.
 * @param ret_file    for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_DIGEST_READ_ONLY, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keyfile_encrypt_openssl(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, kh_bytes text,
                                                 kh_bytes passphrase, kh_secret **ret_file,
                                                 kh_fault *ret_fault);

#endif
