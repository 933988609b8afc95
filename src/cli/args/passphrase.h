/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file passphrase.h
 * The source of a passphrase: one that an option names, or the terminal. Never an argument, which
 * every user of the system can see.
 */
#ifndef KEYHOLD_CLI_PASSPHRASE_H
#define KEYHOLD_CLI_PASSPHRASE_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/secret.h"

/** Returns whether a word has a passphrase or a password as the value of an option. No option takes
 * one, and a message must not repeat it. */
bool kh_cli_is_passphrase_word(const char *word);

/** The message about such a word. */
#define KH_CLI_VISIBLE                                                                             \
  "a passphrase or password on the command line is visible to every user; name a source, or let "  \
  "the command ask for it"

/** The values of the options; at most one of them is given. */
typedef struct kh_cli_source {
  const char *setting; /**< the filekey, for kh_unlock(); NULL: not given */
  const char *file;    /**< the file that has it; NULL: not given */
  int fd;              /**< the descriptor that it is read from; -1: not given */
} kh_cli_source;

/** No option: the terminal. */
#define KH_CLI_SOURCE_NONE ((kh_cli_source){.fd = -1})

/** Returns whether an option was given. */
bool kh_cli_source_is_given(const kh_cli_source *source);

/** --filekey, --passphrase-file and --passphrase-fd, as a child of a subcommand's argp; its input
 * is a kh_cli_source. */
extern const struct argp kh_cli_source_argp;

/** The same with "new-" before their names, for a new passphrase. */
extern const struct argp kh_cli_new_source_argp;

/** The same with "other-" before their names, for a second key file. */
extern const struct argp kh_cli_other_source_argp;

/**
 * Reads the passphrase that opens a file, or asks for it.
 *
 * @param what            the name of the file, for the question.
 * @param ret_passphrase  for kh_secret_free(); untouched on failure.
 * @return false: a message has the reason.
 */
bool kh_cli_get_passphrase(const kh_cli_source *source, const char *what,
                           kh_secret **ret_passphrase);

/** The same for a new passphrase: it must not be empty, and the terminal asks for it twice. */
bool kh_cli_get_new_passphrase(const kh_cli_source *source, const char *what,
                               kh_secret **ret_passphrase);

#endif
