/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file log.h
 * The log of the core: a callback that the plugin binds to the server's error log, the command to
 * standard error and tests to a recorder. The core prints nothing.
 */
#ifndef KEYHOLD_LOG_H
#define KEYHOLD_LOG_H

/** The severity of a message. */
typedef enum kh_severity {
  KH_LOG_NOTE,    /**< what was done */
  KH_LOG_HINT,    /**< belongs to the error that follows: its possible cause */
  KH_LOG_WARNING, /**< it works, but needs attention */
  /* Those of the log alone, which a statement that led to them does not show: */
  KH_LOG_QUIET_WARNING, /**< something may need attention */
  KH_LOG_QUIET_ERROR,   /**< something failed */
} kh_severity;

/** Takes one finished message: one line without a line end, never a secret, valid only during the
 * call. */
typedef void (*kh_log_fn)(void *user, kh_severity severity, const char *message);

/** A callback and its argument. `write` may be NULL: then nothing is logged. */
typedef struct kh_log {
  kh_log_fn write; /**< the callback */
  void *user;      /**< its first argument */
} kh_log;

/**
 * Formats a message and passes it to the callback.
 *
 * A message longer than KH_MESSAGE_MAX is cut. As thread-safe as the callback.
 *
 * @param log     may be NULL.
 * @param format  as printf. No argument may hold a secret.
 */
__attribute__((format(printf, 3, 4))) void kh_log_write(const kh_log *log, kh_severity severity,
                                                        const char *format, ...);

#endif
