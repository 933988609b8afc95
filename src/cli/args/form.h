/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file form.h
 * The options of a new key file: its format, its key derivation, and the cost of a guess at its
 * passphrase.
 */
#ifndef KEYHOLD_CLI_FORM_H
#define KEYHOLD_CLI_FORM_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/keyfile.h"
#include "passphrase.h"

/** The cost of a guess at the passphrase of a new slot: --kdf, --memory, --passes and --iterations.
 * Starts as all zero: the defaults. */
typedef struct kh_cli_costs {
  bool is_given;              /**< one of the options was given */
  const kh_sealed_kind *kind; /**< NULL: argon2id */
  uint32_t memory;            /**< in KiB; 0: the default, as for the others */
  uint32_t passes;
  uint32_t iterations;
} kh_cli_costs;

extern const struct argp kh_cli_costs_argp; /* its input is a kh_cli_costs */

/** Returns a slot with these costs. */
kh_sealed_slot kh_cli_slot(const kh_cli_costs *costs, const char *label);

/** Returns whether a slot costs less than a new one should. */
bool kh_cli_is_cheap(const kh_sealed_slot *slot);

/** The values of the options of a new file. Starts as KH_CLI_FORM_OF(format). */
typedef struct kh_cli_form {
  const kh_keyfile_format *format; /**< NULL: no option has named one yet */
  kh_digest digest;
  uint32_t pbkdf2_iterations;
  const char *derivation; /**< the names of the options of these two; NULL: neither was given */
  kh_cli_costs costs;
} kh_cli_form;

/** A new file of a format; NULL: of the one that an option names. */
#define KH_CLI_FORM_OF(wanted)                                                                     \
  ((kh_cli_form){.format = (wanted), .digest = KH_DIGEST_SHA256, .pbkdf2_iterations = 600000})

/** The group of options under the heading "New file:", which the subcommand's own options have. */
enum { KH_CLI_GROUP_NEW_FILE = 1 };

/** --format, --digest, --pbkdf2-iterations and the costs, as a child of a subcommand's argp; its
 * input is a kh_cli_form. */
extern const struct argp kh_cli_form_argp;

/** The same for a converted file: --to, --new-digest, --new-pbkdf2-iterations and the costs. */
extern const struct argp kh_cli_new_form_argp;

/** Ends the process, by kh_cli_usage_error(), if the format is missing, or if an option was given
 * that does not apply to the format: it must not seem to have had an effect. */
void kh_cli_form_check(const kh_cli_form *form, const kh_cli_source *source,
                       struct argp_state *state);

/** Returns the form for the core; valid as long as the passphrase, which may be NULL. */
kh_keyfile_form kh_cli_form_with(const kh_cli_form *form, const kh_secret *passphrase);

/** Checks that no file is at the path of a new one, before a passphrase is typed. False: there is
 * one, and a message has reported it. */
bool kh_cli_is_free(const char *path);

#endif
