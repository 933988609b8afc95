/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyspec.h
 * The options of a new key or a new version: length, cipher, and interval of rotation.
 */
#ifndef KEYHOLD_CLI_KEYSPEC_H
#define KEYHOLD_CLI_KEYSPEC_H

#include <argp.h>

#include "keyhold/keyfile.h"

/** --bits, --cipher and --rotate of a new key, as a child of a subcommand's argp; its input is a
 * kh_key_changes, which starts as all zero. */
extern const struct argp kh_cli_new_key_argp;

/** The same for the new versions of a rotation. */
extern const struct argp kh_cli_new_version_argp;

/** Returns a new key of a file with this format, created now, with the options and the defaults: in
 * a sealed file, a key of 256 bits has the cipher aes256-xts. Its id is 0. */
kh_keyfile_addition kh_cli_new_key(const kh_key_changes *given, const kh_keyfile_format *format);

#endif
