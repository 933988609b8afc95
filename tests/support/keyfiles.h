/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfiles.h
 * Key files in each format, for tests that make, convert and change them. Every failed check ends
 * the test.
 */
#ifndef TEST_KEYFILES_H
#define TEST_KEYFILES_H

#include "keyhold/keyfile.h"

#define KEYFILES_A16 "770A8A65DA156D24EE2A093277530142"
#define KEYFILES_A32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

/** Everything that a text may have besides its keys. */
#define KEYFILES_TEXT                                                                              \
  "# mine\r\n1;" KEYFILES_A16 "  ignored\r\n\n1;3;" KEYFILES_A32                                   \
  ";cipher=aes256-ctr;created=2026-11-22\n7;" KEYFILES_A16 ";rotate=90d;bits=256"

#define TEXT_FILE   (&kh_keyfile_format_text)
#define SEALED_FILE (&kh_keyfile_format_sealed)

enum { FORMATS = 3, TEXT_FORMAT = 0, SEALED = 2 };

/** All formats: text, openssl, sealed. */
extern const kh_keyfile_format *const keyfiles_formats[FORMATS];

/** The passphrase of all files that are not text, between set-up and tear-down. */
extern kh_secret *keyfiles_passphrase;

/** Set-up of a group, with engines.h's. */
int keyfiles_prepare(void **state);

/** Tear-down of a group. */
int keyfiles_clean(void **state);

/** Returns the bytes of a string as a secret, for kh_secret_free(). */
kh_secret *keyfiles_secret(const char *text);

/** Returns the form of files of a format, with the lowest costs. */
kh_keyfile_form keyfiles_form(const kh_keyfile_format *format);

/** Opens a file, which must be of this format. */
kh_keyfile *keyfiles_open(const char *path, const kh_keyfile_format *format);

/**
 * Converts a file to another format.
 *
 * @param to  the path of the new file; NULL: the file itself is replaced.
 */
kh_status keyfiles_convert(const char *path, const kh_keyfile_format *from,
                           const kh_keyfile_format *format, const char *to);

/** Returns the slots of a sealed file. */
kh_sealed_slots keyfiles_slots(const char *path);

/** Asserts that two keys have the same attributes. */
void keyfiles_expect_policy(const kh_policy *a, const kh_policy *b);

#endif
