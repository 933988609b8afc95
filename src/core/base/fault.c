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

/* what a program said; a path and this are most of what a sentence may have */
static void add_quote(const kh_fault *fault, char *text, size_t size)
{
  size_t len = strlen(text);
  if (fault->quote[0] != '\0')
    snprintf(text + len, size - len, "; it said \"%s\"", fault->quote);
}

static void tail_exit(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " failed with exit status %d", fault->ended_with);
  add_quote(fault, text, size);
}

static void tail_signal(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " was ended by signal %d", fault->ended_with);
  add_quote(fault, text, size);
}

static void tail_time(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " within %u seconds", KH_UNLOCK_WAIT / 1000u);
  add_quote(fault, text, size);
}

static void tail_takes(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " must be followed by %s", fault->quote);
}

static void tail_unsafe(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           " is refused by strict_permissions: it has mode %04o and belongs to user %u; it must "
           "have 0600 or 0640 and belong to root or to the user of this process",
           (unsigned)fault->mode & 07777u, (unsigned)fault->owner);
}

static void tail_container(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           ". The file is cut short or damaged: it has %" PRIu64
           " bytes, an encrypted key file has 16 and a multiple of 16, at least 32",
           fault->size);
}

static void tail_lost(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           " does not have key id %" PRIu32 " version %" PRIu32
           ", which may have been used; the keys in use are kept",
           fault->key_id, fault->key_version);
}

static void tail_changed(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           " has another key for key id %" PRIu32 " version %" PRIu32
           ", in line %u, than the one in use, which is kept",
           fault->key_id, fault->key_version, fault->line);
}

static void tail_cipher(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           " has another cipher for key id %" PRIu32 " version %" PRIu32
           ", in line %u, than the one in use; a cipher can only change with a new version",
           fault->key_id, fault->key_version, fault->line);
}

static void tail_version_limit(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           " has key id %" PRIu32 " version %" PRIu32 ", behind which no number is left",
           fault->key_id, fault->key_version);
}

static void tail_latest(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           " has key id %" PRIu32 " version %" PRIu32 " as its latest, which cannot be removed",
           fault->key_id, fault->key_version);
}

static void tail_key_exists(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " has key id %" PRIu32 " already", fault->key_id);
}

static void tail_no_key(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " has no key id %" PRIu32, fault->key_id);
}

static void tail_sealed_damaged(const kh_fault *fault, char *text, size_t size)
{
  static const char damaged[] = ". The sealed key file is cut short or damaged";
  if (fault->line == 0)
    snprintf(text, size, "%s: its checksum does not fit", damaged);
  else
    snprintf(text, size, "%s, in line %u, column %zu", damaged, fault->line, fault->column);
}

static void tail_sealed_newer(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           ". It is a sealed key file of format %" PRIu64
           ", and this version of Keyhold reads formats up to %" PRIu64,
           fault->size, fault->limit);
}

static void tail_sealed_cost(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           ". The slots of the sealed key file cost too much to open, in line %u: %" PRIu64
           ", at most %" PRIu64 " is allowed",
           fault->line, fault->size, fault->limit);
}

static void tail_slot_cost(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           ": slot '%s' costs too little, or with the others too much, to open: %" PRIu64
           ", the limit is %" PRIu64,
           fault->slot, fault->size, fault->limit);
}

static void tail_slot_count(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, ": a sealed key file has 1 to %" PRIu64 " slots", fault->limit);
}

static void tail_slot_label(const kh_fault *fault, char *text, size_t size)
{
  (void)fault;
  snprintf(text, size,
           ": the label of a slot has 1 to %u of the characters a to z, A to Z, 0 to 9, '.', '_' "
           "and '-'",
           KH_SEALED_LABEL_MAX);
}

static void tail_slot_exists(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, ": a slot '%s' exists already", fault->slot);
}

static void tail_slot_last(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, ": slot '%s' is the last one, which cannot be removed", fault->slot);
}

