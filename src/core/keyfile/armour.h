/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file armour.h
 * The base64 form of a file of `openssl enc` (its options -a and -A).
 */
#ifndef KEYHOLD_KEYFILE_ARMOUR_H
#define KEYHOLD_KEYFILE_ARMOUR_H

#include <stdbool.h>

#include "keyhold/bytes.h"
#include "keyhold/secret.h"

/** Returns whether a file begins as the base64 form of "Salted__" does. Thread-safe. */
bool kh_armour_is_salted(kh_bytes file);

/**
 * Reads base64 in lines of any length, with any white space. Thread-safe.
 *
 * @param ret_data  for kh_secret_free(); untouched on failure.
 * @return KH_OK; KH_E_CONTAINER_ARMOUR: it is not base64; KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_armour_decode(kh_bytes text, kh_secret **ret_data);

/**
 * Writes base64 as `openssl enc -a` does: lines of 64 characters. Thread-safe.
 *
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_armour_encode(kh_bytes data, kh_secret **ret_text);

#endif
