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

/** A path for a message; "..." replaces the middle of a long one, so that the rest of the message
 * fits. */
typedef struct kh_shown_path {
  char text[KH_PATH_SHOWN_MAX]; /**< ends with NUL */
} kh_shown_path;

/** Shortens a path for a message; NULL gives the empty text. Thread-safe. */
kh_shown_path kh_show_path(const char *path);

/** The same for a path of at most `size` bytes, the final NUL included. Thread-safe.
 *
 * @param size  8 to KH_PATH_SHOWN_MAX. */
kh_shown_path kh_show_path_within(const char *path, size_t size);

/** Place and cause of a failure. All zero: no failure. An error sets the fields that its sentence
 * names (errors.def). */
typedef struct kh_fault {
  kh_status status;             /**< the cause; KH_OK: nothing has failed */
  kh_shown_path path;           /**< the file or other object, as the user wrote its name */
  int os_error;                 /**< errno, or 0 */
  mode_t mode;                  /**< the type and permissions of the file, */
  uid_t owner;                  /**< and its owner */
  int ended_with;               /**< the exit status or the signal that a process ended with */
  char name[KH_NAME_SHOWN_MAX]; /**< the part of the file, if it has a name; else "" */
  char quote[KH_QUOTE_MAX];     /**< what another process reported, or what was expected and
                                   what is there; "": none */
  char advice[KH_ADVICE_MAX];   /**< the likely cause and the next step, found out after the
                                   failure, without a secret; "": none */
  unsigned line;                /**< from 1; 0: the file has no lines */
  size_t column;                /**< from 1, in bytes; 0: no column */
  unsigned other_line;          /**< the line that `line` contradicts, from 1 */
  uint32_t key_id;              /**< the key that it is about; else 0 */
  uint32_t key_version;         /**< and its version; else 0 */
  uint64_t size;                /**< the size in bytes or other number that was wrong; else 0 */
  uint64_t limit;               /**< the expected number, or the limit; else 0 */
} kh_fault;

/** Takes the faults of a file, one by one. */
typedef struct kh_faults {
  void (*add)(void *user, const kh_fault *fault); /**< gets each, up to KH_FAULTS_MAX: in the order
                                                     of lines, then those between lines */
  void *user;                                     /**< its first argument */
  size_t count; /**< of all, also of those that were not passed; begins with 0 */
} kh_faults;

/** Counts a fault, and passes it while they are not too many. */
void kh_faults_add(kh_faults *faults, const kh_fault *fault);

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
 * Writes the sentence for people: the template of the status (kh_status_sentence()), filled in.
 * Thread-safe.
 *
 * In a template `{line}` is the field of that name; `{mode}` is written in octal, as for chmod(1),
 * and
 * `{os_error}` as ` (Errcode: 2 "No such file or directory")`, or nothing for 0. A part in brackets
 * is left out when one of its fields is 0 or empty; `[this|or that]` is written as `or that` then.
 *
 * A sentence that does not fit is written with a shorter path.
 *
 * @param fault  as filled by a failing call.
 * @param text   at least one byte; always ends in NUL; cut when too small (KH_MESSAGE_MAX is
 * enough).
 * @param size   of text in bytes.
 */
void kh_fault_describe(const kh_fault *fault, char *text, size_t size);

#endif
