/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "cli/args/nearest.h"
#include "unit.h"

static size_t distance(const char *a, const char *b)
{
  size_t there = kh_cli_distance(a, strlen(a), b, strlen(b));
  assert_int_equal(there, kh_cli_distance(b, strlen(b), a, strlen(a)));
  return there;
}

static void distances(void **state)
{
  (void)state;
  assert_int_equal(distance("", ""), 0);
  assert_int_equal(distance("", "list"), 4);
  assert_int_equal(distance("list", "list"), 0);
  assert_int_equal(distance("lst", "list"), 1);
  assert_int_equal(distance("lisst", "list"), 1);
  assert_int_equal(distance("lost", "list"), 1);
  assert_int_equal(distance("lsit", "list"), 1);
  assert_int_equal(distance("tsil", "list"), 3);
  assert_int_equal(distance("fromat", "format"), 1);
  assert_int_equal(distance("formta", "format"), 1);
  char longest[KH_CLI_NAME_MAX];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  assert_int_equal(distance(longest, ""), KH_CLI_NAME_MAX - 1);
}

static const char *nearest_of(const char *word, const char *const *names, size_t count)
{
  static kh_cli_nearest nearest;
  nearest = (kh_cli_nearest){.word = word};
  for (size_t i = 0; i < count; i++)
    kh_cli_nearest_try(&nearest, names[i], strlen(names[i]));
  return nearest.name;
}

static void names_that_are_near(void **state)
{
  (void)state;
  static const char *const names[] = {"create", "list", "check", "convert", "slot list"};
  static const char *const cases[][2] = {
      {"lst", "list"},    {"crate", "create"},       {"cretae", "create"},
      {"con", "convert"}, {"ch", "check"},           {"chekc", "check"},
      {"list", "list"},   {"slot lst", "slot list"}, {"convetr", "convert"},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_string_equal(nearest_of(cases[i][0], names, COUNT(names)), cases[i][1]);
}

static void names_that_are_not_near(void **state)
{
  (void)state;
  static const char *const names[] = {"create", "list", "check", "convert", "a", ""};
  static const char *const words[] = {"", "c", "x", "b", "lots", "lxxt", "cxxxte", "CREATE"};
  for (size_t i = 0; i < COUNT(words); i++)
    assert_string_equal(nearest_of(words[i], names, COUNT(names)), "");
}

static void the_nearest_of_several(void **state)
{
  (void)state;
  static const char *const names[] = {"passphrase-fd", "passphrase-file", "passes"};
  assert_string_equal(nearest_of("passphrase-fle", names, COUNT(names)), "passphrase-file");
  assert_string_equal(nearest_of("passphrase-f", names, COUNT(names)), "passphrase-fd");
  assert_string_equal(nearest_of("pases", names, COUNT(names)), "passes");
}

static void a_part_of_a_text_as_the_name(void **state)
{
  (void)state;
  kh_cli_nearest nearest = {.word = "slto"};
  kh_cli_nearest_try(&nearest, "slot list", 4);
  assert_string_equal(nearest.name, "slot");
}

static void the_longest_names(void **state)
{
  (void)state;
  char word[KH_CLI_NAME_MAX + 1];
  char name[KH_CLI_NAME_MAX + 1];
  memset(word, 'x', sizeof word);
  memset(name, 'x', sizeof name);
  name[0] = 'y';
  word[KH_CLI_NAME_MAX - 1] = name[KH_CLI_NAME_MAX - 1] = '\0';
  kh_cli_nearest nearest = {.word = word};
  kh_cli_nearest_try(&nearest, name, strlen(name));
  assert_string_equal(nearest.name, name);
  name[KH_CLI_NAME_MAX - 1] = 'x';
  nearest = (kh_cli_nearest){.word = word};
  kh_cli_nearest_try(&nearest, name, KH_CLI_NAME_MAX);
  assert_string_equal(nearest.name, "");
  word[KH_CLI_NAME_MAX - 1] = 'x';
  word[KH_CLI_NAME_MAX] = '\0';
  kh_cli_nearest_try(&nearest, name, KH_CLI_NAME_MAX - 1);
  assert_string_equal(nearest.name, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances),
      cmocka_unit_test(names_that_are_near),
      cmocka_unit_test(names_that_are_not_near),
      cmocka_unit_test(the_nearest_of_several),
      cmocka_unit_test(a_part_of_a_text_as_the_name),
      cmocka_unit_test(the_longest_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
