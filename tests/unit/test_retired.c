/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: reallocarray */
/* Versions that were taken out of a key file on purpose, from the text to the table in force. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/keyfile_text.h"
#include "rotation.h"
#include "unit.h"
#include "wrap.h"

#define A16 "770A8A65DA156D24EE2A093277530142"
#define B16 "66A7B45A35A0B8C0D4D2D0F9C9C0B1A2"

static bool no_memory;

WRAPS(reallocarray);

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
  return no_memory ? NULL : __real_reallocarray(memory, count, size);
}

static kh_status parse(const char *text, kh_keylist **ret_list, kh_fault *ret_fault)
{
  return kh_keyfile_parse_text("keys.txt", bytes_of(text), KH_REPEATS_AS_UPSTREAM, NULL, ret_list,
                               ret_fault);
}

static const struct {
  const char *line;
  kh_retired retired; /* id 0: none */
} lines[] = {
    {"7;3;retired", {7, 3, 3}},
    {"7;3;retired\r", {7, 3, 3}},
    {"\t7;3;retired  in 2027", {7, 3, 3}},
    {"7;3;retired# in 2027", {7, 3, 3}},
    {"7;1;retired", {7, 1, 3}},
    {"7;retired", {7, 1, 3}},
    {"4294967295;4294967294;retired", {4294967295u, 4294967294u, 3}},
    {"# 7;3;retired", {0, 0, 0}},
};

static void lines_that_retire(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(lines); i++) {
    KH_AUTO_KEYLIST list = NULL;
    char text[256];
    snprintf(text, sizeof text, "1;" A16 "\n\n%s\n1;3;" A16 "\n", lines[i].line);
    assert_int_equal(parse(text, &list, NULL), KH_OK);
    assert_int_equal(kh_keylist_count(list), 2);
    if (lines[i].retired.id == 0) {
      assert_int_equal(kh_keylist_retired_count(list), 0);
      continue;
    }
    assert_int_equal(kh_keylist_retired_count(list), 1);
    assert_memory_equal(kh_keylist_retired_at(list, 0), &lines[i].retired, sizeof(kh_retired));
  }
}

static const struct {
  const char *text;
  kh_status status;
  unsigned line, other_line;
} bad[] = {
    {"7;3;retire\n", KH_E_KEY_HEX, 1, 0},
    {"7;3;retiredx\n", KH_E_KEY_HEX, 1, 0},
    {"7;3;retired;created=2027-01-01\n", KH_E_KEY_HEX, 1, 0},
    {"7;3;Retired\n", KH_E_KEY_HEX, 1, 0},
    {"7;0;retired\n", KH_E_KEY_VERSION, 1, 0},
    {"0;3;retired\n", KH_E_KEY_ID, 1, 0},
    {"1;1;retired\n", KH_E_NO_SYSTEM_KEY, 1, 0},
    /* it is undecided which of the two is meant */
    {"1;" A16 "\n7;3;retired\n7;3;" A16 "\n", KH_E_KEY_DUPLICATE, 3, 2},
    {"1;" A16 "\n7;3;" A16 "\n7;3;retired\n", KH_E_KEY_DUPLICATE, 3, 2},
    {"1;" A16 "\n1;5;" A16 "\n2;" A16 "\n1;5;retired\n", KH_E_KEY_DUPLICATE, 4, 2},
    {"1;" A16 "\n1;1;retired\n2;" A16 "\n", KH_E_KEY_DUPLICATE, 2, 1},
    /* a file that retires has versions */
    {"1;" A16 "\n1;" B16 "\n2;3;retired\n", KH_E_KEY_DUPLICATE, 2, 1},
};

static void lines_that_are_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++) {
    kh_keylist *list = NULL;
    kh_fault fault = {.status = KH_OK};
    print_message("%s", bad[i].text);
    assert_int_equal(parse(bad[i].text, &list, &fault), bad[i].status);
    assert_int_equal(fault.line, bad[i].line);
    assert_int_equal(fault.other_line, bad[i].other_line);
    assert_null(list);
  }
}

static void no_memory_for_what_is_retired(void **state)
{
  (void)state;
  kh_keylist *list = NULL;
  kh_fault fault = {.status = KH_OK};
  no_memory = true;
  kh_status status = parse("1;" A16 "\n7;3;retired\n", &list, &fault);
  no_memory = false;
  assert_int_equal(status, KH_E_NO_MEMORY);
  assert_int_equal(fault.line, 2);
  assert_null(list);
}

static void a_table_knows_what_is_retired(void **state)
{
  (void)state;
  kh_keytable *table = rotation_table_of("7;9;retired\n2;3;retired\n1;" A16 "\n7;3;retired\n"
                                         "2;3;retired\n7;" A16 "\n");
  assert_int_equal(kh_keytable_retired_count(table), 3);
  assert_int_equal(kh_keytable_version_count(table), 2);
  assert_true(kh_keytable_is_retired(table, 2, 3));
  assert_true(kh_keytable_is_retired(table, 7, 3));
  assert_true(kh_keytable_is_retired(table, 7, 9));
  assert_false(kh_keytable_is_retired(table, 2, 9));
  assert_false(kh_keytable_is_retired(table, 7, 1));
  assert_false(kh_keytable_is_retired(table, 3, 3));
  assert_null(kh_keytable_find(table, 7, 3));
  kh_keytable_free(&table);
  table = rotation_table_of("1;" A16 "\n");
  assert_int_equal(kh_keytable_retired_count(table), 0);
  assert_false(kh_keytable_is_retired(table, 1, 1));
  kh_keytable_free(&table);
}

