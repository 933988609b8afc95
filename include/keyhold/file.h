/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file file.h
 * Reads small files into secret memory.
 */
#ifndef KEYHOLD_FILE_H
#define KEYHOLD_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "keyhold/fault.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** What was seen on the opened descriptor. */
typedef struct kh_file_info {
  mode_t mode;   /**< type and permissions */
  uint64_t size; /**< in bytes, as the file system says; 0 for a FIFO */
} kh_file_info;

/** Which files kh_file_read() opens. */
typedef enum kh_file_kind {
  KH_FILE_REGULAR, /**< regular files only */
  KH_FILE_ANY,     /**< also FIFOs and devices; a FIFO is waited for */
} kh_file_kind;

/**
 * Reads the first bytes of a file into secret memory.
 *
 * The type and the permissions are those of the descriptor that is read, not of the name. A
 * terminal that is opened does not become the process's own, and the descriptor is not inherited by
 * programs.
 *
 * @param path        NUL-terminated; a relative one starts at the process's directory (in the
 * server: its data directory).
 * @param most        bytes to read at most; what lies behind is left.
 * @param ret_secret  what was read, for kh_secret_free(); untouched on failure.
 * @param ret_info    may be NULL; untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_READ, KH_E_FILE_DIRECTORY,
 * KH_E_FILE_SPECIAL, KH_E_FILE_CHANGED, KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe.
 */
KH_MUST_USE kh_status kh_file_read(const char *path, size_t most, kh_file_kind kind,
                                   kh_secret **ret_secret, kh_file_info *ret_info,
                                   kh_fault *ret_fault);

/** Whether users other than the owner and the group may read or write a file of this mode. */
bool kh_file_is_open_to_others(mode_t mode);

/**
 * Warns of a mode that is open to others, naming file and mode.
 *
 * @param what  what the file is: "key", "passphrase".
 */
void kh_file_warn_of_mode(const kh_log *log, const char *what, const char *path, mode_t mode);

#endif
