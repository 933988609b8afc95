/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed.h
 * Makes, spoils and opens sealed key files. What must succeed and does not ends the test.
 */
#ifndef KEYHOLD_TEST_SEALED_H
#define KEYHOLD_TEST_SEALED_H

#include <stdbool.h>

#include "keyhold/sealed.h"

/** The name of all files here, for messages. */
#define SEALED_PATH "sealed.keys"

/** Bytes of a string. */
kh_bytes sealed_bytes(const char *text);

/** A slot of the least costs. */
kh_sealed_entry sealed_entry(const char *label, kh_sealed_kdf kdf, const char *passphrase);

/** Seals a text for two slots: "one" of Argon2id with passphrase "first" and "two" of PBKDF2 with
 * passphrase "second". */
kh_secret *sealed_file(const char *text);

/** Opens; a failure must leave the outputs untouched and fill the fault with its status. A text
 * that opens must be `expected`, unless that is NULL. */
kh_status sealed_open(kh_bytes file, const char *passphrase, const char *expected,
                      kh_fault *ret_fault);

/** Opens, which must work with this slot and give this text. */
void sealed_expect(const kh_secret *file, const char *passphrase, size_t slot, const char *text);

/** The file's bytes, and room for as many again: for changing them. From malloc(). */
uint8_t *sealed_copy(kh_bytes file);

/** Gives `data` the right last line: replaces it if there is one, else adds it. */
size_t sealed_mend(uint8_t *data, size_t len);

/** A file made as by printf, without its last line, which it gets. From malloc(). */
__attribute__((format(printf, 2, 3))) uint8_t *sealed_print(size_t *ret_len, const char *format,
                                                            ...);

/** A line of a file, counted from 1, with its line end. */
kh_bytes sealed_line(kh_bytes file, unsigned line);

#endif
