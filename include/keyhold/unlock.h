/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file unlock.h
 * Where the passphrase of a key file comes from.
 */
#ifndef KEYHOLD_UNLOCK_H
#define KEYHOLD_UNLOCK_H

#include <stdbool.h>

#include "keyhold/fault.h"
#include "keyhold/file.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/** How a passphrase is got. The first two hold for one from a file (FILE:, CREDENTIAL:). */
typedef struct kh_unlock_how {
  kh_permissions permissions; /**< what is done when others may read it, beside the warning */
  bool bounded_wait;   /**< where it is a FIFO or a device, it too has KH_UNLOCK_WAIT; else it is
                        waited   for without limit, as the server's own plugin does */
  bool may_be_literal; /**< the setting could be meant as the passphrase itself although it begins
                          like a source; when that fails, a hint says what is to be done */
} kh_unlock_how;

/**
 * Gets the passphrase that a `filekey` setting names.
 *
 * - NULL or "": there is none, and *ret_passphrase becomes NULL.
 * - "FILE:path": a file's content. A relative path starts at the process's directory.
 * - "CREDENTIAL:name": the file of that name in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
 * - "ENV:NAME": the value of an environment variable.
 * - "EXEC:/path argument ...": what a program writes to its standard output. It is run without a
 * shell; arguments are separated by spaces, and nothing quotes one.
 * - "SOCKET:/path": what is read from a UNIX stream socket until its other end closes it.
 * - anything else: the passphrase itself, which is warned of.
 *
 * The prefixes must be in capitals. A passphrase that is no literal goes up to the first NUL and is
 * without the CR and LF at its end, at most KH_SECRET_FILE_MAX bytes. An empty one is allowed from
 * FILE: alone, as in the server's own plugin, and is said in a hint.
 *
 * A program and a socket have KH_UNLOCK_WAIT. The program then ended, or was ended with its process
 * group; it has no standard input, no terminal and no descriptor of this process's, and gets no
 * secret. As thread-safe as the log.
 *
 * @param filekey         as the user wrote it. A passphrase is never logged, nor what follows a
 * prefix and cannot be what the source takes, nor a program's arguments.
 * @param ret_passphrase  for kh_secret_free(), or NULL when there is none; untouched on failure.
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
 * Reads a passphrase from an open descriptor until its end, by the same rules; it may be a file, a
 * pipe, a socket or a terminal, and is waited for without limit. As thread-safe as the log.
 *
 * @param fd    stays open.
 * @param name  for messages: "standard input", "file descriptor 3".
 * @return KH_OK, KH_E_SECRET_TOO_LONG, KH_E_SOURCE_EMPTY, KH_E_FILE_READ, KH_E_NO_MEMORY,
 * KH_E_CRYPTO. Parameters otherwise as kh_unlock().
 */
KH_MUST_USE kh_status kh_unlock_fd(int fd, const char *name, const kh_log *log,
                                   kh_secret **ret_passphrase, kh_fault *ret_fault);

#endif
