/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file slot.h
 * What the subcommands of `keyhold slot` have in common.
 */
#ifndef KEYHOLD_CLI_SLOT_H
#define KEYHOLD_CLI_SLOT_H

#include "cli/args/costs.h"
#include "cli/args/target.h"
#include "keyhold/keyfile_change.h"

/** The parser of a subcommand's argp with the arguments FILE and LABEL; its children are the
 * first of kh_cli_sealed_target_argp, kh_cli_new_source_argp and kh_cli_costs_argp, in this order.
 */
error_t kh_cli_slot_parse(int key, char *value, struct argp_state *state);

/** All three children. */
extern const struct argp_child kh_cli_slot_children[];

/**
 * Reads which slots the file has.
 *
 * @return false: it is not sealed, or cannot be read; a message has said why.
 */
bool kh_cli_slot_read(const char *path, kh_sealed_slots *ret_slots);

/** Runs a subcommand that changes a slot: reads the arguments as its argp says, gets the
 * passphrases, changes the slot, and gives what the subcommand gives. */
int kh_cli_slot_run(const struct argp *argp, int argc, char **argv, kh_slot_change change);

#endif
