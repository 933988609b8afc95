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

/** A path for a message: as it is, or with "..." for its middle, so that what follows it fits too.
 */
typedef struct kh_shown_path {
  char text[KH_PATH_SHOWN_MAX]; /**< ends with NUL */
} kh_shown_path;

/** Shortens a path for a message; NULL gives the empty text. Thread-safe. */
kh_shown_path kh_show_path(const char *path);

/** Place and cause of a failure. All zero: nothing has failed. What each error sets is what its
 * sentence names (errors.def). */
typedef struct kh_fault {
  kh_status status;             /**< the cause; KH_OK: nothing has failed */
  kh_shown_path path;           /**< the file or other object, as the user wrote its name */
  int os_error;                 /**< errno, or 0 */
  mode_t mode;                  /**< the type and permissions of the file, */
  uid_t owner;                  /**< and whose it is */
  int ended_with;               /**< the exit status or the signal that a process ended with */
  char name[KH_NAME_SHOWN_MAX]; /**< which part of the file, where parts have names; else "" */
  char quote[KH_QUOTE_MAX];     /**< what another process reported, or what would have been right;
                                   "": nothing */
  unsigned line;                /**< from 1; 0: the file has no lines */
  size_t column;                /**< from 1, in bytes; 0: no column */
  unsigned other_line;          /**< the line that `line` contradicts, from 1 */
  uint32_t key_id;              /**< which key, where one is meant; else 0 */
  uint32_t key_version;         /**< and which version of it; else 0 */
  uint64_t size;  /**< the size in bytes, or other number, that was wrong, where there is one */
  uint64_t limit; /**< the one that would have been right, or the limit, where there is one */
} kh_fault;

/**
 * Fills a fault and returns its status, so that a failing function ends with one `return`.
 * Thread-safe.
 *
 * @param ret_fault  may be NULL; else everything in it is replaced.
 * @param path       copied; NULL for none.
 * @param os_error   errno, or 0.
 * @return status.
 */
kh_status kh_fault_set(kh_fault *ret_fault, kh_status status, const char *path, int os_error);

/**
 * Writes the sentence for people: the template of the status (kh_status_sentence()), filled.
 * Thread-safe.
 *
 * In a template `{line}` is the field of that name; `{mode}` is written as chmod(1) takes it, and
 * `{os_error}` as ` (Errcode: 2 "No such file or directory")`, or nothing for 0. A part in brackets
 * is left out when one of its fields is 0 or empty; `[this|or that]` has another one for that case.
 *
 * @param fault  as filled by a failing call.
 * @param text   at least one byte; always ends in NUL; cut when too small (KH_MESSAGE_MAX is
 * enough).
 * @param size   of text in bytes.
 */
void kh_fault_describe(const kh_fault *fault, char *text, size_t size);

#endif
