/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file command.h
 * The subcommands: a function in a file of its own each, and a line in the table of commands.c,
 * which the dispatch and the usage come from.
 */
#ifndef KEYHOLD_CLI_COMMAND_H
#define KEYHOLD_CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/output/message.h" /* what a subcommand returns */

/** One subcommand. */
typedef struct kh_cli_command {
  const char *name;    /**< one word or two */
  const char *summary; /**< for the list in the usage */
  /** Reads its own arguments, works, and gives one of KH_CLI_DONE and so on. argv[0] is for
   * messages. */
  int (*run)(int argc, char **argv);
} kh_cli_command;

extern const kh_cli_command kh_cli_commands[];
extern const size_t kh_cli_command_count;

/**
 * Finds the subcommand that the first words name.
 *
 * @param ret_words  how many of them are its name; untouched when there is none.
 * @return NULL: there is no such subcommand.
 */
const kh_cli_command *kh_cli_find_command(int argc, char **argv, int *ret_words);

/** Lists the subcommands with their summaries, a line each, for free(); NULL: no memory. */
char *kh_cli_list_commands(void);

/** Whether a word is the first one of subcommands of two words. */
bool kh_cli_is_group(const char *word);

/** Lists the subcommands that begin with a word. */
void kh_cli_list_group(FILE *out, const char *word);

int kh_cli_add(int argc, char **argv);     /* add.c */
int kh_cli_check(int argc, char **argv);   /* check.c */
int kh_cli_convert(int argc, char **argv); /* convert.c */
int kh_cli_create(int argc, char **argv);  /* create.c */
int kh_cli_export(int argc, char **argv);  /* export.c */
int kh_cli_list(int argc, char **argv);    /* list.c */
int kh_cli_retire(int argc, char **argv);  /* retire.c */
int kh_cli_rotate(int argc, char **argv);  /* rotate.c */
int kh_cli_seal(int argc, char **argv);    /* seal.c */
int kh_cli_unseal(int argc, char **argv);  /* unseal.c */
int kh_cli_watch(int argc, char **argv);   /* watch.c */

/* slot_add.c and so on */
int kh_cli_slot_add(int argc, char **argv);
int kh_cli_slot_change(int argc, char **argv);
int kh_cli_slot_list(int argc, char **argv);
int kh_cli_slot_remove(int argc, char **argv);

#endif
