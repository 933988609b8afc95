/* SPDX-License-Identifier: GPL-2.0-only */
/* The progress that `keyhold watch` computes from a server's numbers. */
#include <string.h>

#include "cli/server/progress.h"
#include "unit.h"

static kh_cli_tablespaces tablespaces_of(kh_cli_tablespace *at, size_t count)
{
  return (kh_cli_tablespaces){
      .at = at, .count = count, .rotate_key_age = 1, .threads = 1, .encrypts = true};
}

/* of 10 pages, not moving */
#define ENCRYPTED(least, current)                                                                  \
  {                                                                                                \
    .is_encrypted = true, .pages = 10, .least_version = (least), .current_version = (current)      \
  }

/* of 1000 pages, moving */
#define MOVING(least, current, at, of)                                                             \
  {                                                                                                \
    .is_encrypted = true, .is_moving = true, .pages = 1000, .least_version = (least),              \
    .current_version = (current), .position = (at), .end = (of)                                    \
  }

static const struct {
  kh_cli_tablespace tablespace;
  uint32_t age;
  kh_cli_tablespace_state state;
  uint64_t done;
} cases[] = {
    /* not encrypted, and being encrypted */
    {{.pages = 10}, 1, KH_CLI_TABLESPACE_PLAIN, 10},
    {{.pages = 10, .current_version = 3, .is_encrypted = true}, 1, KH_CLI_TABLESPACE_WAITING, 0},
    {{.pages = 10, .current_version = 3, .is_moving = true}, 1, KH_CLI_TABLESPACE_MOVING, 0},
    {{.pages = 10, .current_version = 3, .is_encrypted = true}, 0, KH_CLI_TABLESPACE_WAITING, 0},
    /* not moving */
    {ENCRYPTED(3, 3), 1, KH_CLI_TABLESPACE_DONE, 10},
    {ENCRYPTED(1, 3), 1, KH_CLI_TABLESPACE_WAITING, 0},
    {ENCRYPTED(2, 3), 1, KH_CLI_TABLESPACE_STAYS, 0},
    {ENCRYPTED(1, 3), 2, KH_CLI_TABLESPACE_STAYS, 0},
    {ENCRYPTED(1, 4), 2, KH_CLI_TABLESPACE_WAITING, 0},
    {ENCRYPTED(1, 9), 0, KH_CLI_TABLESPACE_STAYS, 0},
    {ENCRYPTED(4294967293u, 4294967294u), 4294967295u, KH_CLI_TABLESPACE_STAYS, 0},
    {ENCRYPTED(1, KH_CLI_NO_VERSION), 1, KH_CLI_TABLESPACE_STAYS, 0},
    {ENCRYPTED(0, KH_CLI_NO_VERSION), 1, KH_CLI_TABLESPACE_STAYS, 0},
    /* moving */
    {MOVING(1, 3, 25, 100), 1, KH_CLI_TABLESPACE_MOVING, 250},
    {MOVING(1, 3, 150, 100), 1, KH_CLI_TABLESPACE_MOVING, 1000},
    {MOVING(3, 3, 5, 100), 1, KH_CLI_TABLESPACE_MOVING, 1000},
};

static void states_of_a_tablespace(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    kh_cli_tablespace tablespace = cases[i].tablespace;
    kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
    tablespaces.rotate_key_age = cases[i].age;
    print_message("%zu\n", i);
    assert_int_equal(kh_cli_tablespace_state_of(&tablespaces, &tablespace), cases[i].state);
    assert_int_equal(kh_cli_tablespace_done(&tablespaces, &tablespace), cases[i].done);
  }
}

