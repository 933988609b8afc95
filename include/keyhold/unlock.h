/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file unlock.h
 * The sources of the passphrase of a key file.
 */
#ifndef KEYHOLD_UNLOCK_H
#define KEYHOLD_UNLOCK_H

#include <stdbool.h>

#include "keyhold/fault.h"
#include "keyhold/file.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** How to get a passphrase. The first three apply to one from a file (FILE:, CREDENTIAL:). */
typedef struct kh_unlock_how {
  kh_permissions permissions; /**< how to treat a file that other users can access */
  bool bounded_wait;   /**< a FIFO or a device too must supply it within KH_UNLOCK_WAIT; false:
                          the wait has no limit, as in the server's own plugin */
  bool reads_no_fifo;  /**< a FIFO is refused without opening it: KH_E_FILE_FIFO */
  bool *ret_has_cr;    /**< NULL, or set to true when the line ends at the end of a file, which are
                          cut,    have a carriage return; else untouched */
  bool may_be_literal; /**< the setting may be meant as the passphrase itself although it begins
                          like a source; after a failure a hint explains what to do */
} kh_unlock_how;

/**
 * Gets the passphrase that a `filekey` setting specifies.
 *
 * - NULL or "": no passphrase; *ret_passphrase becomes NULL.
 * - "FILE:path": a file's content. A relative path starts at the process's directory.
 * - "CREDENTIAL:name": the file of that name in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
 * - "ENV:NAME": the value of an environment variable.
 * - "EXEC:/path argument ...": what a program writes to its standard output. It is run without a
 * shell; arguments are separated by spaces, without quoting.
 * - "SOCKET:/path": what is read from a UNIX stream socket until its other end closes it.
 * - anything else: the passphrase itself, with a warning, and with a second one where
 *   kh_unlock_doubt_literal() has something to say.
 *
 * The prefixes must be in capitals. A passphrase that is not a literal ends at the first NUL,
 * without CR and LF at its end, and has at most KH_SECRET_FILE_MAX bytes. An empty one is allowed
 * only from FILE:, as in the server's own plugin, with a hint.
 *
 * A program and a socket have KH_UNLOCK_WAIT. On return the program has ended, or was killed with
 * its process group; it has no standard input, no terminal and no descriptor of this process, and
 * gets no secret. As thread-safe as the log.
 *
 * @param filekey         as the user wrote it. Never logged: a passphrase, an invalid
 * argument of a source, the arguments of a program.
 * @param ret_passphrase  for kh_secret_free(), or NULL for none; untouched on failure.
 * @param ret_fault       may be NULL.
 * @return KH_OK, KH_E_SECRET_TOO_LONG, KH_E_SOURCE_SYNTAX, KH_E_SOURCE_EMPTY, KH_E_NO_MEMORY,
 * KH_E_CRYPTO; of files the codes of kh_file_read(), KH_E_FILE_UNSAFE, KH_E_SOURCE_CREDENTIAL; of
 * others KH_E_SOURCE_VARIABLE, KH_E_SOURCE_TIME, KH_E_PROGRAM_RUN, KH_E_PROGRAM_EXIT,
 * KH_E_PROGRAM_SIGNAL, KH_E_SOCKET.
 */
KH_MUST_USE kh_status kh_unlock(const char *filekey, const kh_unlock_how *how, const kh_log *log,
                                kh_secret **ret_passphrase, kh_fault *ret_fault);

/** Returns whether a `filekey` setting is the passphrase itself. Thread-safe. */
bool kh_unlock_is_literal(const char *filekey);

/**
 * Describes a `filekey` setting that is the passphrase itself, but looks as if it was meant to name
 * a source: it looks like a path, begins with a prefix in another case, is quoted, or names a file
 * that exists. It still is the passphrase, as in the server's own plugin. Thread-safe.
 *
 * @param ret_sentence  KH_ADVICE_MAX bytes: what it looks like, and the right spelling, without the
 * value; untouched if there is nothing to say.
 * @return whether there is.
 */
bool kh_unlock_doubt_literal(const char *filekey, char *ret_sentence);

/**
 * Describes what is unusual in a passphrase, for an administrator whose key file does not open with
 * it: several lines, carriage returns, a byte order mark, white space at its ends, a comment,
 * quotation marks. Thread-safe.
 *
 * @param has_cr        of kh_unlock_how.
 * @param ret_sentence  KH_ADVICE_MAX bytes: nothing of the passphrase; untouched if there is
 * nothing to say.
 * @return whether there is.
 */
bool kh_unlock_describe_passphrase(kh_bytes passphrase, bool has_cr, char *ret_sentence);

/**
 * Reads a passphrase from an open descriptor until its end, by the same rules; it may be a file, a
 * pipe, a socket or a terminal, and the wait has no limit. As thread-safe as the log.
 *
 * @param fd    stays open.
 * @param name  for messages: "standard input", "file descriptor 3".
 * @return KH_OK, KH_E_SECRET_TOO_LONG, KH_E_SOURCE_EMPTY, KH_E_FILE_READ, KH_E_NO_MEMORY,
 * KH_E_CRYPTO. The other parameters are those of kh_unlock().
 */
KH_MUST_USE kh_status kh_unlock_fd(int fd, const char *name, const kh_log *log,
                                   kh_secret **ret_passphrase, kh_fault *ret_fault);

#endif
