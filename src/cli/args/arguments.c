/* SPDX-License-Identifier: GPL-2.0-only */
#include "arguments.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/message.h"
#include "keyhold/version.h"
#include "nearest.h"
#include "passphrase.h"

enum { KEY_HELP = 0x700, KEY_USAGE, OPTIONS_MAX = 64 };

/* The options that all commands share. */

static error_t refuse_extra_argument(int key, char *value, struct argp_state *state)
{
  (void)value; /* may be a key, which is not repeated */
  if (key == ARGP_KEY_ARG)
    kh_cli_usage_error(state, "too many arguments");
  return ARGP_ERR_UNKNOWN;
}

#define SHARED_OPTIONS(help_key)                                                                   \
  {                                                                                                \
    {NULL, 0, NULL, 0, "Help:", -1}, {"help", help_key, NULL, 0, "show this help", 0},             \
        {"usage", KEY_USAGE, NULL, 0, "show the options in short form", 0},                        \
        {"version", 'V', NULL, 0, "show the version", 0},                                          \
    {                                                                                              \
      0                                                                                            \
    }                                                                                              \
  }
static const struct argp_option shared_options[] = SHARED_OPTIONS('h');
static const struct argp_option shared_options_without_h[] = SHARED_OPTIONS(KEY_HELP);
static const struct argp shared_argp = {.options = shared_options, .parser = refuse_extra_argument};
static const struct argp shared_argp_without_h = {.options = shared_options_without_h,
                                                  .parser = refuse_extra_argument};

/* The help. */

static const struct example {
  const char *command; /* without "keyhold " */
  const char *purpose;
  const char *line; /* or several */
} examples[] = {
#define KH_CLI_EXAMPLE(command, purpose, line) {command, purpose, line},
#include "examples.def"
#undef KH_CLI_EXAMPLE
};

static void print_example(const struct example *example)
{
  printf("  %s:\n    ", example->purpose);
  for (const char *letter = example->line; *letter != '\0'; letter++)
    fputs(*letter == '\n' ? "\n    " : (char[]){*letter, '\0'}, stdout);
  putchar('\n');
}

static void print_examples(const char *name)
{
  const char *command = strchr(name, ' ');
  command = command == NULL ? "" : command + 1;
  puts("\nExamples:");
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
    if (strcmp(examples[i].command, command) == 0)
      print_example(&examples[i]);
}

/* The format is the same for all users, since completion reads it. */
static _Noreturn void print_help(const struct argp *argp, char *name, bool is_short)
{
  setenv("ARGP_HELP_FMT", "no-dup-args-note,opt-doc-col=34,usage-indent=8", 1);
  argp_help(argp, stdout,
            is_short ? ARGP_HELP_USAGE : ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
            name);
  if (!is_short)
    print_examples(name);
  exit(kh_cli_close_output(KH_CLI_DONE));
}

/* Errors. */

static _Noreturn __attribute__((format(printf, 2, 0))) void
end_with_error(const char *name, const char *format, va_list arguments)
{
  kh_cli_message_from(name, format, arguments);
  fprintf(stderr, "Try '%s --help'.\n", name);
  exit(KH_CLI_USAGE);
}

static _Noreturn __attribute__((format(printf, 2, 3))) void refuse(const char *name,
                                                                   const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  end_with_error(name, format, arguments);
}

_Noreturn void kh_cli_usage_error(const struct argp_state *state, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  end_with_error(state->name, format, arguments);
}

/* The options, as getopt_long() takes them. */
struct grammar {
  struct option longs[OPTIONS_MAX + 1];
  size_t count;
  char shorts[2 * OPTIONS_MAX + 3]; /* "-:", then each letter, with ":" if it takes a value */
  bool has_h;                       /* the command has an option -h that does not ask for help */
};

static void add_option(struct grammar *grammar, const struct argp_option *option)
{
  bool has_value = option->arg != NULL;
  size_t len = strlen(grammar->shorts);
  if (option->key > ' ' && option->key < 0x7F)
    snprintf(grammar->shorts + len, sizeof grammar->shorts - len, "%c%s", option->key,
             has_value ? ":" : "");
  if (option->name != NULL && grammar->count < OPTIONS_MAX)
    grammar->longs[grammar->count++] = (struct option){
        option->name, has_value ? required_argument : no_argument, NULL, option->key};
}

static void add_options_of(struct grammar *grammar, const struct argp *argp)
{
  const struct argp_option *option = argp->options;
  for (; option != NULL && (option->name != NULL || option->doc != NULL); option++)
    add_option(grammar, option);
}

/* A child has no children but one of its own, which has none (form.h). */
static void fill_grammar(struct grammar *grammar, const struct argp *argp)
{
  add_options_of(grammar, argp);
  for (const struct argp_child *child = argp->children; child != NULL && child->argp; child++) {
    add_options_of(grammar, child->argp);
    for (const struct argp_child *last = child->argp->children; last != NULL && last->argp; last++)
      add_options_of(grammar, last->argp);
  }
}

