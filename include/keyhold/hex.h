/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file hex.h
 * Hexadecimal digits of keys, decoded and encoded in constant time: no branch or look-up depends
 * on a key's value (libsodium).
 */
#ifndef KEYHOLD_HEX_H
#define KEYHOLD_HEX_H

#include <stdbool.h>

#include "keyhold/bytes.h"

/**
 * Decodes pairs of digits, either case. Thread-safe.
 *
 * @param digits    an even number of hexadecimal digits.
 * @param ret_data  digits.len / 2 bytes, undefined on failure.
 * @return false when their number is odd or one is not a hexadecimal digit.
 */
bool kh_hex_decode(kh_bytes digits, uint8_t *ret_data);

/**
 * Writes bytes as lower-case digits. Thread-safe.
 *
 * @param ret_digits  2 * data.len + 1 bytes: the digits, and a NUL.
 */
void kh_hex_encode(kh_bytes data, uint8_t *ret_digits);

#endif
