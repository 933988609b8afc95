/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/args/arguments.h"
#include "cli/args/nearest.h"
#include "cli/args/passphrase.h"
#include "cli/commands/command.h"
#include "cli/output/message.h"

enum { NAME_SIZE = 64 };

static char *add_command_list(int key, const char *text, void *input)
{
  (void)input;
  return key == ARGP_KEY_HELP_PRE_DOC ? kh_cli_list_commands(text) : (char *)text;
}

static error_t require_command(int key, char *value, struct argp_state *state)
{
  const bool *has_command = state->input;
  (void)value;
  if (key == ARGP_KEY_NO_ARGS && !*has_command)
    kh_cli_usage_error(state, "no command given");
  return ARGP_ERR_UNKNOWN;
}

/* Parses the options before the command; its input tells whether there is a command. */
static const struct argp argp = {
    .parser = require_command,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = "Create, show, check and change key files for MariaDB's data-at-rest encryption.",
    .help_filter = add_command_list,
};

/* Keeps the keys out of core dumps, and out of reach of other processes of the same user. */
static void keep_memory_private(void)
{
  const struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0);
}

static bool is_help_option(const char *word)
{
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0;
}

/* Reports an unknown command. The first word of a group lists its commands, and "keyhold slot
 * --help" is not an error. */
static int handle_unknown_command(int argc, char **argv)
{
  char name[NAME_SIZE];
  bool is_group = kh_cli_is_group(argv[0]);
  bool has_second = is_group && argc > 1 && argv[1][0] != '-';
  if (is_group && argc > 1 && is_help_option(argv[1])) {
    kh_cli_list_group(stdout, argv[0]);
    return kh_cli_close_output(KH_CLI_DONE);
  }
  snprintf(name, sizeof name, "%s%s%s", argv[0], has_second ? " " : "", has_second ? argv[1] : "");
  kh_cli_nearest nearest = {.word = name};
  kh_cli_find_near_command(&nearest);
  if (is_group && !has_second)
    kh_cli_message("incomplete command '%s'", name);
  else if (nearest.name[0] != '\0')
    kh_cli_message("unknown command '%s'. Did you mean '%s'?", name, nearest.name);
  else
    kh_cli_message("unknown command '%s' (see 'keyhold help')", name);
  if (is_group)
    kh_cli_list_group(stderr, argv[0]);
  return KH_CLI_USAGE;
}

/* Runs a command. @param argv  its words, its arguments and a NULL. */
static int run_command(int argc, char **argv)
{
  int words = 0;
  const kh_cli_command *command = kh_cli_find_command(argc, argv, &words);
  if (command == NULL)
    return handle_unknown_command(argc, argv);
  char name[NAME_SIZE];
  snprintf(name, sizeof name, "keyhold %s", command->name);
  argc -= words - 1;
  argv += words - 1;
  argv[0] = name;
  return kh_cli_close_output(command->run(argc, argv));
}

/* Runs "keyhold help slot add" as "keyhold slot add --help". */
static int run_help(int argc, char **argv)
{
  static char option[] = "--help";
  char *words[] = {argv[0], argc > 1 ? argv[1] : option, option, NULL};
  return run_command(argc > 1 ? 3 : 2, words);
}

static void refuse_visible_secrets(char **argv)
{
  for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
    if (kh_cli_is_passphrase_word(*argv)) {
      kh_cli_message(KH_CLI_VISIBLE);
      exit(KH_CLI_USAGE);
    }
}

/* Parses the options before the command: help, and errors. */
static void parse_own_options(int argc, char **argv, bool has_command)
{
  static char name[] = "keyhold";
  argv[0] = name;
  kh_cli_parse_arguments(&argp, argc, argv, &has_command);
}

int main(int argc, char **argv)
{
  static char help[] = "--help";
  int at = 1;
  keep_memory_private();
  refuse_visible_secrets(argv);
  argp_err_exit_status = KH_CLI_USAGE;
  while (at < argc && argv[at][0] == '-')
    at++;
  parse_own_options(at, argv, at < argc);
  if (strcmp(argv[at], "help") != 0)
    return run_command(argc - at, argv + at);
  if (at + 1 == argc || is_help_option(argv[at + 1]))
    parse_own_options(2, (char *[]){NULL, help, NULL}, true);
  return run_help(argc - at - 1, argv + at + 1);
}
