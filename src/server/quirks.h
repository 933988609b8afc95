/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file quirks.h
 * All that differs between the versions of the server. One binary serves them all, so what differs
 * is looked up in the running process, and what must not differ is asserted in quirks.c.
 */
#ifndef KEYHOLD_SERVER_QUIRKS_H
#define KEYHOLD_SERVER_QUIRKS_H

#include <mysql/plugin.h>
#include <stddef.h>
#include <typelib.h>

#include "keyhold/fault.h"

/**
 * Reports by the server's my_printf_error(), or on standard error in a process that does not have
 * it. A plugin that used the server's service for this would load only into servers with its
 * version of the service: MariaDB 11.8 has another one than 11.4. Thread-safe.
 *
 * @param number   the error number that a client gets.
 * @param flags    ME_ flags of the server: severity and destination.
 * @param what     put before the message, with a colon; may be NULL.
 * @param message  one sentence. What is longer than KH_LINE_MAX with `what` follows in further
 * lines, which begin with "... " and are notes.
 */
void kh_quirks_report(unsigned number, unsigned long flags, const char *what, const char *message);

/**
 * Describes a fault as kh_fault_describe() does, in the words of the running version's own plugin
 * where versions differ. Thread-safe.
 *
 * @param size  of the buffer, in bytes.
 */
void kh_quirks_describe(const kh_fault *fault, char *ret_message, size_t size);

/** The names of an ENUM variable's values. TYPELIB has more members in later servers, which find
 * zeros there. */
typedef struct kh_choices {
  TYPELIB typelib;
  void *later[4];
} kh_choices;

#endif
