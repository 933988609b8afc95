/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file settings.h
 * What the server must be told after a key file was changed, on the standard output.
 */
#ifndef KEYHOLD_CLI_SETTINGS_H
#define KEYHOLD_CLI_SETTINGS_H

#include "cli/args/passphrase.h"
#include "keyhold/keyfile.h"

/**
 * Prints the options with which the server opens a file.
 *
 * @param source  where the passphrase of the file came from.
 */
void kh_cli_print_settings(const char *path, const kh_keyfile_form *form,
                           const kh_cli_source *source);

/** Prints how a running server takes what is new in its file. */
void kh_cli_print_reload(void);

#endif
