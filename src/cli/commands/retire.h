/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file retire.h
 * The parts of `keyhold retire`. retire_rules.h and retire_plan.h decide; retire_decide.c asks the
 * server for what they decide by, retire_report.c reports, retire_copy.c keeps the copy.
 */
#ifndef KEYHOLD_CLI_RETIRE_H
#define KEYHOLD_CLI_RETIRE_H

#include "cli/args/form.h"
#include "cli/args/target.h"
#include "retire_plan.h"

/** What is asked, about which file. */
typedef struct kh_cli_question {
  kh_cli_server *server;
  const char *path; /**< the key file */
  const kh_keytable *table;
  uint32_t id;     /**< of the key; 0: all */
  unsigned forced; /**< KH_CLI_RETIRE_UNKNOWN_... that hold nothing back */
} kh_cli_question;

/** What the server said, and the plan, which point into that: it is not copied. Starts as
 * KH_CLI_DECISION_NONE. */
typedef struct kh_cli_decision {
  kh_cli_retire_facts facts;
  kh_cli_retire_plan plan;
} kh_cli_decision;

#define KH_CLI_DECISION_NONE ((kh_cli_decision){.facts = {.key_file = ""}})

/**
 * Asks the server, and decides. A server that uses another file, or has other keys in use than the
 * file has, is refused: what it says is not about these keys.
 *
 * @param decision  for kh_cli_decision_free(), on failure too.
 * @return false: a message has said why.
 */
bool kh_cli_decide(const kh_cli_question *question, kh_cli_decision *decision);

/** Asks once more: whether all that was to go is still to go. A passphrase may have been waited for
 * since, and the server has gone on. Likewise. */
bool kh_cli_is_still_decided(const kh_cli_question *question, const kh_cli_decision *before);

/** Frees. */
void kh_cli_decision_free(kh_cli_decision *decision);

/** For `__attribute__((cleanup))`. */
#define KH_CLI_AUTO_DECISION __attribute__((cleanup(kh_cli_decision_free))) kh_cli_decision

/** Prints what is decided, as a table for people. */
void kh_cli_retire_print(const kh_cli_retire_plan *plan, const char *path);

/** Says that what goes is removed, and where the copy is. */
void kh_cli_retire_print_removed(const kh_cli_retire_plan *plan, const char *path,
                                 const char *copy);

/** Prints the report as JSON. @param copy  NULL: nothing was removed. */
void kh_cli_retire_print_json(const kh_cli_retire_plan *plan, const char *path, const char *copy);

/** Says what holds versions back that nothing is known to need, or all of them. */
void kh_cli_retire_explain(const kh_cli_retire_plan *plan, const kh_cli_retire_facts *facts);

/**
 * Keeps a sealed copy of the key file: a sealed file as it is, with all its slots; another one
 * sealed with its own passphrase, or with a new one if it has none. It is on the disk when this
 * returns.
 *
 * @param target      was loaded.
 * @param info        of what was loaded.
 * @param new_source  of the new passphrase.
 * @param to          the path of the copy, at which there is nothing yet.
 * @return KH_CLI_DONE, or KH_CLI_FAILED after a message.
 */
int kh_cli_keep_copy(const kh_cli_target *target, const kh_keyfile_info *info,
                     const kh_cli_source *new_source, const kh_cli_costs *costs, const char *to);

#endif
