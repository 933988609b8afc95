/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed.h
 * Makes, damages and opens sealed key files. A call that must succeed and fails ends the test.
 */
#ifndef KEYHOLD_TEST_SEALED_H
#define KEYHOLD_TEST_SEALED_H

#include <stdbool.h>

#include "keyhold/sealed.h"

/** The name of all files here, for messages. */
#define SEALED_PATH "sealed.keys"

/** Returns a slot with the lowest costs. */
kh_sealed_entry sealed_entry(const char *label, const kh_sealed_kind *kind, const char *passphrase);

/** Seals a text for two slots: "one" of Argon2id with passphrase "first" and "two" of PBKDF2 with
 * passphrase "second". */
kh_secret *sealed_file(const char *text);

/** The file with two slots, of which a group of tests opens, changes or damages copies; and its
 * text. */
extern kh_secret *sealed_original;
extern const char sealed_original_text[];

/** For a group's set-up and tear-down. */
int sealed_make_original(void **state);
int sealed_free_original(void **state);

/*
 * Each of these takes a file and gives a file, in one call: the functions of keyhold/sealed.h work
 * on an opened file. Outputs are untouched on failure.
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

/** Opens a file. Asserts that a failure leaves the outputs untouched and sets the status of the
 * fault, and that an opened text is `expected`, unless that is NULL. */
kh_status sealed_open(kh_bytes file, const char *passphrase, const char *expected,
                      kh_fault *ret_fault);

/** Asserts that the file opens by this slot and has this text. */
void sealed_expect(const kh_secret *file, const char *passphrase, size_t slot, const char *text);

/** Returns a copy of the file's bytes with room for as many again, for changes; for free(). */
uint8_t *sealed_copy(kh_bytes file);

/** Gives `data` the right last line: replaces it if there is one, else adds it. */
size_t sealed_mend(uint8_t *data, size_t len);

/** Returns a file, formatted as by printf without its last line, which is added; for free(). */
__attribute__((format(printf, 2, 3))) uint8_t *sealed_print(size_t *ret_len, const char *format,
                                                            ...);

/** Returns a line of a file, counted from 1, with its line end. */
kh_bytes sealed_line(kh_bytes file, unsigned line);

#endif
