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
  if (path != NULL)
    snprintf(ret_fault->path, sizeof ret_fault->path, "%s", path);
  return status;
}

/* "(Errcode: 13 "Permission denied")", the form in which MariaDB shows errno */
static void format_os_error(int os_error, char *text, size_t size)
{
  char reason[REASON_MAX];
  const char *phrase = strerror_r(os_error, reason, sizeof reason);
  snprintf(text, size, "(Errcode: %d \"%s\")", os_error, phrase);
}

static void describe_os(const kh_fault *fault, const char *format, char *text, size_t size)
{
  char reason[REASON_MAX + 32];
  format_os_error(fault->os_error, reason, sizeof reason);
  snprintf(text, size, format, fault->path, reason);
}

static void describe_place(const kh_fault *fault, const char *what, char *text, size_t size)
{
  snprintf(text, size, "%s at %s line %u, column %zu", what, fault->path, fault->line,
           fault->column);
}

static void describe_container(const kh_fault *fault, char *text, size_t size)
{
  snprintf(text, size,
           "Cannot decrypt %s. The file is cut short or damaged: it has %" PRIu64
           " bytes, an encrypted key file has 16 and a multiple of 16, at least 32",
           fault->path, fault->size);
}

void kh_fault_describe(const kh_fault *fault, char *text, size_t size)
{
  const char *path = fault->path;
  switch (fault->status) {
  case KH_E_FILE_NOT_FOUND:
    describe_os(fault, "File '%s' not found %s", text, size);
    return;
  case KH_E_FILE_OPEN:
    describe_os(fault, "Cannot open file '%s' %s", text, size);
    return;
  case KH_E_FILE_READ:
    describe_os(fault, "Error reading file '%s' %s", text, size);
    return;
  case KH_E_FILE_DIRECTORY:
    snprintf(text, size, "Cannot read '%s': it is a directory, not a file", path);
    return;
  case KH_E_FILE_SPECIAL:
    snprintf(text, size, "Cannot read '%s': it is not a regular file", path);
    return;
  case KH_E_FILE_TOO_LARGE:
    snprintf(text, size,
             "File '%s' is too large: %" PRIu64 " bytes, at most %" PRIu64 " are allowed", path,
             fault->size, fault->limit);
    return;
  case KH_E_FILE_CHANGED:
    snprintf(text, size, "File '%s' changed while it was being read; try again", path);
    return;
  case KH_E_SECRET_TOO_LONG:
    snprintf(text, size,
             "Cannot read %s, the filekey is too long, max secret size is %" PRIu64 "B ", path,
             fault->limit);
    return;
  case KH_E_SYNTAX:
    describe_place(fault, "Syntax error", text, size);
    return;
  case KH_E_KEY_ID:
    describe_place(fault, "Invalid key id", text, size);
    return;
  case KH_E_KEY_VERSION:
    describe_place(fault, "Invalid key version", text, size);
    return;
  case KH_E_KEY_HEX:
    describe_place(fault, "Invalid key", text, size);
    return;
  case KH_E_NO_SYSTEM_KEY:
    describe_place(fault, "System key id 1 is missing", text, size);
    return;
  case KH_E_KEY_DUPLICATE:
    snprintf(text, size,
             "Two different keys for one key id and version at %s line %u, column %zu; the first "
             "is in line %u",
             path, fault->line, fault->column, fault->other_line);
    return;
  case KH_E_CONTAINER_SIZE:
    describe_container(fault, text, size);
    return;
  case KH_E_WRONG_PASSPHRASE:
    snprintf(text, size, "Cannot decrypt %s. Wrong key?", path);
    return;
  case KH_E_NO_PASSPHRASE:
    snprintf(text, size, "Cannot decrypt %s. Wrong key? It is encrypted and no filekey is set",
             path);
    return;
  case KH_E_NOT_ENCRYPTED:
    snprintf(text, size, "Cannot decrypt %s. Not encrypted", path);
    return;
  default:
    snprintf(text, size, "%s%s%s", path, path[0] == '\0' ? "" : ": ",
             kh_status_phrase(fault->status));
    return;
  }
}
