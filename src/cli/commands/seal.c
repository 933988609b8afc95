/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "cli/output/message.h"
#include "command.h"
#include "conversion.h"

static const struct argp_option options[] = {
    KH_CLI_OUTPUT_OPTION,
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = kh_cli_conversion_parse,
    .args_doc = "FILE",
    .doc = "Encrypts a key file under a passphrase, in the format sealed.",
    .children = kh_cli_conversion_children,
};

int kh_cli_seal(int argc, char **argv)
{
  kh_cli_conversion arguments = KH_CLI_CONVERSION_NONE;
  arguments.children = argp.children;
  arguments.look = (kh_keyfile_look){"sealed", true};
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_CONVERSION conversion = arguments;
  if (!kh_cli_conversion_open(&conversion))
    return KH_CLI_FAILED;
  if (strcmp(conversion.target.look.format, "sealed") == 0)
    return kh_cli_fail("%s is sealed already; 'keyhold slot' changes its passphrases",
                       conversion.target.path);
  return kh_cli_conversion_run(&conversion);
}