/* of several reasons, the one to remove first */
static void reasons_why_a_tablespace_does_not_move(void **state)
{
  (void)state;
  static const struct {
    kh_cli_tablespace tablespace;
    uint32_t age, threads;
    bool encrypts;
    kh_cli_stop stop;
  } stops[] = {
      {ENCRYPTED(1, 3), 1, 1, true, KH_CLI_STOP_NONE},
      {ENCRYPTED(3, 3), 1, 0, false, KH_CLI_STOP_NONE},
      {MOVING(1, 3, 25, 100), 1, 0, false, KH_CLI_STOP_NONE},
      {{.pages = 10}, 1, 0, false, KH_CLI_STOP_NONE},
      {ENCRYPTED(1, 3), 1, 0, true, KH_CLI_STOP_THREADS},
      {ENCRYPTED(1, 3), 1, 0, false, KH_CLI_STOP_THREADS},
      {ENCRYPTED(1, 3), 1, 1, false, KH_CLI_STOP_OFF},
      {ENCRYPTED(1, 2), 1, 0, false, KH_CLI_STOP_AGE},
      {ENCRYPTED(1, 9), 0, 1, true, KH_CLI_STOP_AGE},
      {ENCRYPTED(1, KH_CLI_NO_VERSION), 1, 0, false, KH_CLI_STOP_KEY},
  };
  for (size_t i = 0; i < COUNT(stops); i++) {
    kh_cli_tablespace tablespace = stops[i].tablespace;
    kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
    tablespaces.rotate_key_age = stops[i].age;
    tablespaces.threads = stops[i].threads;
    tablespaces.encrypts = stops[i].encrypts;
    print_message("%zu\n", i);
    assert_int_equal(kh_cli_tablespace_stop_of(&tablespaces, &tablespace), stops[i].stop);
  }
}

static void totals(void **state)
{
  (void)state;
  kh_cli_tablespace at[] = {
      {.pages = 77}, /* not encrypted: not counted */
      {.is_encrypted = true, .pages = 100, .least_version = 3, .current_version = 3},
      {.is_encrypted = true, .pages = 200, .least_version = 1, .current_version = 3},
      {.is_encrypted = true, .pages = 400, .least_version = 2, .current_version = 3},
      {.is_encrypted = true,
       .pages = 800,
       .least_version = 2,
       .current_version = KH_CLI_NO_VERSION},
  };
  kh_cli_tablespaces tablespaces = tablespaces_of(at, COUNT(at));
  kh_cli_progress progress = {.pages = 0};
  kh_cli_progress_update(&progress, &tablespaces, 5);
  assert_int_equal(progress.pages, 1500);
  assert_int_equal(progress.done, 100);
  assert_int_equal(progress.staying, 1200);
  assert_int_equal(progress.unfinished, 1);
  assert_int_equal(progress.too_near, 1);
  assert_int_equal(progress.keyless, 1);
  assert_int_equal(progress.plain, 1);
  assert_true(progress.rate < 0);
  assert_true(kh_cli_progress_left(&progress) < 0);
}

static void no_time_is_left_if_all_is_done(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {
      .is_encrypted = true, .pages = 100, .least_version = 3, .current_version = 3};
  kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
  kh_cli_progress progress = {.pages = 0};
  kh_cli_progress_update(&progress, &tablespaces, 5);
  assert_int_equal(progress.unfinished, 0);
  assert_true(kh_cli_progress_left(&progress) == 0);
}

static void nothing_is_finished_while_a_tablespace_stays(void **state)
{
  (void)state;
  static const kh_cli_tablespace stays[] = {ENCRYPTED(1, 2), ENCRYPTED(1, KH_CLI_NO_VERSION)};
  for (size_t i = 0; i < COUNT(stays); i++) {
    kh_cli_tablespace at[] = {ENCRYPTED(3, 3), stays[i]};
    kh_cli_tablespaces tablespaces = tablespaces_of(at, COUNT(at));
    kh_cli_progress progress = {.pages = 0};
    kh_cli_progress_update(&progress, &tablespaces, 5);
    assert_int_equal(progress.unfinished, 0);
    assert_int_equal(kh_cli_progress_stays(&progress), 1);
    assert_false(kh_cli_progress_is_finished(&progress));
    assert_true(kh_cli_progress_left(&progress) < 0);
    tablespaces.count = 1;
    kh_cli_progress_update(&progress, &tablespaces, 6);
    assert_int_equal(kh_cli_progress_stays(&progress), 0);
    assert_true(kh_cli_progress_is_finished(&progress));
  }
}

/* the pages of a tablespace that stays are not waited for */
static void remaining_time_while_another_tablespace_stays(void **state)
{
  (void)state;
  kh_cli_tablespace at[] = {MOVING(1, 3, 100, 1000), ENCRYPTED(2, 3)};
  kh_cli_tablespaces tablespaces = tablespaces_of(at, COUNT(at));
  kh_cli_progress progress = {.pages = 0};
  at[1].pages = 5000;
  kh_cli_progress_update(&progress, &tablespaces, 10);
  at[0].position = 300;
  kh_cli_progress_update(&progress, &tablespaces, 12);
  assert_true(kh_cli_progress_left(&progress) > 6.9 && kh_cli_progress_left(&progress) < 7.1);
}

