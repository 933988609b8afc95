/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyspec.h
 * The options of a new key: length, cipher, and interval of rotation.
 */
#ifndef KEYHOLD_CLI_KEYSPEC_H
#define KEYHOLD_CLI_KEYSPEC_H

#include <argp.h>

#include "keyhold/policy.h"

/** The values of the options. Starts as KH_CLI_KEYSPEC_DEFAULT. */
typedef struct kh_cli_keyspec {
  uint32_t len; /**< in bytes */
  kh_policy policy;
} kh_cli_keyspec;

#define KH_CLI_KEYSPEC_DEFAULT ((kh_cli_keyspec){.len = 32})

/** --bits, --cipher and --rotate, as a child of a subcommand's argp; its input is a kh_cli_keyspec,
 * whose time of creation it sets to now. */
extern const struct argp kh_cli_keyspec_argp;

#endif
