/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file file_parts.h
 * Functions that reading, replacing and locking a file share. For src/core/base only.
 */
#ifndef KEYHOLD_FILE_PARTS_H
#define KEYHOLD_FILE_PARTS_H

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyhold/file.h"

/** For `__attribute__((cleanup))`: closes a descriptor that is not negative. */
static inline void kh_fd_cleanup(int *fd)
{
  if (*fd >= 0)
    close(*fd);
}
#define KH_AUTO_FD __attribute__((cleanup(kh_fd_cleanup))) int

/** For `__attribute__((cleanup))`: frees a string. */
static inline void kh_string_cleanup(char **string)
{
  free(*string);
}
#define KH_AUTO_STRING __attribute__((cleanup(kh_string_cleanup))) char *

/** Flushes the file of a descriptor. A file system that is read-only, or has nothing to flush, is
 * not an error. Returns false with errno on failure. */
bool kh_file_flush_fd(int fd);

/** Returns the stamp of a stat() result. */
kh_file_stamp kh_file_stamp_from(const struct stat *st);

/** Returns KH_OK, KH_E_FILE_DIRECTORY, KH_E_FILE_FIFO or KH_E_FILE_SPECIAL, by the type in a stat()
 * result. */
kh_status kh_file_classify(const struct stat *st, kh_file_kind kind);

/**
 * Reads the first bytes of an open file from the descriptor's offset, as
 * kh_file_read_reporting().
 *
 * @param path  for the fault.
 * @param st    its fstat() result.
 * @return KH_OK, KH_E_FILE_READ, KH_E_FILE_CHANGED, KH_E_FILE_TIME,
 * KH_E_FILE_WAIT_ENDED, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_file_read_descriptor(int fd, const char *path, const struct stat *st,
                                              size_t most, kh_file_kind kind, const kh_log *log,
                                              kh_secret **ret_secret, kh_fault *ret_fault);

/** Creates a file by kh_file_create(), and gives it owner and group of another if the process can.
 */
kh_status kh_file_create_like(const char *path, const struct stat *other, kh_bytes content,
                              kh_fault *ret_fault);

/** Fills a fault for a name that does not exist or cannot be followed, and returns its status:
 * KH_E_FILE_NOT_FOUND for ENOENT, else KH_E_FILE_OPEN. */
kh_status kh_file_unreachable(const char *path, int os_error, kh_fault *ret_fault);

/**
 * Copies the access control list of another file to a new one, or removes the one that the new file
 * inherited from its folder. The mode must be set afterwards: a removed list leaves its mask as the
 * group's part of the mode.
 *
 * @param path  of the other file.
 * @return false with errno on failure.
 */
KH_MUST_USE bool kh_file_keep_acl(const char *path, int fd);

/**
 * Follows symbolic links to the end. Thread-safe.
 *
 * @param ret_real   absolute, without links, for free(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN.
 */
kh_status kh_file_resolve(const char *path, char **ret_real, kh_fault *ret_fault);

#endif
