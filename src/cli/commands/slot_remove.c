/* SPDX-License-Identifier: GPL-2.0-only */
#include "command.h"
#include "slot.h"

static const struct argp_child children[] = {
    {&kh_cli_sealed_target_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .parser = kh_cli_slot_parse,
    .args_doc = "FILE LABEL",
    .doc = "Removes a slot of a sealed key file. Asks for the passphrase of a slot that stays.",
    .children = children,
};

int kh_cli_slot_remove(int argc, char **argv)
{
  return kh_cli_slot_run(&argp, argc, argv, KH_SLOT_REMOVE);
}
