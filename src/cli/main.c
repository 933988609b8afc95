/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/args/passphrase.h"
#include "cli/commands/command.h"
#include "cli/output/message.h"
#include "keyhold/version.h"

enum { NAME_SIZE = 64 };

/* Where the subcommand's words begin. */
struct arguments {
  int at; /* 0: there are none */
};

static error_t find_command_word(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  (void)value;
  switch (key) {
  case ARGP_KEY_ARG:
    arguments->at = state->next - 1;
    state->next = state->argc; /* the rest is the subcommand's */
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static char *add_list(int key, const char *text, void *input)
{
  (void)input;
  return key == ARGP_KEY_HELP_EXTRA ? kh_cli_list_commands() : (char *)text;
}

static const struct argp argp = {
    .parser = find_command_word,
    .args_doc = "COMMAND [ARGUMENT...]",
    .doc = "Makes, shows, checks and changes key files for MariaDB's encryption.",
    .help_filter = add_list,
};

/* Neither a core dump nor another process of the same user gets at the keys. */
static void keep_memory_private(void)
{
  const struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0);
}

/* A report that could not be written whole must not look like one that was, nor a change that was
 * made like one that was not. */
static int close_output(int result)
{
  bool is_written = result == KH_CLI_WRITTEN;
  if (fflush(stdout) == 0 && ferror(stdout) == 0)
    return is_written ? KH_CLI_DONE : result;
  return kh_cli_fail("the standard output cannot be written%s",
                     is_written ? "; the key file is written nonetheless" : "");
}

/* "keyhold slot --help" is no mistake */
static int no_command(int argc, char **argv)
{
  const char *second = argc > 1 ? argv[1] : "";
  bool is_question = strcmp(second, "--help") == 0 || strcmp(second, "-?") == 0;
  if (!kh_cli_is_group(argv[0])) {
    kh_cli_message("there is no command '%s'; see 'keyhold --help'", argv[0]);
    return KH_CLI_USAGE;
  }
  if (!is_question)
    kh_cli_message("there is no command '%s%s%s'", argv[0], argc > 1 ? " " : "", second);
  kh_cli_list_group(is_question ? stdout : stderr, argv[0]);
  return is_question ? close_output(KH_CLI_DONE) : KH_CLI_USAGE;
}

static bool has_passphrase(char **argv)
{
  for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
    if (kh_cli_is_passphrase_word(*argv))
      return true;
  return false;
}

int main(int argc, char **argv)
{
  struct arguments arguments = {.at = 0};
  keep_memory_private();
  if (has_passphrase(argv)) {
    kh_cli_message(KH_CLI_VISIBLE);
    return KH_CLI_USAGE;
  }
  argp_program_version = "keyhold " KEYHOLD_VERSION;
  argp_err_exit_status = KH_CLI_USAGE;
  argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);

  int words = 0;
  argc -= arguments.at;
  argv += arguments.at;
  const kh_cli_command *command = kh_cli_find_command(argc, argv, &words);
  if (command == NULL)
    return no_command(argc, argv);
  char name[NAME_SIZE];
  snprintf(name, sizeof name, "keyhold %s", command->name);
  argc -= words - 1;
  argv += words - 1;
  argv[0] = name;
  return close_output(command->run(argc, argv));
}
