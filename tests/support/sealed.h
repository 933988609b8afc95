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

/** A slot of the least costs. */
kh_sealed_entry sealed_entry(const char *label, const kh_sealed_kind *kind, const char *passphrase);

/** Seals a text for two slots: "one" of Argon2id with passphrase "first" and "two" of PBKDF2 with
 * passphrase "second". */
kh_secret *sealed_file(const char *text);

/** The file of the two slots that a group of tests opens, changes or spoils copies of; its text. */
extern kh_secret *sealed_original;
extern const char sealed_original_text[];

/** For a group's set-up and tear-down. */
int sealed_make_original(void **state);
int sealed_free_original(void **state);

/*
 * Files of before and after, each in one call: those of sealed.h work on an opened file. Outputs
 * are untouched on failure.
 */

/** Makes a file with a new file key. */
kh_status sealed_make(kh_bytes text, const kh_sealed_entry *entries, size_t count,
                      kh_secret **ret_file, kh_fault *ret_fault);

/** Opens a file; `ret_slot`, which may be NULL, is the slot that opened. */
kh_status sealed_open_with(kh_bytes file, kh_bytes passphrase, kh_secret **ret_text,
                           size_t *ret_slot, kh_fault *ret_fault);

/** Opens a file, changes it, and writes the new one. */
kh_status sealed_replace_text(kh_bytes file, kh_bytes passphrase, kh_bytes text,
                              kh_secret **ret_file, kh_fault *ret_fault);
kh_status sealed_add_slot(kh_bytes file, kh_bytes passphrase, const kh_sealed_entry *added,
                          kh_secret **ret_file, kh_fault *ret_fault);
kh_status sealed_change_slot(kh_bytes file, kh_bytes passphrase, const kh_sealed_entry *changed,
                             kh_secret **ret_file, kh_fault *ret_fault);
kh_status sealed_remove_slot(kh_bytes file, kh_bytes passphrase, const char *label,
                             kh_secret **ret_file, kh_fault *ret_fault);

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
