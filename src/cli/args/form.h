/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file form.h
 * What a key file that is made is like: its format, and what a guess at its passphrase costs.
 */
#ifndef KEYHOLD_CLI_FORM_H
#define KEYHOLD_CLI_FORM_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/keyfile.h"
#include "passphrase.h"

/** The costs of a new slot, by --kdf, --memory, --passes and --iterations. Starts as all zero:
 * the defaults. */
typedef struct kh_cli_costs {
  bool is_given;              /**< any of them */
  const kh_sealed_kind *kind; /**< NULL: argon2id */
  uint32_t memory;            /**< in KiB */
  uint32_t passes;
  uint32_t iterations;
} kh_cli_costs;

extern const struct argp kh_cli_costs_argp; /* its input is a kh_cli_costs */

/** A slot with these costs. */
kh_sealed_slot kh_cli_slot(const kh_cli_costs *costs, const char *label);

/** Whether the costs of a slot are less than those of a new one should be. */
bool kh_cli_is_cheap(const kh_sealed_slot *slot);

/** What the options said of a file that is made. Starts as KH_CLI_FORM_OF(format). */
typedef struct kh_cli_form {
  const kh_keyfile_format *format; /**< NULL when no option has named one */
  kh_digest digest;
  uint32_t pbkdf2_iterations;
  const char *derivation; /**< the names of the options of these two; NULL: none was given */
  kh_cli_costs costs;
} kh_cli_form;

/** A new file of a format, or of one that an option names: NULL. */
#define KH_CLI_FORM_OF(wanted)                                                                     \
  ((kh_cli_form){.format = (wanted), .digest = KH_DIGEST_SHA256, .pbkdf2_iterations = 600000})

/** --format, --digest, --pbkdf2-iterations and the costs, as a child of a subcommand's argp; its
 * input is a kh_cli_form. */
extern const struct argp kh_cli_form_argp;

/** The same of a file that is written anew: --to, --new-digest, --new-pbkdf2-iterations. */
extern const struct argp kh_cli_new_form_argp;

/** Ends the process when the format is missing, or an option was given that a file of this format
 * has no use for: whoever gave it would take the file for another one than it is. */
void kh_cli_form_check(const kh_cli_form *form, const kh_cli_source *source,
                       struct argp_state *state);

/** The same for the core; valid as long as the passphrase, which may be NULL. */
kh_keyfile_form kh_cli_form_with(const kh_cli_form *form, const kh_secret *passphrase);

/** Whether there is nothing at the path of a new file, before a passphrase is typed for nothing;
 * false: a message has said so. */
bool kh_cli_is_free(const char *path);

#endif
