/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file file.h
 * Reads small files into secret memory, and replaces them atomically: after a crash the file has
 * the old content or the new one.
 */
#ifndef KEYHOLD_FILE_H
#define KEYHOLD_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "keyhold/fault.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** Identifies a file and its content: two stamps of a name differ when the file was replaced or
 * written in between. The stamp of a FIFO has no size and no times: it only identifies the FIFO. */
typedef struct kh_file_stamp {
  dev_t device;     /**< st_dev */
  ino_t inode;      /**< st_ino */
  uint64_t size;    /**< in bytes */
  int64_t modified; /**< st_mtim in nanoseconds */
  int64_t changed;  /**< st_ctim in nanoseconds */
} kh_file_stamp;

/** The properties of the opened descriptor. */
typedef struct kh_file_info {
  mode_t mode;         /**< type and permissions */
  uid_t owner;         /**< user id */
  uint64_t size;       /**< in bytes, as the file system reports it; 0 for a FIFO */
  kh_file_stamp stamp; /**< before the first byte was read */
} kh_file_info;

/** Which files kh_file_read() opens. */
typedef enum kh_file_kind {
  KH_FILE_REGULAR,      /**< regular files only */
  KH_FILE_OR_FIFO,      /**< also FIFOs; waits for the writer of a FIFO */
  KH_FILE_OR_FIFO_SOON, /**< also FIFOs; waits for the writer of a FIFO, KH_FIFO_WAIT at most */
  KH_FILE_ANY,          /**< also FIFOs and devices; waits for the writer of a FIFO */
} kh_file_kind;

/**
 * Reads the first bytes of a file into secret memory.
 *
 * The type and the permissions are those of the descriptor that is read, not of the name. A
 * terminal that is opened does not become the controlling one, and the descriptor is not inherited
 * by programs. A regular file that is written meanwhile is refused. Thread-safe.
 *
 * @param path        NUL-terminated; a relative one starts at the process's directory (in the
 * server: its data directory).
 * @param most        bytes to read at most; the rest is left.
 * @param ret_secret  what was read, for kh_secret_free(); untouched on failure.
 * @param ret_info    may be NULL; untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_READ, KH_E_FILE_DIRECTORY,
 * KH_E_FILE_SPECIAL, KH_E_FILE_FIFO, KH_E_FILE_CHANGED, KH_E_FILE_TIME, KH_E_FILE_WAIT_ENDED (the
 * process blocks SIGTERM and was sent one while it waited without a limit), KH_E_NO_MEMORY,
 * KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_file_read(const char *path, size_t most, kh_file_kind kind,
                                   kh_secret **ret_secret, kh_file_info *ret_info,
                                   kh_fault *ret_fault);

/** The same. If a wait that has no limit takes KH_FIFO_SILENCE, warns of it once.
 *
 * @param log  may be NULL. */
KH_MUST_USE kh_status kh_file_read_reporting(const char *path, size_t most, kh_file_kind kind,
                                             const kh_log *log, kh_secret **ret_secret,
                                             kh_file_info *ret_info, kh_fault *ret_fault);

/**
 * Refuses a FIFO, or a link to one, without opening it: a process that waits to write to it would
 * begin, and SIGPIPE would end it. Thread-safe.
 *
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_FIFO, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN.
 */
KH_MUST_USE kh_status kh_file_refuse_fifo(const char *path, kh_fault *ret_fault);

/**
 * Fills a fault about a file that could not be opened, read, locked, replaced, created, flushed or
 * watched, and returns its status, as kh_fault_set() does. The path is shown absolute; but the
 * name of a file that is not found stays as it was written, and the advice has its folder. For
 * EACCES, EPERM, EROFS and EBUSY it also finds the cause and the next step (`advice`): who asked
 * and which part of the path refused, a file that is a mount point, what is mounted read-only, an
 * immutable file, an owner that the process cannot set. Thread-safe.
 *
 * @param ret_fault  may be NULL; else everything in it is replaced.
 * @param status     the operation that failed: KH_E_FILE_NOT_FOUND, _OPEN, _READ, _LOCK, _LOCKED,
 * _WRITE, _OWNER, _CREATE, _EXISTS, _FLUSH, _WATCH.
 * @param path       of the file, also where its folder or its lock file is what refused.
 * @param os_error   errno of the call that failed, or 0.
 * @return status.
 */
