/* SPDX-License-Identifier: GPL-2.0-only */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

void kh_cli_print_settings(const char *path, const kh_keyfile_form *form)
{
  char *real = realpath(path, NULL);
  printf("The server's option file needs:\n\n    file_key_management_filename = ");
  kh_cli_put_text(stdout, real == NULL ? path : real);
  fputc('\n', stdout);
  free(real);
  if (form->passphrase != NULL)
    printf("    file_key_management_filekey = FILE:...   # or another source of the passphrase\n");
  if (strcmp(form->format, "openssl") == 0)
    printf("    file_key_management_digest = %s\n    file_key_management_use_pbkdf2 = %u\n",
           kh_digest_name(form->digest), form->pbkdf2_iterations);
}

void kh_cli_print_reload(void)
{
  printf("A running server takes it by SET GLOBAL file_key_management_reload = ON.\n");
}
