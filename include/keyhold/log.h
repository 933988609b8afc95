/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file log.h
 * The one way in which the core speaks: a callback that the plugin binds to the server's error log,
 * the command to standard error and tests to a recorder. The core prints nothing by itself.
 */
#ifndef KEYHOLD_LOG_H
#define KEYHOLD_LOG_H

/** How much a message matters. */
typedef enum kh_severity {
  KH_LOG_NOTE,    /**< what was done */
  KH_LOG_HINT,    /**< belongs to the error that follows: what may have caused it */
  KH_LOG_WARNING, /**< works, and should be mended */
} kh_severity;

/** Takes one finished message: one line without a line end, never a secret, valid only during the
 * call. */
typedef void (*kh_log_fn)(void *user, kh_severity severity, const char *message);

/** A callback and what it is called with. `write` may be NULL: then nothing is said. */
typedef struct kh_log {
  kh_log_fn write; /**< the callback */
  void *user;      /**< its first argument */
} kh_log;

/**
 * Formats a message and hands it to the callback.
 *
 * Longer than KH_MESSAGE_MAX is cut. As thread-safe as the callback.
 *
 * @param log     may be NULL.
 * @param format  as printf. No argument may hold a secret.
 */
__attribute__((format(printf, 3, 4))) void kh_log_write(const kh_log *log, kh_severity severity,
                                                        const char *format, ...);

#endif
