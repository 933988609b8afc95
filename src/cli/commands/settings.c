/* SPDX-License-Identifier: GPL-2.0-only */
#include "settings.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/output/text.h"

static void print_path(const char *option, const char *path)
{
  char *real = realpath(path, NULL);
  printf("    file_key_management_%s", option);
  kh_cli_put_text(stdout, real == NULL ? path : real);
  fputc('\n', stdout);
  free(real);
}

static void print_source(const kh_cli_source *source)
{
  if (source->setting != NULL)
    printf("    file_key_management_filekey = %s\n", source->setting);
  else if (source->file != NULL && strncmp(source->file, "/dev/", strlen("/dev/")) != 0)
    print_path("filekey = FILE:", source->file);
  else
    printf("    file_key_management_filekey = FILE:...   # a file with the passphrase, or another "
           "source\n");
}

void kh_cli_print_owner(const char *path)
{
  char real[PATH_MAX];
  char folder[PATH_MAX + 3];
  struct stat file;
  struct stat above;
  if (realpath(path, real) == NULL || stat(real, &file) != 0 || file.st_uid != 0 ||
      (file.st_mode & (S_IRGRP | S_IROTH)) != 0)
    return;
  (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(real, '/') + 1 - real), real);
  if (stat(folder, &above) != 0 || above.st_uid == 0)
    return;
  const struct passwd *user = getpwuid(above.st_uid);
  if (user == NULL)
    return;
  printf("Only root can read it. If the server runs as user %s, give it the file: chown %s: ",
         user->pw_name, user->pw_name);
  kh_cli_put_text(stdout, real);
  fputc('\n', stdout);
}

void kh_cli_print_cipher(kh_cipher cipher, bool is_new_key)
{
  if (kh_cipher_data_key(cipher, false) != KH_DATAKEY_NONE)
    printf("Only Keyhold reads data of the cipher %s%s.\n", kh_cipher_name(cipher),
           is_new_key ? "; with --cipher=default the server's own plugin reads it too" : "");
}

void kh_cli_print_settings(const char *path, const kh_keyfile_form *form,
                           const kh_cli_source *source)
{
  printf("The server's option file needs:\n\n");
  print_path("filename = ", path);
  if (form->passphrase != NULL)
    print_source(source);
  if (form->format->has_digest)
    printf("    file_key_management_digest = %s\n    file_key_management_use_pbkdf2 = %u\n",
           kh_digest_name(form->digest), form->pbkdf2_iterations);
  kh_cli_print_owner(path);
}

void kh_cli_print_reload(void)
{
  printf("To load it into a running server: SET GLOBAL file_key_management_reload = ON;\n");
}
