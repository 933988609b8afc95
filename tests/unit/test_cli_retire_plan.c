/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan of `keyhold retire` for all old versions of a file. */
#include <stdio.h>
#include <string.h>

#include "cli/commands/retire_plan.h"
#include "rotation.h"
#include "unit.h"

#define A16 "770A8A65DA156D24EE2A093277530142"
#define B16 "966050D7777350B6FD5CCB3E5F648DA4"

static kh_keytable *table;

static int make_table(void **state)
{
  (void)state;
  table = rotation_table_of("1;" A16 "\n1;3;" A16 "\n7;" A16 "\n7;3;" B16 "\n7;5;" A16 "\n9;4;" A16
                            "\n");
  return 0;
}

static int free_table(void **state)
{
  (void)state;
  kh_keytable_free(&table);
  return 0;
}

static kh_cli_retire_plan verdicts_of(const kh_cli_retire_facts *facts, uint32_t id,
                                      unsigned forced)
{
  kh_cli_retire_plan plan;
  assert_int_equal(kh_cli_retire_plan_make(facts, table, id, forced, &plan), KH_OK);
  return plan;
}

static void assert_verdict(const kh_cli_retire_plan *plan, size_t i, uint32_t id, uint32_t version,
                           bool is_removed)
{
  assert_true(i < plan->count);
  const kh_key *key = kh_cli_retire_plan_key(plan, i);
  assert_int_equal(key->id, id);
  assert_int_equal(key->version, version);
  assert_int_equal(plan->at[i].is_removed, is_removed);
}

static void the_latest_version_is_never_in_the_plan(void **state)
{
  (void)state;
  kh_cli_retire_facts facts = {.key_file = ""};
  kh_cli_retire_plan plan = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_int_equal(plan.count, 3);
  assert_int_equal(plan.removed_count, 3);
  assert_verdict(&plan, 0, 1, 1, true);
  assert_verdict(&plan, 1, 7, 1, true);
  assert_verdict(&plan, 2, 7, 3, true);
  kh_cli_retire_plan_free(&plan);
  assert_null(plan.at);
  assert_int_equal(plan.count, 0);
}

static void a_plan_for_one_key(void **state)
{
  (void)state;
  kh_cli_retire_facts facts = {.key_file = ""};
  kh_cli_retire_plan plan = verdicts_of(&facts, 7, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_int_equal(plan.count, 2);
  assert_verdict(&plan, 0, 7, 1, true);
  assert_verdict(&plan, 1, 7, 3, true);
  kh_cli_retire_plan_free(&plan);
  plan = verdicts_of(&facts, 9, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_int_equal(plan.count, 0);
  kh_cli_retire_plan_free(&plan);
}

static void forced_uses_do_not_keep_versions(void **state)
{
  (void)state;
  kh_cli_retire_facts facts = {.key_file = ""};
  kh_cli_retire_plan plan = verdicts_of(&facts, 0, 0);
  assert_int_equal(plan.count, 3);
  assert_int_equal(plan.removed_count, 0);
  kh_cli_retire_plan_free(&plan);
  plan = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ELSEWHERE);
  assert_int_equal(plan.removed_count, 2); /* key 1 may be needed by an Aria table */
  assert_verdict(&plan, 0, 1, 1, false);
  assert_verdict(&plan, 1, 7, 1, true);
  kh_cli_retire_plan_free(&plan);
}

static void removed_versions_as_a_table(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {
      .key_id = 7, .is_encrypted = true, .least_version = 3, .current_version = 5, .name = "d/t"};
  kh_cli_retire_facts facts = {.tablespaces = {.at = &tablespace, .count = 1}};
  kh_cli_retire_plan plan = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ALL);
  kh_keytable *removed = NULL;
  assert_int_equal(plan.removed_count, 2);
  assert_verdict(&plan, 2, 7, 3, false);
  assert_int_equal(kh_cli_retire_plan_removed(&plan, &removed), KH_OK);
  assert_int_equal(kh_keytable_version_count(removed), 2);
  assert_non_null(kh_keytable_find(removed, 1, 1));
  assert_non_null(kh_keytable_find(removed, 7, 1));
  kh_keytable_free(&removed);
  kh_cli_retire_plan_free(&plan);
}

static void a_version_that_becomes_needed(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {
      .key_id = 7, .is_encrypted = true, .least_version = 3, .current_version = 5, .name = "d/t"};
  kh_cli_retire_facts facts = {.tablespaces = {.at = &tablespace, .count = 1}};
  kh_cli_retire_plan before = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ALL);
  kh_cli_retire_plan now = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_null(kh_cli_retire_plan_changed(&before, &now));
  kh_cli_retire_plan_free(&now);

  tablespace.least_version = 5; /* fewer versions are needed now */
  now = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_null(kh_cli_retire_plan_changed(&before, &now));
  kh_cli_retire_plan_free(&now);

  tablespace.least_version = 1;
  now = verdicts_of(&facts, 0, KH_CLI_RETIRE_UNKNOWN_ALL);
  const kh_cli_retire_verdict *changed = kh_cli_retire_plan_changed(&before, &now);
  assert_ptr_equal(changed, &now.at[1]);
  assert_string_equal(changed->need.needed_by, "d/t");
  kh_cli_retire_plan_free(&now);
  kh_cli_retire_plan_free(&before);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_latest_version_is_never_in_the_plan),
      cmocka_unit_test(a_plan_for_one_key),
      cmocka_unit_test(forced_uses_do_not_keep_versions),
      cmocka_unit_test(removed_versions_as_a_table),
      cmocka_unit_test(a_version_that_becomes_needed),
  };
  return cmocka_run_group_tests(tests, make_table, free_table);
}
