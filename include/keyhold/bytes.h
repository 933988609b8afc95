/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file bytes.h
 * A run of bytes and its length, travelling as one value.
 */
#ifndef KEYHOLD_BYTES_H
#define KEYHOLD_BYTES_H

#include <stddef.h>
#include <stdint.h>

/** Bytes that another object owns. `data` may be NULL only when `len` is 0. */
typedef struct kh_bytes {
  const uint8_t *data; /**< the first of them */
  size_t len;          /**< in bytes */
} kh_bytes;

#endif