static void tail_no_slot(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size, " has no slot '%s'", fault->slot);
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
    [KH_E_FILE_UNFINISHED] = {"File '",
                              "' has no line end behind its last line and may not be finished; it "
                              "is not reloaded by itself",
                              NULL},
    [KH_E_FILE_WRITE] = {"Cannot replace file '", "', which is as it was", tail_os},
    [KH_E_FILE_EXISTS] = {"File '", "' exists already; it is left as it is", NULL},
    [KH_E_FILE_CREATE] = {"Cannot create file '", "'", tail_os},
    [KH_E_FILE_OWNER] = {"Cannot replace file '",
                         "', which is as it was: its owner, group, mode and access control list "
                         "cannot be given to the new one",
                         tail_os},
    [KH_E_FILE_FLUSH] =
        {"The new file '",
         "' is in its place, but its folder cannot be flushed: it may not outlast a "
         "power failure",
         tail_os},
    [KH_E_FILE_LOCKED] = {"File '", "' is being changed by another process; try again", NULL},
    [KH_E_FILE_LOCK] = {"Cannot lock file '", "'", tail_os},
    [KH_E_FILE_WATCH] = {"Cannot watch the folder of file '", "'", tail_os},
    [KH_E_FILE_UNSAFE] = {"File '", "'", tail_unsafe},
    [KH_E_SOURCE_SYNTAX] = {"In filekey '", "'", tail_takes},
    [KH_E_SOURCE_EMPTY] = {"The passphrase from '", "' is empty", NULL},
    [KH_E_SOURCE_TIME] = {"No passphrase came from '", "'", tail_time},
    [KH_E_SOURCE_VARIABLE] = {"Environment variable '", "' is not set", NULL},
    [KH_E_SOURCE_CREDENTIAL] = {"There is no credential '",
                                "': CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit "
                                "with LoadCredential=",
                                NULL},
    [KH_E_PROGRAM_RUN] = {"Cannot run program '", "'", tail_os},
    [KH_E_PROGRAM_EXIT] = {"Program '", "'", tail_exit},
    [KH_E_PROGRAM_SIGNAL] = {"Program '", "'", tail_signal},
    [KH_E_SOCKET] = {"Cannot read from socket '", "'", tail_os},
    [KH_E_VERSION_LIMIT] = {"File '", "'", tail_version_limit},
    [KH_E_NO_ROTATION] = {"The keys of '",
                          "' cannot be rotated by this server; rotate them where they are kept",
                          NULL},
    [KH_E_KEY_LOST] = {"File '", "'", tail_lost},
    [KH_E_KEY_CHANGED] = {"File '", "'", tail_changed},
    [KH_E_CIPHER_CHANGED] = {"File '", "'", tail_cipher},
    [KH_E_KEY_LATEST] = {"File '", "'", tail_latest},
    [KH_E_NO_KEY_ID] = {"File '", "' has the highest key id; choose a lower one", NULL},
    [KH_E_KEY_EXISTS] = {"File '", "'", tail_key_exists},
    [KH_E_KEY_NOT_FOUND] = {"File '", "'", tail_no_key},
    [KH_E_SECRET_TOO_LONG] = {"Cannot read ", "", tail_too_long},
    [KH_E_SYNTAX] = {"Syntax error at ", "", tail_place},
    [KH_E_KEY_ID] = {"Invalid key id at ", "", tail_place},
    [KH_E_KEY_VERSION] = {"Invalid key version at ", "", tail_place},
    [KH_E_KEY_HEX] = {"Invalid key at ", "", tail_place},
    [KH_E_ATTRIBUTE] = {"Unknown or repeated attribute at ", "", tail_place},
    [KH_E_ATTRIBUTE_VALUE] = {"Invalid value of an attribute at ", "", tail_place},
    [KH_E_KEY_TOO_SHORT] = {"A cipher aes256 needs keys of 256 bits at ", "", tail_place},
    [KH_E_NO_SYSTEM_KEY] = {"System key id 1 is missing at ", "", tail_place},
    [KH_E_KEY_DUPLICATE] = {"Two different keys for one key id and version at ", "",
                            tail_duplicate},
    [KH_E_CONTAINER_SIZE] = {"Cannot decrypt ", "", tail_container},
    [KH_E_WRONG_PASSPHRASE] = {"Cannot decrypt ", ". Wrong key?", NULL},
    [KH_E_NO_PASSPHRASE] = {"Cannot decrypt ", ". Wrong key? It is encrypted and no filekey is set",
                            NULL},
    [KH_E_SEALED_DAMAGED] = {"Cannot decrypt ", "", tail_sealed_damaged},
    [KH_E_SEALED_NEWER] = {"Cannot decrypt ", "", tail_sealed_newer},
    [KH_E_SEALED_COST] = {"Cannot decrypt ", "", tail_sealed_cost},
    [KH_E_SEALED_CHANGED] = {"Cannot decrypt ",
                             ". The passphrase opens a slot of the sealed key file, and the rest "
                             "does not belong to it: somebody changed it",
                             NULL},
    [KH_E_SLOT_LABEL] = {"Cannot seal ", "", tail_slot_label},
    [KH_E_SLOT_COST] = {"Cannot seal ", "", tail_slot_cost},
    [KH_E_SLOT_COUNT] = {"Cannot seal ", "", tail_slot_count},
    [KH_E_SLOT_EXISTS] = {"Cannot seal ", "", tail_slot_exists},
    [KH_E_SLOT_LAST] = {"Cannot seal ", "", tail_slot_last},
    [KH_E_SLOT_NOT_FOUND] = {"File '", "'", tail_no_slot},
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
