/* SPDX-License-Identifier: GPL-2.0-only */
#include "command.h"
#include "slot.h"

static const struct argp argp = {
    .parser = kh_cli_slot_parse,
    .args_doc = "FILE LABEL",
    .doc = "Adds a slot with a passphrase of its own to a sealed key file. Asks for the passphrase "
           "of any slot, then for the new one.",
    .children = kh_cli_slot_children,
};

int kh_cli_slot_add(int argc, char **argv)
{
  return kh_cli_slot_run(&argp, argc, argv, KH_SLOT_ADD);
}
