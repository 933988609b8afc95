/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of `keyhold retire` for an old version. */
#include <stdio.h>
#include <string.h>

#include "cli/commands/retire_rules.h"
#include "rotation.h"
#include "unit.h"

#define A16 "770A8A65DA156D24EE2A093277530142"

/* 2026-11-22T00:00:00Z, when the version 3 of each key was made */
#define CREATED 1795305600u
#define KEYS                                                                                       \
  "1;" A16 "\n1;3;" A16 ";created=2026-11-22\n1;5;" A16 "\n"                                       \
  "7;" A16 "\n7;3;" A16 ";created=2026-11-22\n"

static kh_keytable *table;

static int make_table(void **state)
{
  (void)state;
  table = rotation_table_of(KEYS);
  return 0;
}

static int free_table(void **state)
{
  (void)state;
  kh_keytable_free(&table);
  return 0;
}

static kh_cli_retire_need need_of(const kh_cli_retire_facts *facts, uint32_t id, uint32_t version)
{
  for (size_t i = 0; i < kh_keytable_version_count(table); i++)
    if (kh_keytable_at(table, i)->id == id && kh_keytable_at(table, i)->version == version)
      return kh_cli_retire_need_of(facts, table, i);
  fail();
  return (kh_cli_retire_need){.needed_by = NULL};
}

static kh_cli_retire_facts facts_with(kh_cli_tablespace *tablespace)
{
  snprintf(tablespace->name, sizeof tablespace->name, "d/t");
  return (kh_cli_retire_facts){.tablespaces = {.at = tablespace, .count = 1, .rotate_key_age = 1}};
}

static void assert_needed(const kh_cli_retire_facts *facts, uint32_t id, uint32_t version,
                          const char *by)
{
  kh_cli_retire_need need = need_of(facts, id, version);
  if (by == NULL) {
    assert_null(need.needed_by);
    assert_int_equal(need.unknown & KH_CLI_RETIRE_UNKNOWN_ELSEWHERE,
                     KH_CLI_RETIRE_UNKNOWN_ELSEWHERE);
  } else {
    assert_non_null(need.needed_by);
    assert_string_equal(need.needed_by, by);
    assert_int_equal(need.unknown, 0);
  }
}

static void a_tablespace_needs_versions_from_its_least_one_on(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {
      .key_id = 1, .is_encrypted = true, .least_version = 3, .current_version = 5};
  kh_cli_retire_facts facts = facts_with(&tablespace);
  assert_needed(&facts, 1, 1, NULL);
  assert_needed(&facts, 1, 3, "d/t");
  assert_needed(&facts, 7, 1, NULL); /* another key */
  tablespace.least_version = 1;
  assert_needed(&facts, 1, 1, "d/t");
  assert_needed(&facts, 7, 1, NULL);
  tablespace.least_version = 2; /* no version of the file */
  assert_needed(&facts, 1, 1, NULL);
  assert_needed(&facts, 1, 3, "d/t");
  tablespace.least_version = 5;
  assert_needed(&facts, 1, 3, NULL);
}

static void numbers_that_prove_nothing(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {
      .key_id = 7, .is_encrypted = true, .least_version = 3, .current_version = 3};
  kh_cli_retire_facts facts = facts_with(&tablespace);
  assert_needed(&facts, 7, 1, NULL);
  tablespace.is_moving = true; /* its pages are still being written */
  assert_needed(&facts, 7, 1, "d/t");
  tablespace.is_encrypted = false; /* it is being decrypted */
  assert_needed(&facts, 7, 1, "d/t");
  tablespace.is_moving = false;
  assert_needed(&facts, 7, 1, NULL);
  tablespace.is_encrypted = true;
  tablespace.current_version = UINT32_MAX; /* InnoDB found no key */
  assert_needed(&facts, 7, 1, "d/t");
  tablespace.current_version = 3;
  tablespace.least_version = 0; /* it is being encrypted */
  assert_needed(&facts, 7, 1, "d/t");
}

static void an_unencrypted_tablespace_needs_nothing(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {.key_id = 7, .current_version = UINT32_MAX};
  kh_cli_retire_facts facts = facts_with(&tablespace);
  assert_needed(&facts, 7, 1, NULL);
  tablespace.least_version = 1; /* contradictory: counts as encrypted */
  assert_needed(&facts, 7, 1, "d/t");
  tablespace.current_version = 3;
  assert_needed(&facts, 7, 1, "d/t");
  tablespace.least_version = 3;
  assert_needed(&facts, 7, 1, NULL);
}

static void a_tablespace_that_is_not_open_may_need_anything(void **state)
{
  (void)state;
  kh_cli_tablespace none = {.key_id = 99};
  kh_cli_retire_facts facts = facts_with(&none);
  snprintf(facts.not_open, sizeof facts.not_open, "d/away");
  assert_needed(&facts, 1, 1, "d/away");
  assert_needed(&facts, 1, 3, "d/away");
  assert_needed(&facts, 7, 1, "d/away");
}

static void the_second_tablespace_counts_too(void **state)
{
  (void)state;
  kh_cli_tablespace two[2] = {
      {.key_id = 7, .is_encrypted = true, .least_version = 3, .current_version = 3},
      {.key_id = 7, .is_encrypted = true, .least_version = 1, .current_version = 3, .name = "e/u"}};
  kh_cli_retire_facts facts = facts_with(two);
  facts.tablespaces.count = 2;
  assert_needed(&facts, 7, 1, "e/u");
}

