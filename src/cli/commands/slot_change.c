/* SPDX-License-Identifier: GPL-2.0-only */
#include "command.h"
#include "slot.h"

static const struct argp argp = {
    .parser = kh_cli_slot_parse,
    .args_doc = "FILE LABEL",
    .doc = "Gives a slot of a sealed key file another passphrase. Asks for the passphrase of any "
           "slot, then for the new one.",
    .children = kh_cli_slot_children,
};

int kh_cli_slot_change(int argc, char **argv)
{
  return kh_cli_slot_run(&argp, argc, argv, KH_SLOT_CHANGE);
}
