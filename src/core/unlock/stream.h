/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file stream.h
 * Reads a passphrase from a stream, piece by piece, into secret memory.
 */
#ifndef KEYHOLD_UNLOCK_STREAM_H
#define KEYHOLD_UNLOCK_STREAM_H

#include <stdbool.h>

#include "deadline.h"
#include "keyhold/secret.h"

/**
 * Allocates the memory for the content of a stream.
 *
 * @return as kh_secret_new().
 */
KH_MUST_USE kh_status kh_stream_new(kh_secret **ret_content);

/**
 * Reads once and appends the bytes to the content.
 *
 * @param ret_more   whether more bytes may be available now: some were read. Untouched on failure.
 * @param ret_ended  set to true when the stream has ended, else untouched.
 * @return KH_OK, also when nothing was available yet; KH_E_SECRET_TOO_LONG; KH_E_FILE_READ with
 * errno.
 */
KH_MUST_USE kh_status kh_stream_read(int fd, kh_secret *content, bool *ret_more, bool *ret_ended);

/**
 * Reads until the stream ends.
 *
 * @return KH_OK, KH_E_SECRET_TOO_LONG, KH_E_SOURCE_TIME, KH_E_FILE_READ with errno.
 */
KH_MUST_USE kh_status kh_stream_read_all(int fd, kh_deadline deadline, kh_secret *content);

#endif
