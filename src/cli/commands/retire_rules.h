/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file retire_rules.h
 * Decides whether an old version of a key may be removed. It is all in which `keyhold retire` can
 * be wrong: it asks nobody and shows nothing.
 */
#ifndef KEYHOLD_CLI_RETIRE_RULES_H
#define KEYHOLD_CLI_RETIRE_RULES_H

#include <stdbool.h>

#include "keyhold/keytable.h"
#include "retire_facts.h"

/** What may need a version without the server being able to tell, as bits. */
enum {
  KH_CLI_RETIRE_UNKNOWN_REDO_LOG = 1,    /**< key 1: which version it has is not shown */
  KH_CLI_RETIRE_UNKNOWN_BINARY_LOGS = 2, /**< key 1: the same, and relay logs */
  KH_CLI_RETIRE_UNKNOWN_ARIA = 4,        /**< key 1: the same */
  KH_CLI_RETIRE_UNKNOWN_ELSEWHERE = 8,   /**< backups, other servers with the same key file */
  KH_CLI_RETIRE_UNKNOWN_ALL = 15,
};

/** One of them. */
typedef struct kh_cli_retire_unknown {
  const char *name; /**< for --force and for reports */
  unsigned bit;
  const char *why; /**< a sentence for people: what the server does not tell */
} kh_cli_retire_unknown;

enum { KH_CLI_RETIRE_UNKNOWNS = 4 };
extern const kh_cli_retire_unknown kh_cli_retire_unknowns[KH_CLI_RETIRE_UNKNOWNS];

/** The bits of a name of `len` bytes, which may be "all"; 0: it is no such name. */
unsigned kh_cli_retire_unknown_named(const char *name, size_t len);

/** What is known about one version. */
typedef struct kh_cli_retire_need {
  const char *needed_by; /**< a tablespace or a table that needs it, or may; owned by the facts;
                            NULL: none */
  unsigned unknown;      /**< KH_CLI_RETIRE_UNKNOWN_..., when nothing is known to need it */
} kh_cli_retire_need;

/**
 * Says what is known about a version that is not the latest of its key.
 *
 * @param index  its place in the table; the next place has the version that followed it.
 */
kh_cli_retire_need kh_cli_retire_need_of(const kh_cli_retire_facts *facts, const kh_keytable *table,
                                         size_t index);

/** Whether a version may be removed: nothing is known to need it, and `forced` has all that may.
 */
bool kh_cli_retire_may_go(const kh_cli_retire_need *need, unsigned forced);

#endif
