/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file fault.h
 * Where and why something failed, in numbers; and the sentence for people.
 *
 * A fault never holds a byte of a key or of a passphrase.
 */
#ifndef KEYHOLD_FAULT_H
#define KEYHOLD_FAULT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keyhold/limits.h"
#include "keyhold/status.h"

/** A path for a message: as it is, or with "..." for its middle, so that what stands behind it fits
 * too. */
typedef struct kh_shown_path {
  char text[KH_PATH_SHOWN_MAX];
} kh_shown_path;

/** Makes a path fit for a message; NULL gives the empty text. Thread-safe. */
kh_shown_path kh_show_path(const char *path);

/** Place and cause of a failure. All zero: nothing has failed. */
typedef struct kh_fault {
  kh_status status;
  kh_shown_path path; /**< the file, as the user wrote its name */
  int os_error;       /**< errno, or 0 */
  mode_t mode;        /**< KH_E_FILE_UNSAFE: the file's type and permissions, */
  uid_t owner;        /**< and whose it is */
  int ended_with;     /**< KH_E_PROGRAM_EXIT: the exit status, KH_E_PROGRAM_SIGNAL: the signal */
  char quote[KH_QUOTE_MAX]; /**< the first line that a program wrote to its standard error, or what
                               would have been right; "": nothing */
  unsigned line;            /**< from 1; 0: the file has no lines */
  size_t column;            /**< from 1, in bytes; 0: no column */
  unsigned other_line;      /**< KH_E_KEY_DUPLICATE: the line of the first of the two, from 1 */
  uint32_t key_id;          /**< which key, where one is meant; else 0 */
  uint32_t key_version;     /**< and which version of it; else 0 */
  uint64_t size;  /**< the size in bytes, or other number, that was wrong, where there is one */
  uint64_t limit; /**< the one that would have been right, or the limit, where there is one */
  char slot[KH_SEALED_LABEL_MAX +
            1]; /**< which slot of a sealed file, where one is meant; else "" */
} kh_fault;

/**
 * Fills a fault and gives its status back, so that a failing function ends with one `return`.
 *
 * @param ret_fault  may be NULL; else everything in it is replaced.
 * @param path       copied; NULL for none.
 * @param os_error   errno, or 0.
 * @return status. Thread-safe.
 */
kh_status kh_fault_set(kh_fault *ret_fault, kh_status status, const char *path, int os_error);

/**
 * Writes the sentence for people: names the file, and the line and the column where there are some.
 *
 * The phrases "File '%s' not found", "Syntax error at", "Invalid key id at", "Invalid key at",
 * "System key id 1 is missing at", "Cannot decrypt %s. Wrong key?", "Cannot decrypt %s. Not
 * encrypted" and "Cannot read %s, the filekey is too long, max secret size is %dB " are those of
 * MariaDB's own plugin, whose tests and users look for them.
 *
 * @param fault  as filled by a failing call.
 * @param text   at least one byte; always ends in NUL; cut when too small (KH_MESSAGE_MAX is
 * enough).
 * @param size   of text in bytes.
 * Thread-safe.
 */
void kh_fault_describe(const kh_fault *fault, char *text, size_t size);

#endif
