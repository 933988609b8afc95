/* SPDX-License-Identifier: GPL-2.0-only */
#include "format.h"

#include <string.h>

kh_keyfile_look kh_cli_format_option(const char *value, struct argp_state *state)
{
  kh_keyfile_look look = {.format = NULL};
  if (!kh_keyfile_format_by_name(value, &look))
    argp_error(state, "'%s' is no format: text, openssl or sealed", value);
  return look;
}

void kh_cli_check_given(const kh_keyfile_look *look, kh_cli_given given, struct argp_state *state)
{
  if (given.passphrase && !look->is_encrypted)
    argp_error(state, "a file of the format %s has no passphrase", look->format);
  if (given.costs && strcmp(look->format, "sealed") != 0)
    argp_error(state, "only a file of the format sealed has --kdf, --memory, --passes and "
                      "--iterations");
  if (given.derivation != NULL && strcmp(look->format, "openssl") != 0)
    argp_error(state, "only a file of the format openssl has %s", given.derivation);
}