static void rate_and_remaining_time(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = MOVING(1, 3, 100, 1000);
  kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
  kh_cli_progress progress = {.pages = 0};
  kh_cli_progress_update(&progress, &tablespaces, 10);
  tablespace.position = 300;
  kh_cli_progress_update(&progress, &tablespaces, 12);
  assert_true(progress.rate > 99.9 && progress.rate < 100.1);
  assert_true(kh_cli_progress_left(&progress) > 6.9 && kh_cli_progress_left(&progress) < 7.1);
  tablespace.position = 500; /* the mean of 100 and 200 */
  kh_cli_progress_update(&progress, &tablespaces, 13);
  assert_true(progress.rate > 149.9 && progress.rate < 150.1);
  tablespace.position = 20; /* it starts again: the rate is never negative */
  kh_cli_progress_update(&progress, &tablespaces, 14);
  assert_true(progress.rate > 74.9 && progress.rate < 75.1);
  tablespace = (kh_cli_tablespace){
      .is_encrypted = true, .pages = 1000, .least_version = 3, .current_version = 3};
  kh_cli_progress_update(&progress, &tablespaces, 15);
  assert_true(kh_cli_progress_left(&progress) == 0);
}

static void no_remaining_time_at_a_rate_of_zero(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {
      .is_encrypted = true, .pages = 9, .least_version = 1, .current_version = 3};
  kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
  kh_cli_progress progress = {.pages = 0};
  kh_cli_progress_update(&progress, &tablespaces, 10);
  kh_cli_progress_update(&progress, &tablespaces, 11);
  assert_true(progress.rate == 0);
  assert_true(kh_cli_progress_left(&progress) < 0);
}

static void a_rate_needs_time_between_two_updates(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {.is_encrypted = true,
                                  .is_moving = true,
                                  .pages = 100,
                                  .least_version = 1,
                                  .current_version = 3,
                                  .end = 100};
  kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
  kh_cli_progress progress = {.pages = 0};
  kh_cli_progress_update(&progress, &tablespaces, 10);
  tablespace.position = 10;
  kh_cli_progress_update(&progress, &tablespaces, 10);
  assert_true(progress.rate < 0);
  kh_cli_progress_update(&progress, &tablespaces, 9);
  assert_true(progress.rate < 0);
  kh_cli_progress_update(&progress, &tablespaces, 10); /* nothing moves for a second */
  assert_true(progress.rate == 0);
  tablespace.position = 30; /* the mean of 0 and 20 */
  kh_cli_progress_update(&progress, &tablespaces, 11);
  assert_true(progress.rate > 9.9 && progress.rate < 10.1);
}

static void each_update_counts_again(void **state)
{
  (void)state;
  kh_cli_tablespace at[] = {
      {.pages = 77},
      {.is_encrypted = true, .pages = 200, .least_version = 1, .current_version = 3},
  };
  kh_cli_tablespaces tablespaces = tablespaces_of(at, COUNT(at));
  kh_cli_progress progress = {.pages = 0};
  for (int i = 1; i < 4; i++) {
    kh_cli_progress_update(&progress, &tablespaces, i);
    assert_int_equal(progress.plain, 1);
    assert_int_equal(progress.unfinished, 1);
    assert_int_equal(progress.pages, 200);
  }
  tablespaces.count = 0; /* they are dropped */
  kh_cli_progress_update(&progress, &tablespaces, 9);
  assert_int_equal(progress.plain + progress.unfinished + progress.pages + progress.done, 0);
  assert_true(kh_cli_progress_left(&progress) == 0);
}

/* the threads were stopped */
static void a_rate_near_zero(void **state)
{
  (void)state;
  kh_cli_tablespace tablespace = {.is_encrypted = true,
                                  .is_moving = true,
                                  .pages = 1000,
                                  .least_version = 1,
                                  .current_version = 3,
                                  .end = 1000};
  kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
  kh_cli_progress progress = {.pages = 0};
  kh_cli_progress_update(&progress, &tablespaces, 1);
  tablespace.position = 1;
  kh_cli_progress_update(&progress, &tablespaces, 2);
  for (int i = 3; i < 2000; i++) {
    kh_cli_progress_update(&progress, &tablespaces, i);
    double left = kh_cli_progress_left(&progress);
    assert_true(left < 0 ? i > 20 : left <= 3650.0 * 86400);
  }
  assert_true(kh_cli_progress_left(&progress) < 0);
}