kh_status kh_file_fail(kh_fault *ret_fault, kh_status status, const char *path, int os_error);

/**
 * Makes a path absolute: puts the process's folder before a relative one. Links are not followed.
 * Thread-safe.
 *
 * @param ret_path  PATH_MAX bytes; undefined on failure.
 * @return false: it is empty or too long, or the process's folder is not known.
 */
bool kh_file_make_absolute(const char *path, char *ret_path);

/** Returns a path for a message: absolute, and shortened by kh_show_path(). Links are not followed.
 * Thread-safe. */
kh_shown_path kh_file_show_absolute(const char *path);

/** Returns whether the file that a name leads to is itself a mount point, as a single file that was
 * mounted into a container: it cannot be replaced, and a new file in its origin is not noticed.
 * False if that cannot be found out (Linux before 5.8). Thread-safe. */
bool kh_file_is_mount_point(const char *path);

/**
 * Returns the stamp of the file that a name leads to now. Thread-safe.
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
 * one; a file of that name that a killed process left is replaced.
 *
 * A symbolic link stays: the file that it leads to is replaced. The caller holds the file's
 * kh_lockfile.
 *
 * @param expected   the stamp of the content that the new one was made from.
 * @param content    the new content.
 * @param ret_stamp  the new file's; may be NULL; untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_DIRECTORY, KH_E_FILE_SPECIAL,
 * KH_E_FILE_FIFO;
 * KH_E_FILE_CHANGED (no longer the expected file); KH_E_FILE_LOCKED, KH_E_FILE_WRITE,
 * KH_E_FILE_OWNER;
 * KH_E_FILE_FLUSH: the new content is in place, but a power failure may undo it. Must not be called
 * for one file by two threads at once.
 */
KH_MUST_USE kh_status kh_file_replace(const char *path, const kh_file_stamp *expected,
                                      kh_bytes content, kh_file_stamp *ret_stamp,
                                      kh_fault *ret_fault);

/** What was read of a file that is replaced. */
typedef struct kh_file_seen {
  kh_file_stamp stamp; /**< before it was read */
  kh_bytes content;    /**< the whole file */
} kh_file_seen;

/** What another process wrote to a file while it was replaced. All zero: nothing. */
typedef struct kh_file_unseen {
  bool is_found;         /**< the replaced file does not have the content that was seen */
  kh_shown_path kept_as; /**< a new file with the whole content of the replaced one */
  kh_fault fault;        /**< KH_OK; or why it could not be read or kept */
  bool is_held;          /**< a process still has the replaced file open for writing */
} kh_file_unseen;

/**
 * Replaces a file by kh_file_replace(), and compares what it replaced with what was seen: a process
 * that does not take the lock may have changed the file after its last reading and before the
 * rename. Such a content is kept beside the file (kh_file_name_dated(), "kept"), with mode 0600 and
 * the owner of the file, and is flushed, before the function returns.
 *
 * A process that still has the replaced file open for writing is given KH_FILE_WRITER_WAIT to close
 * it, where the file system has leases and the process may take one: as owner of the file or root.
 * What it writes later is lost, which `is_held` reports.
 *
 * @param ret_unseen  set also on failure.
 * @return the codes of kh_file_replace().
 */
KH_MUST_USE kh_status kh_file_replace_seen(const char *path, const kh_file_seen *seen,
                                           kh_bytes content, kh_file_stamp *ret_stamp,
                                           kh_file_unseen *ret_unseen, kh_fault *ret_fault);

/** How long kh_file_replace_seen() waits for another process to close the replaced file, in
 * milliseconds. */
#define KH_FILE_WRITER_WAIT 1000

