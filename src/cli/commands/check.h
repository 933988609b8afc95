/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file check.h
 * The parts of `keyhold check`.
 */
#ifndef KEYHOLD_CLI_CHECK_H
#define KEYHOLD_CLI_CHECK_H

#include "cli/args/target.h"
#include "cli/output/findings.h"
#include "keyhold/keytable.h"

/**
 * What can be seen without opening the file: permissions, and what its format protects.
 *
 * @return false: no passphrase will open it, and the findings say why.
 */
bool kh_cli_check_file(const kh_cli_target *target, kh_cli_findings *findings);

/** What can be seen in the keys: weak ones, equal ones, ones that are due. */
void kh_cli_check_keys(const kh_keytable *table, kh_cli_findings *findings);

#endif