static const struct {
  const char *old, *text;
  kh_status status;
} successors[] = {
    {"1;" A16 "\n1;3;" B16, "1;1;retired\n1;3;" B16, KH_OK},
    {"1;" A16 "\n1;3;" B16, "1;1;retired\n1;3;" A16, KH_E_KEY_CHANGED},
    {"1;" A16 "\n1;3;" B16, "1;3;" B16, KH_E_KEY_LOST},
    {"1;" A16 "\n1;3;" B16, "1;2;retired\n2;1;retired\n1;3;" B16, KH_E_KEY_LOST},
    /* the server's latest one, while the file has a later one */
    {"1;" A16 "\n1;3;" B16, "1;1;retired\n1;3;retired\n1;5;" B16, KH_OK},
    /* no later version: the server writes with this one */
    {"1;" A16 "\n1;3;" B16, "1;" A16 "\n1;3;retired", KH_E_KEY_LOST},
    {"1;" A16 "\n2;" B16, "1;" A16 "\n2;1;retired", KH_E_KEY_LOST},
};

static void tables_that_may_follow(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(successors); i++) {
    kh_fault fault = {.status = KH_OK};
    kh_keytable *old = rotation_table_of(successors[i].old);
    kh_keytable *table = rotation_table_of(successors[i].text);
    print_message("%s\n", successors[i].text);
    assert_int_equal(kh_keytable_check_follows(table, old, KH_CIPHER_AES_CBC, &fault),
                     successors[i].status);
    assert_int_equal(fault.status, successors[i].status);
    kh_keytable_free(&table);
    kh_keytable_free(&old);
  }
}

static kh_keytable *table_after(const char *text, const kh_keytable *known)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  assert_int_equal(parse(text, &list, NULL), KH_OK);
  assert_int_equal(kh_keytable_new_after(list, known, &table), KH_OK);
  return table;
}

static void a_running_server_keeps_what_is_retired(void **state)
{
  (void)state;
  kh_keytable *known = rotation_table_of("1;" A16 "\n1;3;" B16 "\n2;" B16 "\n2;3;" A16);
  kh_keytable *table = table_after("1;1;retired\n1;1;retired\n1;3;" B16 "\n1;5;" A16 "\n2;3;" A16
                                   "\n9;1;retired\n9;2;" A16,
                                   known);
  const kh_key *kept = kh_keytable_find(table, 1, 1);
  assert_non_null(kept);
  assert_true(kh_key_is_same_secret(kept, kh_keytable_find(known, 1, 1)));
  assert_int_equal(kept->line, 2);
  assert_true(kh_keytable_is_retired(table, 1, 1));
  assert_int_equal(kh_keytable_version_count(table), 5);
  assert_null(kh_keytable_find(table, 2, 1)); /* gone, and not retired */
  assert_null(kh_keytable_find(table, 9, 1)); /* never known */
  /* and in the next table too */
  kh_keytable *next = table_after("1;1;retired\n1;3;retired\n1;5;" A16 "\n2;3;" A16, table);
  assert_non_null(kh_keytable_find(next, 1, 1));
  assert_non_null(kh_keytable_find(next, 1, 3));
  assert_int_equal(kh_keytable_version_count(next), 4);
  /* a version that is put back into the file is like any other */
  kh_keytable *last = table_after("1;" A16 "\n1;3;retired\n1;5;" A16 "\n2;3;" A16, next);
  assert_int_equal(kh_keytable_find(last, 1, 1)->line, 1);
  assert_false(kh_keytable_is_retired(last, 1, 1));
  kh_keytable_free(&last);
  kh_keytable_free(&next);
  kh_keytable_free(&table);
  kh_keytable_free(&known);
}

/* Data is encrypted with the latest version, so without a later one in the file it is lost. */
static void the_latest_version_in_use_is_not_retired(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keytable *known = rotation_table_of("1;" A16 "\n1;3;" B16);
  kh_keytable *table = table_after("1;" A16 "\n1;3;retired", known);
  assert_null(kh_keytable_find(table, 1, 3));
  assert_int_equal(kh_keytable_count_lost(table, known, KH_CIPHER_AES_CBC), 1);
  assert_int_equal(kh_keytable_check_follows(table, known, KH_CIPHER_AES_CBC, &fault),
                   KH_E_KEY_LOST);
  kh_keytable_free(&table);
  kh_keytable_free(&known);
}

static void a_server_that_starts_keeps_nothing(void **state)
{
  (void)state;
  kh_keytable *table = table_after("1;1;retired\n1;3;" B16, NULL);
  assert_null(kh_keytable_find(table, 1, 1));
  assert_int_equal(kh_keytable_version_count(table), 1);
  kh_keytable_free(&table);
}

static void no_memory_for_what_is_kept(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *known = rotation_table_of("1;" A16 "\n1;3;" B16);
  kh_keytable *table = NULL;
  assert_int_equal(parse("1;1;retired\n1;3;" B16, &list, NULL), KH_OK);
  no_memory = true;
  kh_status status = kh_keytable_new_after(list, known, &table);
  no_memory = false;
  assert_int_equal(status, KH_E_NO_MEMORY);
  assert_null(table);
  kh_keytable_free(&known);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_that_retire),
      cmocka_unit_test(lines_that_are_refused),
      cmocka_unit_test(no_memory_for_what_is_retired),
      cmocka_unit_test(a_table_knows_what_is_retired),
      cmocka_unit_test(tables_that_may_follow),
      cmocka_unit_test(a_running_server_keeps_what_is_retired),
      cmocka_unit_test(the_latest_version_in_use_is_not_retired),
      cmocka_unit_test(a_server_that_starts_keeps_nothing),
      cmocka_unit_test(no_memory_for_what_is_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
