/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MAX = 128 };

kh_status kh_fault_set(kh_fault *ret_fault, kh_status status, const char *path, int os_error)
{
  if (ret_fault == NULL)
    return status;
  memset(ret_fault, 0, sizeof *ret_fault);
  ret_fault->status = status;
  ret_fault->os_error = os_error;
  ret_fault->path = kh_show_path(path);
  return status;
}

kh_shown_path kh_show_path(const char *path)
{
  static const char gap[] = "...";
  kh_shown_path shown = {.text = ""};
  size_t len = path == NULL ? 0 : strlen(path);
  size_t half = (sizeof shown.text - sizeof gap) / 2;
  if (len < sizeof shown.text)
    memcpy(shown.text, path == NULL ? "" : path, len);
  else
    snprintf(shown.text, sizeof shown.text, "%.*s%s%s", (int)half, path, gap, path + len - half);
  return shown;
}

/* The parts of a sentence behind the path. Each takes what it needs from the fault. */
static void tail_os(const kh_fault *fault, char *text, size_t size)
{
  char reason[REASON_MAX];
  const char *phrase = strerror_r(fault->os_error, reason, sizeof reason);
  snprintf(text, size, " (Errcode: %d \"%s\")", fault->os_error, phrase);
}

static void tail_place(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " line %u, column %zu", fault->line, fault->column);
}

static void tail_duplicate(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " line %u, column %zu; the first is in line %u", fault->line, fault->column,
           fault->other_line);
}

static void tail_too_large(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " is too large: %" PRIu64 " bytes, at most %" PRIu64 " are allowed",
           fault->size, fault->limit);
}

static void tail_too_long(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, ", the filekey is too long, max secret size is %" PRIu64 "B ", fault->limit);
}

static void tail_container(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           ". The file is cut short or damaged: it has %" PRIu64
           " bytes, an encrypted key file has 16 and a multiple of 16, at least 32",
           fault->size);
}

/* A sentence is head, path and tail; the tail is a text, or made by a function. */
static const struct sentence {
  const char *head, *tail;
  void (*make_tail)(const kh_fault *fault, char *text, size_t size);
} sentences[KH_STATUS_COUNT] = {
    [KH_E_FILE_NOT_FOUND] = {"File '", "' not found", tail_os},
    [KH_E_FILE_OPEN] = {"Cannot open file '", "'", tail_os},
    [KH_E_FILE_READ] = {"Error reading file '", "'", tail_os},
    [KH_E_FILE_DIRECTORY] = {"Cannot read '", "': it is a directory, not a file", NULL},
    [KH_E_FILE_SPECIAL] = {"Cannot read '", "': it is not a regular file", NULL},
    [KH_E_FILE_TOO_LARGE] = {"File '", "'", tail_too_large},
    [KH_E_FILE_CHANGED] = {"File '", "' changed while it was being read; try again", NULL},
    [KH_E_SECRET_TOO_LONG] = {"Cannot read ", "", tail_too_long},
    [KH_E_SYNTAX] = {"Syntax error at ", "", tail_place},
    [KH_E_KEY_ID] = {"Invalid key id at ", "", tail_place},
    [KH_E_KEY_VERSION] = {"Invalid key version at ", "", tail_place},
    [KH_E_KEY_HEX] = {"Invalid key at ", "", tail_place},
    [KH_E_NO_SYSTEM_KEY] = {"System key id 1 is missing at ", "", tail_place},
    [KH_E_KEY_DUPLICATE] = {"Two different keys for one key id and version at ", "",
                            tail_duplicate},
    [KH_E_CONTAINER_SIZE] = {"Cannot decrypt ", "", tail_container},
    [KH_E_WRONG_PASSPHRASE] = {"Cannot decrypt ", ". Wrong key?", NULL},
    [KH_E_NO_PASSPHRASE] = {"Cannot decrypt ", ". Wrong key? It is encrypted and no filekey is set",
                            NULL},
    [KH_E_NO_ENGINE] = {"The AES engine that ",
                        " asks for is not installed, or not for this processor", NULL},
    [KH_E_SELF_TEST] = {"An AES engine failed its self-test; ", " can choose another one", NULL},
    [KH_E_NOT_ENCRYPTED] = {"Cannot decrypt ", ". Not encrypted", NULL},
};

void kh_fault_describe(const kh_fault *fault, char *text, size_t size)
{
  const char *path = fault->path.text;
  const struct sentence *sentence =
      (unsigned)fault->status < KH_STATUS_COUNT ? &sentences[fault->status] : NULL;
  if (sentence == NULL || sentence->head == NULL) {
    snprintf(text, size, "%s%s%s", path, path[0] == '\0' ? "" : ": ",
             kh_status_phrase(fault->status));
    return;
  }
  char tail[KH_MESSAGE_MAX] = "";
  if (sentence->make_tail != NULL)
    sentence->make_tail(fault, tail, sizeof tail);
  snprintf(text, size, "%s%s%s%s", sentence->head, path, sentence->tail, tail);
}
