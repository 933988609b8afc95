/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_payload.h
 * The text of a sealed key file under the file key, and the whole file around it.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_PAYLOAD_H
#define KEYHOLD_KEYFILE_SEALED_PAYLOAD_H

#include "sealed_form.h"

/**
 * Decrypts the text.
 *
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_SEALED_CHANGED, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_sealed_payload_open(const kh_sealed_form *form, const kh_secret *file_key,
                                             kh_secret **ret_text);

/**
 * Writes a file: these slots, the text with a new nonce, and the last line.
 *
 * @param ret_file  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_sealed_payload_write(const kh_sealed_lines *lines,
                                              const kh_secret *file_key, kh_bytes text,
                                              kh_secret **ret_file);

#endif
