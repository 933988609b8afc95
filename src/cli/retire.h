/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file retire.h
 * The parts of `keyhold retire`.
 */
#ifndef KEYHOLD_CLI_RETIRE_H
#define KEYHOLD_CLI_RETIRE_H

#include "form.h"
#include "target.h"

/**
 * Keeps a sealed copy of the key file: a sealed file as it is, with all its slots; another one
 * sealed with its own passphrase, or with a new one if it has none.
 *
 * @param target      was loaded.
 * @param info        of what was loaded.
 * @param new_source  of the new passphrase.
 * @param to          the path of the copy, at which there is nothing yet.
 * @return KH_CLI_DONE, or KH_CLI_FAILED after a message.
 */
int kh_cli_keep_copy(const kh_cli_target *target, const kh_keyfile_info *info,
                     const kh_cli_source *new_source, const kh_cli_costs *costs, const char *to);

#endif
