/* SPDX-License-Identifier: GPL-2.0-only */
#include "command.h"
#include "slot.h"

static const struct argp_child children[] = {
    {&kh_cli_sealed_target_argp, 0, NULL, 0},
    {&kh_cli_new_source_argp, 0, NULL, 0},
    {&kh_cli_costs_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .parser = kh_cli_slot_parse,
    .args_doc = "FILE LABEL",
    .doc = "Gives a slot of a sealed key file another passphrase. Asks for the passphrase of any "
           "slot, then for the new one.",
    .children = children,
};

int kh_cli_slot_change(int argc, char **argv)
{
  kh_cli_slot_arguments arguments = KH_CLI_SLOT_NONE;
  arguments.children = children;
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  return kh_cli_slot_run(&arguments, KH_SLOT_CHANGE);
}
