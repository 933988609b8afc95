/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file format.h
 * The format of a key file that is made.
 */
#ifndef KEYHOLD_CLI_FORMAT_H
#define KEYHOLD_CLI_FORMAT_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/keyfile.h"

/** Formats by name, for a subcommand's own parser; ends the process when there is none. */
kh_keyfile_look kh_cli_format_option(const char *value, struct argp_state *state);

/** Which options of a new file were given. */
typedef struct kh_cli_given {
  bool passphrase;
  bool costs;
  const char *derivation; /**< what --digest and --pbkdf2-iterations are called; NULL: not given */
} kh_cli_given;

/** Ends the process when one was given that a file of this format has no use for: whoever gave it
 * would take the file for another one than it is. */
void kh_cli_check_given(const kh_keyfile_look *look, kh_cli_given given, struct argp_state *state);

/** What a new file of the format openssl has when nothing is said. */
#define KH_CLI_NEW_DIGEST     KH_DIGEST_SHA256
#define KH_CLI_NEW_ITERATIONS 600000u

#endif
