/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file settings.h
 * What the server must be told after a key file was changed, on the standard output.
 */
#ifndef KEYHOLD_CLI_SETTINGS_H
#define KEYHOLD_CLI_SETTINGS_H

#include "keyhold/keyfile.h"

/** Prints the options with which the server opens a file. */
void kh_cli_print_settings(const char *path, const kh_keyfile_form *form);

/** Prints how a running server takes what is new in its file. */
void kh_cli_print_reload(void);

#endif
