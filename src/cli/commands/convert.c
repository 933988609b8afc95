/* SPDX-License-Identifier: GPL-2.0-only */
#include "command.h"
#include "conversion.h"

static const struct argp_option options[] = {
    {"to", KH_CLI_KEY_TO, "NAME", 0, "the new format: text, openssl or sealed", 0},
    {"new-digest", KH_CLI_KEY_NEW_DIGEST, "NAME", 0, "of openssl: sha256 if it is not given", 0},
    {"new-pbkdf2-iterations", KH_CLI_KEY_NEW_ITERATIONS, "NUMBER", 0,
     "of openssl: 600000 if it is not given", 0},
    KH_CLI_OUTPUT_OPTION,
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = kh_cli_conversion_parse,
    .args_doc = "FILE",
    .doc =
        "Writes a key file in another format. Every key and attribute stays; a sealed file has one "
        "slot then, \"main\".",
    .children = kh_cli_conversion_children,
};

int kh_cli_convert(int argc, char **argv)
{
  kh_cli_conversion arguments = KH_CLI_CONVERSION_NONE;
  arguments.children = argp.children;
  argp_parse(&argp, argc, argv, 0, NULL, &arguments);
  KH_CLI_AUTO_CONVERSION conversion = arguments;
  if (!kh_cli_conversion_open(&conversion))
    return KH_CLI_FAILED;
  return kh_cli_conversion_run(&conversion);
}
