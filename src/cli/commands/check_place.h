/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file check_place.h
 * The checks of where a key file is, and of what is beside it.
 */
#ifndef KEYHOLD_CLI_CHECK_PLACE_H
#define KEYHOLD_CLI_CHECK_PLACE_H

#include <stdbool.h>

#include "cli/output/findings.h"
#include "keyhold/keytable.h"

/**
 * Adds a problem if the file is inside a data directory: a folder above it has `ibdata1` or
 * `aria_log_control`. Adds a note if the file itself is a mount point. Adds what would make a
 * rotation by the caller fail (by the file's owner, if the caller is root): a problem, or a note
 * where it may be meant so, such as a folder that cannot be written. Adds a note for each content
 * that was kept beside the file, such as lines that another process wrote during a change.
 */
void kh_cli_check_place(const char *path, kh_cli_findings *findings);

/**
 * Adds a finding for each other file of the file's folder that has keys of the table as hexadecimal
 * digits: an editor's copy, or the file before it was sealed. Files are compared with the keys, so
 * that each finding is a fact.
 *
 * Reads regular files of up to 1 MiB, 1000 at most, and not through links. What the user may not
 * read is left out.
 *
 * @param is_encrypted  whether the key file is: then a copy is a problem, else a note.
 */
void kh_cli_check_copies(const char *path, bool is_encrypted, const kh_keytable *table,
                         kh_cli_findings *findings);

#endif
