/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file conversion.h
 * What `keyhold convert`, `seal` and `unseal` have in common.
 */
#ifndef KEYHOLD_CLI_CONVERSION_H
#define KEYHOLD_CLI_CONVERSION_H

#include "cli/args/costs.h"
#include "cli/args/format.h"
#include "cli/args/target.h"

/** Keys of options. */
enum {
  KH_CLI_KEY_OUTPUT = 0x300,
  KH_CLI_KEY_TO,
  KH_CLI_KEY_NEW_DIGEST,
  KH_CLI_KEY_NEW_ITERATIONS,
};

/** What the arguments said. Starts as KH_CLI_CONVERSION_NONE, with `children` set, and `look` where
 * no option says it. */
typedef struct kh_cli_conversion {
  const struct argp_child *children; /**< of the subcommand's argp */
  kh_cli_target target;
  kh_keyfile_look look; /**< what it becomes */
  const char *output;   /**< NULL: the file itself */
  kh_cli_source new_source;
  kh_cli_costs costs;
  kh_digest digest;
  uint32_t pbkdf2_iterations;
  bool derivation_is_given; /**< one of these two */
} kh_cli_conversion;

#define KH_CLI_CONVERSION_NONE                                                                     \
  ((kh_cli_conversion){.target = KH_CLI_TARGET_NONE,                                               \
                       .new_source = KH_CLI_SOURCE_NONE,                                           \
                       .digest = KH_CLI_NEW_DIGEST,                                                \
                       .pbkdf2_iterations = KH_CLI_NEW_ITERATIONS})

/** The parser of a subcommand's argp; its input is a kh_cli_conversion, and its children the
 * first of kh_cli_target_argp, kh_cli_new_source_argp and kh_cli_costs_argp, in this order. */
error_t kh_cli_conversion_parse(int key, char *value, struct argp_state *state);

/** All three children. */
extern const struct argp_child kh_cli_conversion_children[];

/** Looks at the file; whether it could be. */
bool kh_cli_conversion_open(kh_cli_conversion *conversion);

/** Converts what was opened, and gives what the subcommand gives. */
int kh_cli_conversion_run(kh_cli_conversion *conversion);

/** For `__attribute__((cleanup))`. */
void kh_cli_conversion_cleanup(kh_cli_conversion *conversion);
#define KH_CLI_AUTO_CONVERSION __attribute__((cleanup(kh_cli_conversion_cleanup))) kh_cli_conversion

/** --output, which all of them have. */
#define KH_CLI_OUTPUT_OPTION                                                                       \
  {                                                                                                \
    "output", KH_CLI_KEY_OUTPUT, "NEW", 0,                                                         \
        "write a new file NEW and leave FILE as it is; otherwise FILE is replaced", 0              \
  }

#endif