/**
 * Makes the name of a file that is kept beside another, such as "keys.kept-20261127T210559Z": a
 * colon would make it a host's name for scp. Where a file has that name it ends with "-2", or the
 * next number that is free. A file's name that leaves no room for the rest is shortened. Symbolic
 * links of the path are followed. Thread-safe.
 *
 * @param word  why it is kept.
 * @param now   UNIX time.
 * @return for free(); NULL: no memory.
 */
char *kh_file_name_dated(const char *path, const char *word, uint32_t now);

/** Returns whether a file of the same folder has a name that kh_file_name_dated() makes.
 * Thread-safe.
 *
 * @param path  of the file that others are kept beside, without symbolic links.
 * @param name  in the folder. */
bool kh_file_is_name_dated(const char *path, const char *word, const char *name);

/**
 * Finds out, without changing anything, whether this process could lock and replace a file now: the
 * permissions of its folder, its lock file, a temporary file that a killed process left, and its
 * owner and group. Thread-safe.
 *
 * @param ret_is_mistake  whether no one can have meant it so: a lock that cannot be used, or what
 * stops the file's owner. A folder that cannot be written, or a file of another owner, may be right
 * where another user rotates the keys.
 * @param ret_fault  what kh_lockfile_take() or kh_file_replace() would report; may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_LOCK, KH_E_FILE_WRITE,
 * KH_E_FILE_OWNER.
 */
KH_MUST_USE kh_status kh_file_foresee_replace(const char *path, bool *ret_is_mistake,
                                              kh_fault *ret_fault);

/**
 * Creates a file atomically, with mode 0600 whatever the umask: writes it under a temporary name as
 * kh_file_replace() does, flushes it, gives it its name unless a file or symbolic link has that
 * name, and flushes the folder. Thread-safe.
 *
 * @param content    of the new file.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_EXISTS, KH_E_FILE_CREATE; KH_E_FILE_LOCKED: another process is creating
 * it; KH_E_FILE_FLUSH: the file exists, but a power failure may undo it.
 */
KH_MUST_USE kh_status kh_file_create(const char *path, kh_bytes content, kh_fault *ret_fault);

/**
 * Flushes a file and its folder to the disk, so that a power failure cannot undo what was read
 * from it; for a symbolic link also the folder of the link. Where a folder cannot be opened, the
 * whole file system is flushed. A file system without anything to flush is not an error,
 * nor is a FIFO, which is not opened. Thread-safe.
 *
 * @param expected   the stamp of what was read.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_NOT_FOUND, KH_E_FILE_OPEN, KH_E_FILE_CHANGED (not the expected file any
 * more), KH_E_FILE_FLUSH.
 */
KH_MUST_USE kh_status kh_file_flush(const char *path, const kh_file_stamp *expected,
                                    kh_fault *ret_fault);

/** How to treat a file with secrets that other users can access. */
typedef enum kh_permissions {
  KH_PERMISSIONS_WARN,   /**< it is read, and kh_file_warn_of_mode() warns */
  KH_PERMISSIONS_STRICT, /**< it is refused unless kh_file_check_permissions() passes it */
  KH_PERMISSIONS_STRICT_FOR_SERVER, /**< the same, but root accepts any owner: it reads for a
                                       server, whose user it does not know */
  KH_PERMISSIONS_SEEN,              /**< it is read without a warning: the caller checks it */
} kh_permissions;

/**
 * Checks whether a file may be read. With strict permissions it must belong to root or to the
 * process's effective user, its group must not have write access, and other users no access. An
 * access control list counts as far as it shows in the mode: its mask is the group's part. The
 * folders above the file are not checked. Thread-safe.
 *
 * @param path       for the fault.
 * @param info       the properties of the opened descriptor.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_FILE_UNSAFE.
 */
KH_MUST_USE kh_status kh_file_check_permissions(const char *path, const kh_file_info *info,
                                                kh_permissions permissions, kh_fault *ret_fault);

/** Returns whether users other than the owner and the group can read or write a file of this mode.
 */
bool kh_file_is_open_to_others(mode_t mode);

/**
 * Warns of a file that other users can read or write, with its path and mode.
 *
 * @param what  what the file is: "key", "passphrase".
 */
void kh_file_warn_of_mode(const kh_log *log, const char *what, const char *path, mode_t mode);

#endif
