/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args/keyspec.h"
#include "cli/args/number.h"
#include "cli/args/target.h"
#include "cli/output/text.h"
#include "command.h"
#include "settings.h"

struct arguments {
  kh_cli_target target;
  kh_key_changes key;
  uint32_t id; /* 0: one above the highest */
};

static error_t parse_add_argument(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    state->child_inputs[1] = &arguments->key;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->target.path == NULL || arguments->id != 0)
      return ARGP_ERR_UNKNOWN; /* FILE is taken by the child */
    arguments->id = kh_cli_key_id_option(value, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {&kh_cli_new_key_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .parser = parse_add_argument,
    .args_doc = "FILE [ID]",
    .doc = "Add a key with the id ID (default: one above the highest in FILE, but at least 3).",
    .children = children,
};

int kh_cli_add(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  kh_fault fault;
  uint32_t id;
  if (!kh_cli_target_open(&target))
    return KH_CLI_FAILED;
  kh_keyfile_addition addition = kh_cli_new_key(&arguments.key, kh_keyfile_format_of(target.file));
  addition.id = arguments.id;
  if (kh_keyfile_add_key(target.file, &addition, &id, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  if (!kh_cli_target_save(&target))
    return KH_CLI_FAILED;
  printf("Added key id %u to ", id);
  kh_cli_put_text(stdout, target.path);
  puts(".");
  kh_cli_print_cipher((kh_cipher)addition.policy.cipher, true);
  kh_cli_print_reload();
  return KH_CLI_WRITTEN;
}
