/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file settings.h
 * Prints, on the standard output, what the server needs after a change of the key file.
 */
#ifndef KEYHOLD_CLI_SETTINGS_H
#define KEYHOLD_CLI_SETTINGS_H

#include <stdbool.h>

#include "cli/args/passphrase.h"
#include "keyhold/keyfile.h"

/**
 * Prints the options that the server needs to open a file.
 *
 * @param source  of the passphrase of the file.
 */
void kh_cli_print_settings(const char *path, const kh_keyfile_form *form,
                           const kh_cli_source *source);

/**
 * Prints, for a cipher of new versions whose data the server's own plugin cannot read, that it
 * cannot.
 *
 * @param is_new_key  no version has another cipher, so the line also names the choice that it can
 * read. The server's own plugin cannot read the data of a key with several versions.
 */
void kh_cli_print_cipher(kh_cipher cipher, bool is_new_key);

/** Prints how to give the file to the owner of its folder, if only root can read it and the folder
 * belongs to another user, such as the server's. */
void kh_cli_print_owner(const char *path);

/** Prints how to load the change into a running server. */
void kh_cli_print_reload(void);

#endif
