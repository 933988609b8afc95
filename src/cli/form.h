/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file form.h
 * The options that say how a file, or a slot of one, is to be written.
 */
#ifndef KEYHOLD_CLI_FORM_H
#define KEYHOLD_CLI_FORM_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/keyfile.h"

/** The costs of a new slot, by --kdf, --memory, --passes and --iterations. Starts as all zero:
 * the defaults. */
typedef struct kh_cli_costs {
  bool is_given; /**< any of them */
  kh_sealed_kdf kdf;
  uint32_t memory; /**< in KiB */
  uint32_t passes;
  uint32_t iterations;
} kh_cli_costs;

extern const struct argp kh_cli_costs_argp; /* its input is a kh_cli_costs */

/** A slot with these costs. */
kh_sealed_slot kh_cli_slot(const kh_cli_costs *costs, const char *label);

/** Whether the costs of a slot are less than those of a new one should be. */
bool kh_cli_is_cheap(const kh_sealed_slot *slot);

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
