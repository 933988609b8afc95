/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "cli/args/target.h"
#include "command.h"

enum { KEY_YES = 0x300 };

#define YES "yes-print-the-keys"

struct arguments {
  kh_cli_target target;
  bool yes;
};

/* getopt_long() is content with the beginning of an option */
static bool is_spelt_out(const struct argp_state *state)
{
  for (int i = 1; i < state->argc; i++)
    if (strcmp(state->argv[i], "--" YES) == 0)
      return true;
  return false;
}

static error_t parse_export_option(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  (void)value;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    return 0;
  case KEY_YES:
    arguments->yes = true;
    return 0;
  case ARGP_KEY_END:
    if (!arguments->yes || !is_spelt_out(state))
      argp_error(state, "this prints the keys in the clear; --" YES ", spelt out, asks for it");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {YES, KEY_YES, NULL, 0, "must be given", 0},
    {0},
};
static const struct argp_child children[] = {{&kh_cli_target_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse_export_option,
    .args_doc = "FILE",
    .doc = "Prints the keys, in the clear, as a key file of the format text.",
    .children = children,
};

int kh_cli_export(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  if (!kh_cli_target_open(&target))
    return KH_CLI_FAILED;
  if (setvbuf(stdout, NULL, _IONBF, 0) != 0) /* or a copy of the keys would stay in a buffer */
    return kh_cli_fail_status(KH_E_NO_MEMORY, target.path);
  kh_bytes bytes = kh_keyfile_text(target.file);
  fwrite(bytes.data, 1, bytes.len, stdout);
  return KH_CLI_DONE;
}
