/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file retire_rules.h
 * Decides whether an old key version may be removed. A mistake here loses data: so these are pure
 * functions, which ask no server and print nothing.
 */
#ifndef KEYHOLD_CLI_RETIRE_RULES_H
#define KEYHOLD_CLI_RETIRE_RULES_H

#include <stdbool.h>

#include "keyhold/keytable.h"
#include "retire_facts.h"

/** Uses that may need a version, and that the server cannot check, as bits. */
enum {
  KH_CLI_RETIRE_UNKNOWN_REDO_LOG = 1,    /**< key id 1: its version is not reported */
  KH_CLI_RETIRE_UNKNOWN_BINARY_LOGS = 2, /**< key id 1: the same, and relay logs */
  KH_CLI_RETIRE_UNKNOWN_ARIA = 4,        /**< key id 1: the same */
  KH_CLI_RETIRE_UNKNOWN_ELSEWHERE = 8,   /**< backups, other servers with the same key file */
  KH_CLI_RETIRE_UNKNOWN_ALL = 15,
};

/** One of these uses. */
typedef struct kh_cli_retire_unknown {
  const char *name; /**< for --force and for reports */
  unsigned bit;
  const char *why; /**< a sentence for people: what the server does not report */
} kh_cli_retire_unknown;

enum { KH_CLI_RETIRE_UNKNOWNS = 4 };
extern const kh_cli_retire_unknown kh_cli_retire_unknowns[KH_CLI_RETIRE_UNKNOWNS];

/** Returns the bits of a name of `len` bytes, which may be "all"; 0: it is not such a name. */
unsigned kh_cli_retire_unknown_named(const char *name, size_t len);

/** What is known about the need for one version. */
typedef struct kh_cli_retire_need {
  const char *needed_by; /**< a tablespace or a table that needs it, or may; owned by the facts;
                            NULL: none */
  unsigned unknown;      /**< KH_CLI_RETIRE_UNKNOWN_..., when nothing is known to need it */
} kh_cli_retire_need;

/**
 * Returns what is known about a version that is not the latest of its key.
 *
 * @param index  its place in the table; the next place has the version that followed it.
 */
kh_cli_retire_need kh_cli_retire_need_of(const kh_cli_retire_facts *facts, const kh_keytable *table,
                                         size_t index);

/** Returns whether a version may be removed: nothing is known to need it, and `forced` has all uses
 * that may need it. */
bool kh_cli_retire_may_go(const kh_cli_retire_need *need, unsigned forced);

#endif
