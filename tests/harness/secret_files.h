/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file secret_files.h
 * Key files whose secrets are made by other processes and are never in this process in plain text,
 * and masks by which tests search for them.
 */
#ifndef KEYHOLD_TEST_SECRET_FILES_H
#define KEYHOLD_TEST_SECRET_FILES_H

#include "memory.h"

/** The secrets of one key file. */
struct secrets {
  struct masked digits, bytes; /**< key 1 version 1, in the file and in use */
  struct masked passphrase;
  struct masked slot_key, file_key; /**< of a sealed file; else empty */
};

/** The forms of a key file, all with the same key and passphrase. */
enum secret_form {
  SECRET_TEXT,
  SECRET_OPENSSL, /**< digest sha1, without PBKDF2 */
  SECRET_ARGON2,  /**< sealed, Argon2id with the lowest costs */
  SECRET_PBKDF2,  /**< sealed, PBKDF2 with the lowest costs */
  SECRET_FORMS
};

/** Makes all of them in the test's folder. The environment names the command (KEYHOLD) and the
 * program that opens sealed files (KEYHOLD_OPEN_SEALED). */
void secret_files_make(void);

/** Returns the path of a key file, and its secrets. Passphrases are in the file "pass". */
const char *secret_file(enum secret_form form);
const struct secrets *secrets_of(enum secret_form form);

/** Returns the setting of filekey for a form: the file "pass", or "". */
const char *secret_filekey(enum secret_form form);

/** Returns key 1 of a version that a rotation has made, as it is in the file. */
struct masked secret_rotated_digits(enum secret_form form);

#endif
