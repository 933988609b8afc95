/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file slot.h
 * What the subcommands of `keyhold slot` have in common.
 */
#ifndef KEYHOLD_CLI_SLOT_H
#define KEYHOLD_CLI_SLOT_H

#include "costs.h"
#include "keyhold/keyfile_change.h"
#include "target.h"

/** What the arguments said, then the slots that the file has. Starts as KH_CLI_SLOT_NONE, with
 * `children` set. */
typedef struct kh_cli_slot_arguments {
  const struct argp_child *children; /**< of the subcommand's argp */
  kh_cli_target target;
  const char *label; /**< the argument LABEL */
  kh_cli_source new_source;
  kh_cli_costs costs;
  kh_sealed_slots slots;
} kh_cli_slot_arguments;

#define KH_CLI_SLOT_NONE                                                                           \
  ((kh_cli_slot_arguments){.target = KH_CLI_TARGET_NONE, .new_source = KH_CLI_SOURCE_NONE})

/** The parser of a subcommand's argp with the arguments FILE and LABEL; its children are the
 * first of kh_cli_sealed_target_argp, kh_cli_new_source_argp and kh_cli_costs_argp, in this order.
 */
error_t kh_cli_slot_parse(int key, char *value, struct argp_state *state);

/**
 * Reads which slots the file has.
 *
 * @return false: it is not sealed, or cannot be read; a message has said why.
 */
bool kh_cli_slot_read(const char *path, kh_sealed_slots *ret_slots);

/** Gets the passphrases, changes the slot, and gives what the subcommand gives. */
int kh_cli_slot_run(const kh_cli_slot_arguments *arguments, kh_slot_change change);

#endif
