/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file output.h
 * Writes a file into memory that has room for all of it.
 */
#ifndef KEYHOLD_KEYFILE_OUTPUT_H
#define KEYHOLD_KEYFILE_OUTPUT_H

#include "keyhold/secret.h"

/** What is written so far. The memory must outlive it. */
typedef struct kh_output {
  uint8_t *data;
  size_t len;
  size_t capacity; /**< never less than `len` */
} kh_output;

/** Begins at the start of a secret, whose length is for the caller to set. */
kh_output kh_output_over(kh_secret *secret);

/** Write bytes, a text, or bytes in hexadecimal ("0a"). */
void kh_output_put(kh_output *output, kh_bytes bytes);
void kh_output_text(kh_output *output, const char *text);
void kh_output_hex(kh_output *output, kh_bytes bytes);

/** Writes bytes in base64, as one line without a line end. */
void kh_output_base64(kh_output *output, kh_bytes bytes);

#endif
