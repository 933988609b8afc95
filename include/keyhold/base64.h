/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file base64.h
 * Base64 (RFC 4648, 4) with padding, in its canonical form (libsodium).
 */
#ifndef KEYHOLD_BASE64_H
#define KEYHOLD_BASE64_H

#include <stdbool.h>

#include "keyhold/bytes.h"

/** Returns the number of characters that encode `len` bytes. */
size_t kh_base64_length(size_t len);

/**
 * Writes bytes as base64. Thread-safe.
 *
 * @param ret_text  kh_base64_length(data.len) + 1 bytes: the characters, and a NUL.
 */
void kh_base64_encode(kh_bytes data, uint8_t *ret_text);

/**
 * Reads base64: nothing but its characters, padded, the bits that are left over being zero.
 * Thread-safe.
 *
 * @param ret_data  room for text.len / 4 * 3 bytes; undefined on failure.
 * @param ret_len   bytes written; untouched on failure.
 * @return false when the text is anything else.
 */
bool kh_base64_decode(kh_bytes text, uint8_t *ret_data, size_t *ret_len);

#endif
