/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file unlock.h
 * Where the passphrase of a key file comes from.
 */
#ifndef KEYHOLD_UNLOCK_H
#define KEYHOLD_UNLOCK_H

#include "keyhold/fault.h"
#include "keyhold/log.h"
#include "keyhold/secret.h"

/**
 * Gets the passphrase that a `filekey` setting names.
 *
 * - NULL or "": there is none, and *ret_passphrase becomes NULL.
 * - "FILE:path" (upper case, exactly): the file's content without the CR and LF at its end, up to
 * the first NUL, at most KH_SECRET_FILE_MAX bytes. A relative path starts at the process's
 * directory.
 * - anything else: the passphrase itself.
 *
 * An empty passphrase is allowed, as in the server's own plugin, and is said in a hint; a file that
 * others may read is said in a warning.
 *
 * @param filekey         as the user wrote it; never logged when it is a passphrase.
 * @param ret_passphrase  for kh_secret_free(), or NULL when there is none; untouched on failure.
 * @param ret_fault       may be NULL.
 * @return KH_OK, KH_E_SECRET_TOO_LONG, the codes of kh_file_read(). As thread-safe as the log.
 */
KH_MUST_USE kh_status kh_unlock(const char *filekey, const kh_log *log, kh_secret **ret_passphrase,
                                kh_fault *ret_fault);

#endif
