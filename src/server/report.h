/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file report.h
 * Writes to the server's error log, and reports to the client whose INSTALL SONAME or SET GLOBAL
 * caused the message.
 */
#ifndef KEYHOLD_SERVER_REPORT_H
#define KEYHOLD_SERVER_REPORT_H

#include "keyhold/fault.h"
#include "keyhold/log.h"

/**
 * Returns the log callback of a plugin. Warnings and hints go to the error log and the client,
 * notes only to the error log. Each line begins with the plugin's name.
 *
 * @param plugin_name  a constant string.
 */
kh_log kh_report_log(const char *plugin_name);

/**
 * Reports the failure that ends the plugin's start: the sentence of kh_fault_describe(), to the
 * error log and the client, with the error number EE_FILENOTFOUND for a file that cannot be opened,
 * else EE_READ.
 */
void kh_report_fault(const kh_fault *fault);

/**
 * Reports what was refused while the server runs, as kh_report_fault() does: "what: sentence".
 *
 * @param what  a constant string.
 */
void kh_report_refusal(const char *what, const kh_fault *fault);

/** Reports a failure in the plugin's own words, with the error number EE_READ.
 *
 * @param format  as printf. No argument may hold a secret. */
__attribute__((format(printf, 1, 2))) void kh_report_error(const char *format, ...);

/**
 * Warns, at the start of a plugin that is for tests, that its keys protect nothing.
 *
 * @param plugin_name  a constant string.
 * @param origin       what its keys are derived from; a constant string.
 */
void kh_report_for_tests_only(const char *plugin_name, const char *origin);

#endif
