/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file passphrase.h
 * Cuts the content that a source returned to the passphrase. The same for all sources but the
 * literal one.
 */
#ifndef KEYHOLD_UNLOCK_PASSPHRASE_H
#define KEYHOLD_UNLOCK_PASSPHRASE_H

#include "keyhold/unlock.h"

/** Fills the fault of a passphrase that is too long. */
kh_status kh_passphrase_too_long(const char *name, kh_fault *ret_fault);

/**
 * Cuts a content to the passphrase: without the line ends at its end, then up to the first NUL. It
 * may be empty. Logs a hint about a NUL.
 *
 * @param name  of the source, for messages.
 * @return KH_OK, KH_E_SECRET_TOO_LONG.
 */
KH_MUST_USE kh_status kh_passphrase_cut(kh_secret *content, const char *name, const kh_log *log,
                                        kh_fault *ret_fault);

/**
 * Cuts a content as kh_passphrase_cut() and takes it over: *content becomes NULL.
 *
 * @return KH_OK, KH_E_SECRET_TOO_LONG, KH_E_SOURCE_EMPTY.
 */
KH_MUST_USE kh_status kh_passphrase_take(kh_secret **content, const char *name, const kh_log *log,
                                         kh_secret **ret_passphrase, kh_fault *ret_fault);

/**
 * Reads a file and cuts its content. Checks its permissions, and warns of them.
 *
 * @return KH_OK, KH_E_SECRET_TOO_LONG, KH_E_FILE_UNSAFE, KH_E_SOURCE_TIME, the codes of
 * kh_file_read().
 */
KH_MUST_USE kh_status kh_passphrase_read_file(const char *path, const kh_unlock_how *how,
                                              const kh_log *log, kh_secret **ret_content,
                                              kh_fault *ret_fault);

#endif
