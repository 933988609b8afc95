/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file command.h
 * The table of subcommands, from which dispatch, help and suggestions come. Each subcommand is a
 * function in a file of its own, or in that of its noun.
 */
#ifndef KEYHOLD_CLI_COMMAND_H
#define KEYHOLD_CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/args/arguments.h"
#include "cli/args/nearest.h"
#include "cli/output/message.h" /* the result of a subcommand */

/** One subcommand. */
typedef struct kh_cli_command {
  const char *name;    /**< one word or two */
  const char *summary; /**< an imperative, for the list of commands */
  /** Parses its own arguments, works, and returns KH_CLI_DONE or another of its values. argv[0] is
   * its full name, for messages. */
  int (*run)(int argc, char **argv);
} kh_cli_command;

extern const kh_cli_command kh_cli_commands[];
extern const size_t kh_cli_command_count;

/**
 * Finds the subcommand that the first words name.
 *
 * @param ret_words  the number of words of its name; untouched when it is not found.
 * @return NULL: there is no such subcommand.
 */
const kh_cli_command *kh_cli_find_command(int argc, char **argv, int *ret_words);

/** Compares a mistyped word with the names of all subcommands, of their groups, and "help". */
void kh_cli_find_near_command(kh_cli_nearest *nearest);

/** Returns a text and the list of subcommands with their summaries, for free(); NULL: no memory. */
char *kh_cli_list_commands(const char *introduction);

/** Returns whether a word is the first one of subcommands of two words. */
bool kh_cli_is_group(const char *word);

/** Lists the subcommands that begin with a word. */
void kh_cli_list_group(FILE *out, const char *word);

int kh_cli_add(int argc, char **argv);     /* add.c */
int kh_cli_check(int argc, char **argv);   /* check.c */
int kh_cli_convert(int argc, char **argv); /* convert.c */
int kh_cli_create(int argc, char **argv);  /* create.c */
int kh_cli_export(int argc, char **argv);  /* export.c */
int kh_cli_list(int argc, char **argv);    /* list.c */
int kh_cli_merge(int argc, char **argv);   /* merge.c */
int kh_cli_retire(int argc, char **argv);  /* retire.c */
int kh_cli_rotate(int argc, char **argv);  /* rotate.c */
int kh_cli_seal(int argc, char **argv);    /* convert.c */
int kh_cli_unseal(int argc, char **argv);  /* convert.c */
int kh_cli_watch(int argc, char **argv);   /* watch.c */

/* slot.c */
int kh_cli_slot_add(int argc, char **argv);
int kh_cli_slot_change(int argc, char **argv);
int kh_cli_slot_list(int argc, char **argv);
int kh_cli_slot_remove(int argc, char **argv);

#endif