static void aria_tables_that_are_older_than_the_next_version(void **state)
{
  (void)state;
  kh_cli_tablespace none = {.key_id = 99};
  kh_cli_retire_facts facts = facts_with(&none);
  facts.encrypts_aria = true;
  snprintf(facts.oldest_aria, sizeof facts.oldest_aria, "mysql.db");
  facts.oldest_aria_time = CREATED;
  assert_needed(&facts, 1, 1, "mysql.db");
  facts.oldest_aria_time = CREATED + 1;
  assert_needed(&facts, 1, 1, NULL);
  assert_needed(&facts, 1, 3, "mysql.db"); /* the time of version 5 is unknown */
  facts.oldest_aria_time = 0;              /* and that of the table */
  assert_needed(&facts, 1, 1, "mysql.db");
  assert_needed(&facts, 7, 1, NULL); /* Aria uses key 1 alone */
  facts.encrypts_aria = false;
  assert_needed(&facts, 1, 1, NULL);
  facts.encrypts_aria = true;
  facts.oldest_aria[0] = '\0';
  assert_needed(&facts, 1, 1, NULL);
}

static void uses_that_the_server_cannot_check(void **state)
{
  (void)state;
  kh_cli_tablespace none = {.key_id = 99};
  kh_cli_retire_facts facts = facts_with(&none);
  assert_int_equal(need_of(&facts, 7, 1).unknown, KH_CLI_RETIRE_UNKNOWN_ELSEWHERE);
  assert_int_equal(need_of(&facts, 1, 1).unknown,
                   KH_CLI_RETIRE_UNKNOWN_ELSEWHERE | KH_CLI_RETIRE_UNKNOWN_ARIA);
  facts.encrypts_redo = true;
  assert_int_equal(need_of(&facts, 1, 1).unknown, KH_CLI_RETIRE_UNKNOWN_ELSEWHERE |
                                                      KH_CLI_RETIRE_UNKNOWN_ARIA |
                                                      KH_CLI_RETIRE_UNKNOWN_REDO_LOG);
  facts.has_binary_logs = true;
  assert_int_equal(need_of(&facts, 1, 1).unknown, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_int_equal(need_of(&facts, 7, 1).unknown, KH_CLI_RETIRE_UNKNOWN_ELSEWHERE);
}

static void forced_uses(void **state)
{
  (void)state;
  for (unsigned unknown = 0; unknown <= KH_CLI_RETIRE_UNKNOWN_ALL; unknown++)
    for (unsigned forced = 0; forced <= KH_CLI_RETIRE_UNKNOWN_ALL; forced++) {
      kh_cli_retire_need need = {.unknown = unknown};
      assert_int_equal(kh_cli_retire_may_go(&need, forced), (unknown & forced) == unknown);
      need.needed_by = "d/t";
      assert_false(kh_cli_retire_may_go(&need, forced));
    }
}

static unsigned named(const char *name)
{
  return kh_cli_retire_unknown_named(name, strlen(name));
}

static void names_of_unknown_uses(void **state)
{
  (void)state;
  unsigned all = 0;
  for (size_t i = 0; i < KH_CLI_RETIRE_UNKNOWNS; i++) {
    assert_int_equal(named(kh_cli_retire_unknowns[i].name), kh_cli_retire_unknowns[i].bit);
    assert_int_equal(all & kh_cli_retire_unknowns[i].bit, 0);
    all |= kh_cli_retire_unknowns[i].bit;
  }
  assert_int_equal(all, KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_int_equal(named("all"), KH_CLI_RETIRE_UNKNOWN_ALL);
  assert_int_equal(named("redo-log"), KH_CLI_RETIRE_UNKNOWN_REDO_LOG);
  assert_int_equal(named("binary-logs"), KH_CLI_RETIRE_UNKNOWN_BINARY_LOGS);
  assert_int_equal(named("aria"), KH_CLI_RETIRE_UNKNOWN_ARIA);
  assert_int_equal(named("elsewhere"), KH_CLI_RETIRE_UNKNOWN_ELSEWHERE);
  static const char *const none[] = {"", "al", "alls", "redo", "redo-logs", "Aria", "elsewhere "};
  for (size_t i = 0; i < COUNT(none); i++)
    assert_int_equal(named(none[i]), 0);
  assert_int_equal(kh_cli_retire_unknown_named("aria,elsewhere", 4), KH_CLI_RETIRE_UNKNOWN_ARIA);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tablespace_needs_versions_from_its_least_one_on),
      cmocka_unit_test(numbers_that_prove_nothing),
      cmocka_unit_test(an_unencrypted_tablespace_needs_nothing),
      cmocka_unit_test(a_tablespace_that_is_not_open_may_need_anything),
      cmocka_unit_test(the_second_tablespace_counts_too),
      cmocka_unit_test(aria_tables_that_are_older_than_the_next_version),
      cmocka_unit_test(uses_that_the_server_cannot_check),
      cmocka_unit_test(forced_uses),
      cmocka_unit_test(names_of_unknown_uses),
  };
  return cmocka_run_group_tests(tests, make_table, free_table);
}
