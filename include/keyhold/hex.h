/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file hex.h
 * Hexadecimal digits of keys, read and written without a branch or a look-up that depends on a
 * key's value (libsodium).
 */
#ifndef KEYHOLD_HEX_H
#define KEYHOLD_HEX_H

#include <stdbool.h>

#include "keyhold/bytes.h"

/**
 * Decodes pairs of digits, either case. Thread-safe.
 *
 * @param digits    an even number of hexadecimal digits.
 * @param ret_data  digits.len / 2 bytes, straight into their last place; undefined on failure.
 * @return false when the number is odd or something else than a digit is among them.
 */
bool kh_hex_decode(kh_bytes digits, uint8_t *ret_data);

/**
 * Writes bytes as lower-case digits. Thread-safe.
 *
 * @param ret_digits  2 * data.len + 1 bytes: the digits, and a NUL.
 */
void kh_hex_encode(kh_bytes data, uint8_t *ret_digits);

#endif
