/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file guess.h
 * Finds out how a file of `openssl enc` was made that does not open: the digest, the iterations,
 * the cipher, and a passphrase that a line end or another byte too many makes a different one.
 */
#ifndef KEYHOLD_KEYFILE_GUESS_H
#define KEYHOLD_KEYFILE_GUESS_H

#include "keyhold/keyfile.h"

/**
 * Tries the usual ways to make a file of `openssl enc`. One is found when the padding is right and
 * the text parses as keys. Returns nothing of the text. Thread-safe.
 *
 * @param options     path, and the digest and the iterations that did not open it.
 * @param file        of `openssl enc` by its beginning; or else it is tried as one without a salt.
 * @param limit       milliseconds for key derivations; 0: no limit.
 * @param ret_advice  KH_ADVICE_MAX bytes: how it was made and what to do; "": not found.
 * @return false: not all ways were tried, since the time was over.
 */
bool kh_guess_how_made(const kh_keyfile_options *options, kh_bytes file, kh_bytes passphrase,
                       int64_t limit, char *ret_advice);

/**
 * Returns whether a file that counts as plain text may be one of `openssl enc -nosalt`, which has
 * no mark: it has control characters, or nothing but base64. Thread-safe.
 */
bool kh_guess_may_be_unsalted(kh_bytes file);

#endif
