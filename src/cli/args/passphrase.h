/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file passphrase.h
 * The options that say where a passphrase comes from, and the passphrase: from one of them, or from
 * the terminal. Never an argument, which every user of the system can see.
 */
#ifndef KEYHOLD_CLI_PASSPHRASE_H
#define KEYHOLD_CLI_PASSPHRASE_H

#include <argp.h>
#include <stdbool.h>

#include "keyhold/secret.h"

/**
 * Whether a word gives a passphrase or a password as the value of an option. No option takes one,
 * and the C library would repeat the word in its message.
 */
bool kh_cli_is_passphrase_word(const char *word);

/** What is said of it. */
#define KH_CLI_VISIBLE                                                                             \
  "a passphrase on the command line is visible to every user; name a source, or leave the option " \
  "out to be asked"

/** What the options said; at most one of the first three is given. */
typedef struct kh_cli_source {
  const char *setting; /**< as kh_unlock() takes it; NULL: not given */
  const char *file;    /**< its content; NULL: not given */
  int fd;              /**< what is read from it; -1: not given */
} kh_cli_source;

/** A source of which nothing is said: the terminal. */
#define KH_CLI_SOURCE_NONE ((kh_cli_source){.fd = -1})

/** Whether the options said something. */
bool kh_cli_source_is_given(const kh_cli_source *source);

/** --filekey, --passphrase-file and --passphrase-fd, as a child of a subcommand's argp; its input
 * is a kh_cli_source. */
extern const struct argp kh_cli_source_argp;

/** The same with "new-" in front, for a passphrase that is set while another one is needed. */
extern const struct argp kh_cli_new_source_argp;

/**
 * Gets a passphrase that opens something.
 *
 * @param what            is opened, for the question: the name of a file.
 * @param ret_passphrase  for kh_secret_free(); untouched on failure.
 * @return false: a message has said why.
 */
bool kh_cli_get_passphrase(const kh_cli_source *source, const char *what,
                           kh_secret **ret_passphrase);

/** The same for a passphrase that is set: it must not be empty, and the terminal asks for it twice.
 */
bool kh_cli_get_new_passphrase(const kh_cli_source *source, const char *what,
                               kh_secret **ret_passphrase);

#endif
