/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "command.h"

enum { WORDS_MAX = 2, NAME_MAX_LEN = 24 };

/* in the order of the help */
const kh_cli_command kh_cli_commands[] = {
    {"create", "create a key file", kh_cli_create},
    {"list", "list the keys of a key file", kh_cli_list},
    {"check", "check a key file for problems", kh_cli_check},
    {"add", "add a key with a new id", kh_cli_add},
    {"rotate", "make new versions of keys", kh_cli_rotate},
    {"seal", "encrypt a key file under a passphrase", kh_cli_seal},
    {"unseal", "write a key file in plain text", kh_cli_unseal},
    {"convert", "write a key file in another format", kh_cli_convert},
    {"slot list", "list the passphrase slots of a sealed key file", kh_cli_slot_list},
    {"slot add", "add a passphrase to a sealed key file", kh_cli_slot_add},
    {"slot change", "change a passphrase of a sealed key file", kh_cli_slot_change},
    {"slot remove", "remove a passphrase from a sealed key file", kh_cli_slot_remove},
    {"merge", "add the keys of another copy of a key file", kh_cli_merge},
    {"retire", "remove old key versions that are no longer needed", kh_cli_retire},
    {"watch", "show the progress of re-encryption on a server", kh_cli_watch},
    {"export", "print the keys themselves", kh_cli_export},
};
const size_t kh_cli_command_count = sizeof kh_cli_commands / sizeof kh_cli_commands[0];

const kh_cli_command *kh_cli_find_command(int argc, char **argv, int *ret_words)
{
  char name[NAME_MAX_LEN];
  for (int words = argc < WORDS_MAX ? argc : WORDS_MAX; words > 0; words--) {
    snprintf(name, sizeof name, "%s%s%s", argv[0], words > 1 ? " " : "", words > 1 ? argv[1] : "");
    for (size_t i = 0; i < kh_cli_command_count; i++) {
      if (strcmp(kh_cli_commands[i].name, name) != 0)
        continue;
      *ret_words = words;
      return &kh_cli_commands[i];
    }
  }
  return NULL;
}

void kh_cli_find_near_command(kh_cli_nearest *nearest)
{
  kh_cli_nearest_try(nearest, "help", strlen("help"));
  for (size_t i = 0; i < kh_cli_command_count; i++) {
    const char *name = kh_cli_commands[i].name;
    kh_cli_nearest_try(nearest, name, strlen(name));
    kh_cli_nearest_try(nearest, name, strcspn(name, " ")); /* the word of its group */
  }
}

static bool is_in_group(const kh_cli_command *command, const char *word)
{
  size_t len = strlen(word);
  return strncmp(command->name, word, len) == 0 && command->name[len] == ' ';
}

bool kh_cli_is_group(const char *word)
{
  for (size_t i = 0; i < kh_cli_command_count; i++)
    if (is_in_group(&kh_cli_commands[i], word))
      return true;
  return false;
}

static void list_command(FILE *out, const kh_cli_command *command)
{
  fprintf(out, "  %-12s  %s\n", command->name, command->summary);
}

void kh_cli_list_group(FILE *out, const char *word)
{
  const char *last = word;
  fputs("Commands:\n", out);
  for (size_t i = 0; i < kh_cli_command_count; i++)
    if (is_in_group(&kh_cli_commands[i], word)) {
      list_command(out, &kh_cli_commands[i]);
      last = kh_cli_commands[i].name;
    }
  fprintf(out, "\n'keyhold help %s' shows the options of that command, and examples.\n", last);
}

char *kh_cli_list_commands(const char *introduction)
{
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (out == NULL)
    return NULL;
  fprintf(out, "%s\n\nCommands:\n", introduction);
  for (size_t i = 0; i < kh_cli_command_count; i++)
    list_command(out, &kh_cli_commands[i]);
  fputs("\n'keyhold help COMMAND' shows the options of a command, and examples.", out);
  return fclose(out) == 0 ? text : NULL;
}
