/* SPDX-License-Identifier: GPL-2.0-only */
/* The passphrase is the standard output of a program. */
#include <stdlib.h>
#include <string.h>

#include "passphrase.h"
#include "program.h"
#include "source.h"
#include "stream.h"

static bool is_command(const char *argument)
{
  return argument[0] == '/';
}

/* Cuts a command at its spaces; `ret_words` has room for a word at every other byte, and NULL. */
static void split_command(char *command, char **ret_words)
{
  size_t count = 0;
  for (char *word = command; *word != '\0';) {
    size_t len = strcspn(word, " ");
    char *rest = word + len + strspn(word + len, " ");
    ret_words[count++] = word;
    word[len] = '\0';
    word = rest;
  }
  ret_words[count] = NULL;
}

static kh_status read_output_of(char *const arguments[], const kh_log *log,
                                kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  KH_AUTO_SECRET output = NULL;
  kh_status status = kh_stream_new(&output);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, arguments[0], 0);
  status = kh_program_run(arguments, KH_UNLOCK_WAIT, output, ret_fault);
  return status != KH_OK
             ? status
             : kh_passphrase_take(&output, arguments[0], log, ret_passphrase, ret_fault);
}

static kh_status read_program(const char *argument, const kh_unlock_how *how, const kh_log *log,
                              kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  (void)how;
  kh_status status = KH_E_NO_MEMORY;
  char *command = strdup(argument);
  char **arguments = calloc(strlen(argument) / 2 + 2, sizeof *arguments);
  if (command == NULL || arguments == NULL) {
    kh_fault_set(ret_fault, status, NULL, 0);
  } else {
    split_command(command, arguments);
    status = read_output_of(arguments, log, ret_passphrase, ret_fault);
  }
  free(arguments);
  free(command);
  return status;
}

const kh_unlock_source kh_unlock_exec = {
    .prefix = "EXEC:",
    .takes = "the absolute path of a program, then its arguments, with spaces between them",
    .fits = is_command,
    .read = read_program};
