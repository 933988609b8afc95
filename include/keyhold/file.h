/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file file.h
 * Reads small files into secret memory, and replaces them so that the old content or the new one is
 * there, whole, whatever happens.
 */
#ifndef KEYHOLD_FILE_H
#define KEYHOLD_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "keyhold/fault.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** Which file, with which content, a name led to: two stamps differ when anything was replaced or
 * written in between. The stamp of a FIFO has no size and no times: it only identifies the FIFO. */
typedef struct kh_file_stamp {
  dev_t device;
  ino_t inode;
  uint64_t size;    /**< in bytes */
  int64_t modified; /**< st_mtim in nanoseconds */
  int64_t changed;  /**< st_ctim in nanoseconds */
} kh_file_stamp;

/** What was seen on the opened descriptor. */
typedef struct kh_file_info {
  mode_t mode; /**< type and permissions */
  uid_t owner;
  uint64_t size;       /**< in bytes, as the file system says; 0 for a FIFO */
  kh_file_stamp stamp; /**< before the first byte was read */
} kh_file_info;

/** Which files kh_file_read() opens. */
typedef enum kh_file_kind {
  KH_FILE_REGULAR,      /**< regular files only */
  KH_FILE_OR_FIFO,      /**< also FIFOs; a FIFO is waited for */
  KH_FILE_OR_FIFO_SOON, /**< also FIFOs; a FIFO is waited for KH_FIFO_WAIT at most */
  KH_FILE_ANY,          /**< also FIFOs and devices; a FIFO is waited for */
} kh_file_kind;

/**
 * Reads the first bytes of a file into secret memory.
 *
 * The type and the permissions are those of the descriptor that is read, not of the name. A
 * terminal that is opened does not become the process's own, and the descriptor is not inherited by
 * programs. A regular file that is written meanwhile is refused. Thread-safe.
 *
 * @param path        NUL-terminated; a relative one starts at the process's directory (in the
 * server: its data directory).
 * @param most        bytes to read at most; the rest is left.
 * @param ret_secret  what was read, for kh_secret_free(); untouched on failure.
 * @param ret_info    may be NULL; untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_READ, KH_E_FILE_DIRECTORY,
 * KH_E_FILE_SPECIAL, KH_E_FILE_CHANGED, KH_E_FILE_TIME, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_file_read(const char *path, size_t most, kh_file_kind kind,
                                   kh_secret **ret_secret, kh_file_info *ret_info,
                                   kh_fault *ret_fault);

/**
 * Finds what a name leads to now. Thread-safe.
 *
 * @param ret_stamp  untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN.
 */
KH_MUST_USE kh_status kh_file_stamp_of(const char *path, kh_file_stamp *ret_stamp,
                                       kh_fault *ret_fault);

/** Returns whether two stamps are of the same file with the same content. */
bool kh_file_is_same(const kh_file_stamp *a, const kh_file_stamp *b);

/**
 * Replaces a regular file's content, keeping owner, group, mode and access control list: writes a
 * new file beside it
 * (".NAME.keyhold-new", mode 0600 until it is whole), flushes it, renames it over the old one and
 * flushes the folder. Until the rename the old file is untouched, and a failure removes the new
 * one; one that a killed process left is replaced.
 *
 * A symbolic link stays: the file that it leads to is replaced. The caller holds the file's
 * kh_lockfile.
 *
 * @param expected   the stamp of the content that the new one was made from.
 * @param content    the new content.
 * @param ret_stamp  the new file's; may be NULL; untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_DIRECTORY, KH_E_FILE_SPECIAL;
 * KH_E_FILE_CHANGED (not the expected file any more); KH_E_FILE_LOCKED, KH_E_FILE_WRITE,
 * KH_E_FILE_OWNER;
 * KH_E_FILE_FLUSH: the new content is in its place, but may not outlast a power failure. Not for
 * one file by two threads at once.
 */
KH_MUST_USE kh_status kh_file_replace(const char *path, const kh_file_stamp *expected,
                                      kh_bytes content, kh_file_stamp *ret_stamp,
                                      kh_fault *ret_fault);

/**
 * Makes a file of mode 0600, whatever the umask, that is there whole or not at all: writes it
 * beside its place as kh_file_replace() does, flushes it, gives it its name if nothing has that
 * name, not even a symbolic link, and flushes the folder. Thread-safe.
 *
 * @param content    of the new file.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_EXISTS, KH_E_FILE_CREATE; KH_E_FILE_LOCKED: another process is making
 * it; KH_E_FILE_FLUSH: the file is there, but may not outlast a power failure.
 */
KH_MUST_USE kh_status kh_file_create(const char *path, kh_bytes content, kh_fault *ret_fault);

/**
 * Flushes a file and its folder to the disk, so that what was read from it outlasts a power
 * failure; of a symbolic link its folder too. Where a folder cannot be opened, the whole file
 * system is flushed. A file system that has nothing to flush is no error. Thread-safe.
 *
 * @param expected   the stamp of what was read.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_CHANGED (not the expected file any
 * more), KH_E_FILE_FLUSH.
 */
KH_MUST_USE kh_status kh_file_flush(const char *path, const kh_file_stamp *expected,
                                    kh_fault *ret_fault);

/** What is done about a file with secrets to which others have too much access. */
typedef enum kh_permissions {
  KH_PERMISSIONS_WARN,   /**< it is read; kh_file_warn_of_mode() says what is wrong */
  KH_PERMISSIONS_STRICT, /**< it is refused unless kh_file_check_permissions() passes it */
  KH_PERMISSIONS_STRICT_FOR_SERVER, /**< the same, but root takes what belongs to any user: it reads
                                       for a server, whose user it does not know */
  KH_PERMISSIONS_SEEN, /**< it is read and nothing is said: the caller has looked itself */
} kh_permissions;

/**
 * Checks whether a file may be read: with strict permissions, whether it is closed to others. It
 * belongs to root or to the process's effective user, its group cannot write it, and others can do
 * nothing with it. An access control list counts as far as it shows in the mode: its mask is the
 * group's part. The folders above the file are not looked at. Thread-safe.
 *
 * @param path       for the fault.
 * @param info       what was seen on the opened descriptor.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_UNSAFE.
 */
KH_MUST_USE kh_status kh_file_check_permissions(const char *path, const kh_file_info *info,
                                                kh_permissions permissions, kh_fault *ret_fault);

/** Returns whether users other than the owner and the group may read or write a file of this mode.
 */
bool kh_file_is_open_to_others(mode_t mode);

/**
 * Warns of a mode that is open to others, naming file and mode.
 *
 * @param what  what the file is: "key", "passphrase".
 */
void kh_file_warn_of_mode(const kh_log *log, const char *what, const char *path, mode_t mode);

#endif
