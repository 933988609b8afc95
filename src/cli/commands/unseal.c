/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/output/message.h"
#include "command.h"
#include "conversion.h"

static const struct argp_option options[] = {
    KH_CLI_OUTPUT_OPTION,
    {0},
};
static const struct argp_child children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = kh_cli_conversion_parse,
    .args_doc = "FILE",
    .doc = "Writes a key file in the clear, in the format text.",
    .children = children,
};

int kh_cli_unseal(int argc, char **argv)
{
  kh_cli_conversion arguments = KH_CLI_CONVERSION_NONE;
  arguments.children = children;
  arguments.look = (kh_keyfile_look){"text", false};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_CONVERSION conversion = arguments;
  if (!kh_cli_conversion_open(&conversion))
    return KH_CLI_FAILED;
  if (!conversion.target.look.is_encrypted)
    return kh_cli_fail("%s is in the clear already", conversion.target.path);
  return kh_cli_conversion_run(&conversion);
}
