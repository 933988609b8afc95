/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file enc.h
 * The ciphers of `openssl enc` (enc(1ssl)), to find out how a file was made that AES-256-CBC does
 * not open. No key file is written with them.
 */
#ifndef KEYHOLD_ENC_H
#define KEYHOLD_ENC_H

#include <stdbool.h>

#include "keyhold/bytes.h"
#include "keyhold/kdf.h"
#include "keyhold/secret.h"
#include "keyhold/status.h"

/** Bytes that kh_enc_begins_as_text() decrypts. */
#define KH_ENC_PROBE_SIZE 32u

/** Returns the name of the cipher at an index, as an option of `openssl enc`; the first one is
 * "aes-256-cbc"; NULL after the last one. Thread-safe. */
const char *kh_enc_cipher(size_t index);

/**
 * Decrypts the beginning of a ciphertext, and returns whether it has no control characters but
 * white space. Cheap. A wrong key passes once in about 50 times. Thread-safe.
 *
 * @param index       of a cipher.
 * @param derived     of kh_kdf_openssl_enc().
 * @param ciphertext  false if it has less than KH_ENC_PROBE_SIZE bytes.
 */
bool kh_enc_begins_as_text(size_t index, const kh_secret *derived, kh_bytes ciphertext);

/**
 * Decrypts a ciphertext. Thread-safe.
 *
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK; KH_E_BAD_DATA: the length or the padding is wrong; KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_enc_decrypt(size_t index, const kh_secret *derived, kh_bytes ciphertext,
                                     kh_secret **ret_text);

#endif
