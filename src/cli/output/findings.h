/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file findings.h
 * The findings of a check, as lines for people or as JSON; printed when all are known.
 */
#ifndef KEYHOLD_CLI_FINDINGS_H
#define KEYHOLD_CLI_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "keyhold/fault.h"
#include "table.h"

/** The findings so far. */
typedef struct kh_cli_findings {
  bool json;
  bool in_colour;
  size_t count;
  size_t bad; /**< number of problems among them */
  char *text; /**< the findings so far, once `out` is flushed */
  size_t len;
  FILE *out;
} kh_cli_findings;

/**
 * Begins without a finding.
 *
 * @return false: no memory, and a message has reported it.
 */
bool kh_cli_findings_begin(bool json, bool in_colour, kh_cli_findings *ret_findings);

/**
 * Adds a finding.
 *
 * @param level  KH_CLI_GOOD, KH_CLI_NOTE (may stay as it is) or KH_CLI_BAD.
 * @param about  its subject, in one word.
 */
__attribute__((format(printf, 4, 5))) void kh_cli_findings_add(kh_cli_findings *findings,
                                                               kh_cli_colour level,
                                                               const char *about,
                                                               const char *format, ...);

/** Adds the sentence of a fault as a problem; JSON also has its line and column, if it has a
 * column.
 */
void kh_cli_findings_add_fault(kh_cli_findings *findings, const char *about, const kh_fault *fault);

/** Prints all findings, and the verdict on the file. */
void kh_cli_findings_print(kh_cli_findings *findings, const char *path, const char *format);

/** For `__attribute__((cleanup))`. */
void kh_cli_findings_cleanup(kh_cli_findings *findings);
#define KH_CLI_AUTO_FINDINGS __attribute__((cleanup(kh_cli_findings_cleanup))) kh_cli_findings

#endif