static const char *name_of_option(const struct grammar *grammar, int key)
{
  for (size_t i = 0; i < grammar->count; i++)
    if (grammar->longs[i].val == key)
      return grammar->longs[i].name;
  return "";
}

/* Returns how many bytes of an unknown option are shown. What follows a known name, or "pass", may
 * be a password: "--passwordSECRET". */
static size_t length_to_show(const struct grammar *grammar, const char *word, size_t len)
{
  static const char *const secrets[] = {"pass", "new-pass", "other-pass"};
  size_t shown = len;
  for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
    if (strncmp(word, secrets[i], strlen(secrets[i])) == 0)
      shown = strlen(secrets[i]);
  for (size_t i = 0; i < grammar->count; i++) {
    size_t known = strlen(grammar->longs[i].name);
    if (known < len && strncmp(word, grammar->longs[i].name, known) == 0)
      shown = known;
  }
  return shown;
}

/* An unknown long option, or the beginning of several. Its value is not repeated. */
static _Noreturn void refuse_long_option(const char *command, const struct grammar *grammar,
                                         const char *word)
{
  char name[KH_CLI_NAME_MAX];
  size_t len = strcspn(word, "=");
  size_t beginnings = 0;
  snprintf(name, sizeof name, "%.*s", (int)len, word);
  kh_cli_nearest nearest = {.word = name};
  for (size_t i = 0; i < grammar->count; i++) {
    const char *known = grammar->longs[i].name;
    beginnings += strncmp(known, word, len) == 0;
    kh_cli_nearest_try(&nearest, known, strlen(known));
  }
  if (beginnings > 1)
    refuse(command, "ambiguous option '--%s': write it in full", name);
  if (nearest.name[0] != '\0')
    refuse(command, "unknown option '--%s'. Did you mean '--%s'?", name, nearest.name);
  size_t shown = length_to_show(grammar, word, len);
  refuse(command, "unknown option '--%.*s%s'", (int)shown, name, shown < len ? "..." : "");
}

/* Recognises "-pPASSWORD", which the mariadb client accepts: -p is found, and its word goes on. */
static bool is_password_in_word(int found, const char *rest)
{
  return found == 'p' && rest != NULL && strncmp(rest, "-p", 2) == 0 && rest[2] != '\0';
}

/* Handles what getopt_long() found: an option for help, or an error. `word` is where it found it.
 */
static void handle_found(int found, const struct argp *argp, const struct grammar *grammar,
                         char **argv, const char *word)
{
  bool is_question = (found == '?' && optopt == '?') || (found == ':' && optopt == 'h');
  if (is_question || found == KEY_HELP || (found == 'h' && !grammar->has_h))
    print_help(argp, argv[0], false);
  if (found == KEY_USAGE)
    print_help(argp, argv[0], true);
  if (found == 'V') {
    puts("keyhold " KEYHOLD_VERSION);
    exit(kh_cli_close_output(KH_CLI_DONE));
  }
  if (is_password_in_word(found, argv[optind]))
    refuse(argv[0], KH_CLI_VISIBLE);
  if (found == ':')
    refuse(argv[0], "option '--%s' needs a value", name_of_option(grammar, optopt));
  if (found == '?' && optopt == 0)
    refuse_long_option(argv[0], grammar, word + 2);
  if (found == '?' && strncmp(word, "--", 2) == 0)
    refuse(argv[0], "option '--%s' takes no value", name_of_option(grammar, optopt));
  if (found == '?')
    refuse(argv[0], "unknown option '-%c'", optopt);
}

/* Finds help and errors before argp does, whose messages are the C library's. */
static void check_options(const struct argp *argp, const struct grammar *grammar, int argc,
                          char **argv)
{
  int found;
  opterr = 0;
  optind = 0; /* begins anew */
  while ((found = getopt_long(argc, argv, grammar->shorts, grammar->longs, NULL)) != -1)
    handle_found(found, argp, grammar, argv, argv[optind - 1]);
}

void kh_cli_parse_arguments(const struct argp *argp, int argc, char **argv, void *input)
{
  struct grammar grammar = {.shorts = "-:"};
  fill_grammar(&grammar, argp);
  grammar.has_h = strchr(grammar.shorts, 'h') != NULL;
  const struct argp *shared = grammar.has_h ? &shared_argp_without_h : &shared_argp;
  add_options_of(&grammar, shared);
  const struct argp_child children[] = {{argp, 0, NULL, 0}, {shared, 0, NULL, 0}, {0}};
  const struct argp all = {.children = children}; /* passes the input on to the first child */
  check_options(&all, &grammar, argc, argv);
  if (argp_parse(&all, argc, argv, ARGP_NO_HELP, NULL, input) != 0) /* it reports all else itself */
    exit(kh_cli_fail_status(KH_E_NO_MEMORY, NULL));
}
