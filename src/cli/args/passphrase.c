/* SPDX-License-Identifier: GPL-2.0-only */
#include "passphrase.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "cli/output/message.h"
#include "cli/output/terminal.h"
#include "cli/output/text.h"
#include "keyhold/unlock.h"
#include "number.h"

enum { KEY_FILEKEY = 0x100, KEY_FILE, KEY_FD, QUESTION_SIZE = KH_PATH_SHOWN_MAX + 64, TRIES = 3 };

/* Returns the rest of a word after its start; NULL: it has another start. */
static const char *text_after_prefix(const char *word, const char *start)
{
  size_t len = strlen(start);
  return strncmp(word, start, len) == 0 ? word + len : NULL;
}

/* Finds "--pass", "--passphrase" and "--password", which getopt_long() would complete, but not
 * "--passphrase-fd", "--passphrase-file" and "--passes". */
bool kh_cli_is_passphrase_word(const char *word)
{
  const char *rest = text_after_prefix(word, "--pass");
  if (rest == NULL)
    rest = text_after_prefix(word, "--new-pass");
  if (rest == NULL)
    rest = text_after_prefix(word, "--other-pass");
  if (rest == NULL || text_after_prefix(rest, "phrase-f") != NULL ||
      text_after_prefix(rest, "es") != NULL)
    return false;
  return strchr(rest, '=') != NULL || strcmp(rest, "phrase") == 0;
}

bool kh_cli_source_is_given(const kh_cli_source *source)
{
  return source->setting != NULL || source->file != NULL || source->fd >= 0;
}

static error_t parse_source_option(int key, char *value, struct argp_state *state)
{
  kh_cli_source *source = state->input;
  uint32_t fd = 0;
  char doubt[KH_ADVICE_MAX];
  if (key != KEY_FILEKEY && key != KEY_FILE && key != KEY_FD)
    return ARGP_ERR_UNKNOWN;
  if (kh_cli_source_is_given(source))
    kh_cli_usage_error(state, "specify one passphrase source only");
  if (key == KEY_FILEKEY && kh_unlock_doubt_literal(value, doubt))
    kh_cli_usage_error(state, KH_CLI_VISIBLE "; %s", doubt);
  if (key == KEY_FILEKEY && kh_unlock_is_literal(value))
    kh_cli_usage_error(state, KH_CLI_VISIBLE);
  if (key == KEY_FD && !kh_cli_read_number(value, 0, INT_MAX, &fd))
    kh_cli_usage_error(state,
                       "invalid file descriptor (expected a number)"); /* may be the passphrase */
  if (key == KEY_FILEKEY)
    source->setting = value;
  else if (key == KEY_FILE)
    source->file = value;
  else
    source->fd = (int)fd;
  return 0;
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Passphrase (default: ask on the terminal):", 10},
    {"passphrase-file", KEY_FILE, "FILE", 0, "read the passphrase from FILE", 0},
    {"passphrase-fd", KEY_FD, "NUMBER", 0, "read it from an open file descriptor", 0},
    {"filekey", KEY_FILEKEY, "SOURCE", 0,
     "read it from SOURCE, a value of file_key_management_filekey such as EXEC:/path", 0},
    {0},
};
const struct argp kh_cli_source_argp = {.options = options, .parser = parse_source_option};

static const struct argp_option new_options[] = {
    {NULL, 0, NULL, 0, "New passphrase (default: ask on the terminal):", 20},
    {"new-passphrase-file", KEY_FILE, "FILE", 0, "read the new passphrase from FILE", 0},
    {"new-passphrase-fd", KEY_FD, "NUMBER", 0, "read it from an open file descriptor", 0},
    {"new-filekey", KEY_FILEKEY, "SOURCE", 0, "read it from SOURCE, as --filekey", 0},
    {0},
};
const struct argp kh_cli_new_source_argp = {.options = new_options, .parser = parse_source_option};

static const struct argp_option other_options[] = {
    {NULL, 0, NULL, 0, "Passphrase of OTHER (default: that of FILE, if an option gives it):", 20},
    {"other-passphrase-file", KEY_FILE, "FILE", 0, "read the passphrase of OTHER from FILE", 0},
    {"other-passphrase-fd", KEY_FD, "NUMBER", 0, "read it from an open file descriptor", 0},
    {"other-filekey", KEY_FILEKEY, "SOURCE", 0, "read it from SOURCE, as --filekey", 0},
    {0},
};
const struct argp kh_cli_other_source_argp = {.options = other_options,
                                              .parser = parse_source_option};