static void assert_bar(const char *name, size_t width, uint64_t done, uint64_t pages,
                       const char *expected)
{
  assert_string_equal(kh_cli_progress_bar(name, width, done, pages).text, expected);
}

static void bars(void **state)
{
  (void)state;
  assert_bar("d/t", 5, 0, 100, "d/t   [....................]   0 %  0 of 100 pages");
  assert_bar("d/t", 3, 1, 3, "d/t [######..............]  33 %  1 of 3 pages");
  assert_bar("d/t", 3, 999, 1000, "d/t [###################.]  99 %  999 of 1000 pages");
  assert_bar("d/t", 3, 1000, 1000, "d/t [####################] 100 %  1000 of 1000 pages");
  assert_bar("d/t", 3, 0, 0, "d/t [####################] 100 %  0 of 0 pages");
}

static void lines_of_tablespaces_that_stay(void **state)
{
  (void)state;
  static const struct {
    uint32_t least, current, age;
    const char *text;
  } shown[] = {
      {1, 2, 1, "d/t   stays at key version 1 (current: 2); moves at 3"},
      {3, 5, 4, "d/t   stays at key version 3 (current: 5); moves at 8"},
      {4294967293u, 4294967294u, 4294967295u,
       "d/t   stays at key version 4294967293 (current: 4294967294); moves at 8589934589"},
      {1, 9, 0, "d/t   stays at key version 1 (current: 9)"},
      {6, KH_CLI_NO_VERSION, 1, "d/t   stays at key version 6; key id 3 is missing"},
  };
  for (size_t i = 0; i < COUNT(shown); i++) {
    kh_cli_tablespace tablespace = {.name = "d/t", .is_encrypted = true, .key_id = 3};
    kh_cli_tablespaces tablespaces = tablespaces_of(&tablespace, 1);
    tablespace.least_version = shown[i].least;
    tablespace.current_version = shown[i].current;
    tablespaces.rotate_key_age = shown[i].age;
    assert_string_equal(kh_cli_progress_stay(&tablespaces, &tablespace, 5).text, shown[i].text);
  }
}

static void names_that_are_too_long(void **state)
{
  (void)state;
  char name[KH_CLI_TABLESPACE_NAME_MAX];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  assert_bar("database/table", 14, 1, 1,
             "database/table [####################] 100 %  1 of 1 pages");
  assert_bar("database/table", 10, 1, 1, "dat...able [####################] 100 %  1 of 1 pages");
  kh_cli_line line = kh_cli_progress_bar(name, 28, UINT64_MAX / 2, UINT64_MAX);
  assert_non_null(strstr(line.text, "nnn...nnn"));
  assert_non_null(strstr(line.text, " of 18446744073709551615 pages"));
}

static void durations(void **state)
{
  (void)state;
  static const struct {
    double seconds;
    const char *text;
  } shown[] = {{0, "0 s"},           {0.4, "0 s"},          {59.4, "59 s"},
               {59.6, "1 min 0 s"},  {3599, "59 min 59 s"}, {3600, "1 h 0 min"},
               {90061, "25 h 1 min"}};
  for (size_t i = 0; i < COUNT(shown); i++)
    assert_string_equal(kh_cli_show_seconds(shown[i].seconds).text, shown[i].text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(states_of_a_tablespace),
      cmocka_unit_test(reasons_why_a_tablespace_does_not_move),
      cmocka_unit_test(totals),
      cmocka_unit_test(no_time_is_left_if_all_is_done),
      cmocka_unit_test(nothing_is_finished_while_a_tablespace_stays),
      cmocka_unit_test(remaining_time_while_another_tablespace_stays),
      cmocka_unit_test(rate_and_remaining_time),
      cmocka_unit_test(no_remaining_time_at_a_rate_of_zero),
      cmocka_unit_test(a_rate_needs_time_between_two_updates),
      cmocka_unit_test(each_update_counts_again),
      cmocka_unit_test(a_rate_near_zero),
      cmocka_unit_test(bars),
      cmocka_unit_test(lines_of_tablespaces_that_stay),
      cmocka_unit_test(names_that_are_too_long),
      cmocka_unit_test(durations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
