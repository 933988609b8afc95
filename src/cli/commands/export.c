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

/* getopt_long() accepts the beginning of an option; this one must be written in full. */
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
      kh_cli_usage_error(state, "this prints the keys in plain text; to confirm, add --" YES);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Output:", 5},
    {YES, KEY_YES, NULL, 0, "confirm that the keys are printed (required, in full)", 0},
    {0},
};
static const struct argp_child children[] = {{&kh_cli_target_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse_export_option,
    .args_doc = "--" YES " FILE",
    .doc =
        "Print the keys in plain text, as a key file of the format text. No other command prints "
        "keys.",
    .children = children,
};

int kh_cli_export(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  if (!kh_cli_target_open(&target))
    return KH_CLI_FAILED;
  if (setvbuf(stdout, NULL, _IONBF, 0) != 0) /* leaves no copy of the keys in a buffer */
    return kh_cli_fail_status(KH_E_NO_MEMORY, target.path);
  kh_bytes bytes = kh_keyfile_text(target.file);
  fwrite(bytes.data, 1, bytes.len, stdout);
  return KH_CLI_DONE;
}