/* Recognises the name of a descriptor in /dev. The process cannot open that name unless it is
 * root's, since its memory is private (main.c). */
static bool names_descriptor(const char *path, int *ret_fd)
{
  static const char folder[] = "/dev/fd/";
  uint32_t fd = 0;
  if (strcmp(path, "/dev/stdin") != 0 &&
      (strncmp(path, folder, sizeof folder - 1) != 0 ||
       !kh_cli_read_number(path + sizeof folder - 1, 0, INT_MAX, &fd)))
    return false;
  *ret_fd = (int)fd;
  return true;
}

static kh_status read_descriptor(int fd, const kh_log *log, kh_secret **ret_passphrase,
                                 kh_fault *ret_fault)
{
  char name[KH_PATH_SHOWN_MAX];
  snprintf(name, sizeof name, "file descriptor %d", fd);
  return kh_unlock_fd(fd, name, log, ret_passphrase, ret_fault);
}

/* Waits without a limit, since the user can interrupt it; a literal was refused by the parser. */
static const kh_unlock_how how = {
    .permissions = KH_PERMISSIONS_WARN, .bounded_wait = false, .may_be_literal = false};

static kh_status read_passphrase_file(const char *path, const kh_log *log,
                                      kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  int fd;
  if (names_descriptor(path, &fd))
    return read_descriptor(fd, log, ret_passphrase, ret_fault);
  char *setting = NULL;
  if (asprintf(&setting, "FILE:%s", path) < 0)
    return kh_fault_set(ret_fault, KH_E_NO_MEMORY, path, 0);
  kh_status status = kh_unlock(setting, &how, log, ret_passphrase, ret_fault);
  free(setting);
  return status;
}

/* Reads the passphrase from the source that an option named. */
static bool read_passphrase_source(const kh_cli_source *source, kh_secret **ret_passphrase)
{
  kh_log log = kh_cli_log();
  kh_fault fault;
  kh_status status =
      source->setting != NULL ? kh_unlock(source->setting, &how, &log, ret_passphrase, &fault)
      : source->file != NULL  ? read_passphrase_file(source->file, &log, ret_passphrase, &fault)
                              : read_descriptor(source->fd, &log, ret_passphrase, &fault);
  if (status != KH_OK)
    kh_cli_fail_with(&fault);
  return status == KH_OK;
}

static bool ask_for_passphrase(const char *words, const char *what, kh_secret **ret_passphrase)
{
  char question[QUESTION_SIZE];
  snprintf(question, sizeof question, "%s %s: ", words, kh_show_path(what).text);
  kh_cli_hide_controls(question);
  return kh_cli_ask(question, "an option such as --passphrase-file", ret_passphrase);
}

bool kh_cli_get_passphrase(const kh_cli_source *source, const char *what,
                           kh_secret **ret_passphrase)
{
  return kh_cli_source_is_given(source)
             ? read_passphrase_source(source, ret_passphrase)
             : ask_for_passphrase("Passphrase for", what, ret_passphrase);
}

/* Asks twice, and again if the two differ. */
static bool ask_for_new(const char *what, kh_secret **ret_passphrase)
{
  for (int try = 0; try < TRIES; try++) {
    KH_AUTO_SECRET first = NULL;
    KH_AUTO_SECRET second = NULL;
    if (!ask_for_passphrase("New passphrase for", what, &first) ||
        !ask_for_passphrase("Repeat passphrase for", what, &second))
      return false;
    kh_bytes a = kh_secret_bytes(first);
    kh_bytes b = kh_secret_bytes(second);
    if (a.len == b.len && kh_is_same_secret(a.data, b.data, a.len)) {
      *ret_passphrase = first;
      first = NULL;
      return true;
    }
    kh_cli_message("the passphrases do not match");
  }
  return false;
}

bool kh_cli_get_new_passphrase(const kh_cli_source *source, const char *what,
                               kh_secret **ret_passphrase)
{
  KH_AUTO_SECRET passphrase = NULL;
  if (!(kh_cli_source_is_given(source) ? read_passphrase_source(source, &passphrase)
                                       : ask_for_new(what, &passphrase)))
    return false;
  if (kh_secret_bytes(passphrase).len == 0) {
    kh_cli_message("the passphrase is empty; choose another one");
    return false;
  }
  *ret_passphrase = passphrase;
  passphrase = NULL;
  return true;
}
