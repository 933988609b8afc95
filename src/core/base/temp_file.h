/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file temp_file.h
 * A file with a temporary name until it is complete. For src/core/base only.
 */
#ifndef KEYHOLD_BASE_TEMP_FILE_H
#define KEYHOLD_BASE_TEMP_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "keyhold/bytes.h"
#include "keyhold/status.h"

/** What a temporary name has before and after the final one. */
#define KH_TEMP_FILE_PREFIX "."
#define KH_TEMP_FILE_SUFFIX ".keyhold-new"

/** A file with a temporary name until it is complete: ".NAME.keyhold-new", in the same folder.
 * Starts with both descriptors negative. */
typedef struct kh_temp_file {
  int folder;                   /**< that it is in */
  int fd;                       /**< the file, open for writing */
  char name[NAME_MAX + 1];      /**< the final name in the folder */
  char temp_name[NAME_MAX + 1]; /**< that it has until then */
} kh_temp_file;

/**
 * Opens the folder, and makes the names.
 *
 * @param path  of the final file; a symbolic link in its last part is not followed.
 * @return false with errno on failure. The caller calls kh_temp_file_cleanup() in either case.
 */
KH_MUST_USE bool kh_temp_file_open_folder(kh_temp_file *file, const char *path);

/** Creates the file, with mode 0600 at most, replacing one that a killed process left, and locks it
 * until it is closed, so that no other process takes it for such a one. Returns false with errno on
 * failure; EWOULDBLOCK: another process has one. */
KH_MUST_USE bool kh_temp_file_create(kh_temp_file *file);

/** Writes all bytes. Returns false with errno on failure. */
KH_MUST_USE bool kh_temp_file_write(const kh_temp_file *file, kh_bytes content);

/** Returns whether the file has its final name although the rename failed: over a network a rename
 * may succeed and still be reported as failed. Keeps errno. */
bool kh_temp_file_is_in_place(const kh_temp_file *file);

/** Removes the file if it still has its temporary name. Keeps errno. */
void kh_temp_file_remove(const kh_temp_file *file);

/** For `__attribute__((cleanup))`: closes what is open. */
void kh_temp_file_cleanup(kh_temp_file *file);
#define KH_AUTO_TEMP_FILE __attribute__((cleanup(kh_temp_file_cleanup))) kh_temp_file

#endif
