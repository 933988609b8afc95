/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file retire_plan.h
 * The decision about each old version of the keys of a file, and the reports on it.
 */
#ifndef KEYHOLD_CLI_RETIRE_PLAN_H
#define KEYHOLD_CLI_RETIRE_PLAN_H

#include "retire_rules.h"

/** The decision about one version. */
typedef struct kh_cli_retire_verdict {
  size_t index; /**< its place in the table */
  kh_cli_retire_need need;
  bool is_removed;
} kh_cli_retire_verdict;

/** The decisions about all versions that are not the latest of their key. Starts as all zero. */
typedef struct kh_cli_retire_plan {
  const kh_keytable *table;
  kh_cli_retire_verdict *at;
  size_t count;
  size_t removed_count;
} kh_cli_retire_plan;

/**
 * Decides about each old version.
 *
 * @param facts     must outlive the plan.
 * @param table     must outlive the plan.
 * @param id        of the key; 0: all.
 * @param forced    KH_CLI_RETIRE_UNKNOWN_... that keep no version.
 * @param ret_plan  for kh_cli_retire_plan_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_cli_retire_plan_make(const kh_cli_retire_facts *facts,
                                              const kh_keytable *table, uint32_t id,
                                              unsigned forced, kh_cli_retire_plan *ret_plan);

/** Frees. */
void kh_cli_retire_plan_free(kh_cli_retire_plan *plan);

/** Returns the key version of a verdict; owned by the table. */
const kh_key *kh_cli_retire_plan_key(const kh_cli_retire_plan *plan, size_t i);

/**
 * Finds a version that was to be removed, and now must not be.
 *
 * @param now  made later, of the same table, id and forced.
 * @return the verdict of now; NULL: there is none.
 */
const kh_cli_retire_verdict *kh_cli_retire_plan_changed(const kh_cli_retire_plan *before,
                                                        const kh_cli_retire_plan *now);

/**
 * Makes a table of the versions to remove.
 *
 * @param ret_removed  for kh_keytable_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_cli_retire_plan_removed(const kh_cli_retire_plan *plan,
                                                 kh_keytable **ret_removed);

/** Prints the plan as a table for people. */
void kh_cli_retire_plan_print(const kh_cli_retire_plan *plan, const char *path);

/** Prints the plan as JSON. @param copy  the path of the copy; NULL: nothing was removed. */
void kh_cli_retire_plan_print_json(const kh_cli_retire_plan *plan, const char *path,
                                   const char *copy);

/** Prints messages about the reasons why versions are kept. */
void kh_cli_retire_plan_explain(const kh_cli_retire_plan *plan, const kh_cli_retire_facts *facts);

#endif
