/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file report.h
 * Writes messages to the server's error log, and to the client whose INSTALL SONAME or SET GLOBAL
 * caused them.
 */
#ifndef KEYHOLD_SERVER_REPORT_H
#define KEYHOLD_SERVER_REPORT_H

#include "keyhold/fault.h"
#include "keyhold/log.h"

/**
 * Returns the log callback of a plugin. Warnings and hints reach the error log and the client,
 * notes only the error log. Each line begins with the plugin's name.
 *
 * @param plugin_name  a constant string.
 */
kh_log kh_report_log(const char *plugin_name);

/**
 * Reports the failure that ends the plugin's start, to the error log and the client: the sentence
 * of kh_fault_describe(). The error number is EE_FILENOTFOUND for a file that cannot be opened,
 * else EE_READ. What is in a wrong line of a key file follows as a note, since tests and users of
 * the server's own plugin compare the sentence before it whole.
 */
void kh_report_fault(const kh_fault *fault);

/**
 * Reports a failure while the server runs, as kh_report_fault() does: "what: sentence",
 * and the advice.
 *
 * @param what    a constant string.
 * @param advice  begins with a semicolon, or is empty; a constant string.
 */
void kh_report_refusal(const char *what, const kh_fault *fault, const char *advice);

/** Reports a failure in the caller's words, with the error number EE_READ.
 *
 * @param format  as printf. No argument may hold a secret. */
__attribute__((format(printf, 1, 2))) void kh_report_error(const char *format, ...);

/**
 * Warns that the keys of a plugin for tests protect nothing. Called at its start.
 *
 * @param plugin_name  a constant string.
 * @param origin       what its keys are derived from; a constant string.
 */
void kh_report_for_tests_only(const char *plugin_name, const char *origin);

#endif
