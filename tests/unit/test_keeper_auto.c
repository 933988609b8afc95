/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread that waits for changes to settle */
/* What the keeper's thread does automatically. Nothing is timed: each test waits for an event, or
 * makes another event happen first. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines.h"
#include "files.h"
#include "keepers.h"
#include "tasks.h"
#include "unit.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f"
#define KEY_B "101112131415161718191a1b1c1d1e1f"

static char path[1024];
static atomic_bool up;
static atomic_uint warnings;
static char last_warning[KH_MESSAGE_MAX];
static char last_note[KH_MESSAGE_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_up(void *user)
{
  (void)user;
  return atomic_load(&up);
}

static void hear(void *user, kh_severity severity, const char *message)
{
  (void)user;
  pthread_mutex_lock(&mutex);
  snprintf(severity == KH_LOG_WARNING ? last_warning : last_note, KH_MESSAGE_MAX, "%s", message);
  pthread_mutex_unlock(&mutex);
  if (severity == KH_LOG_WARNING)
    atomic_fetch_add(&warnings, 1);
}

static const kh_log hearing = {hear, NULL};

static bool warned_of(const char *part)
{
  pthread_mutex_lock(&mutex);
  bool found = strstr(last_warning, part) != NULL;
  pthread_mutex_unlock(&mutex);
  return found;
}

static kh_keeper *keeper_of(const char *text, kh_keeper_background wanted)
{
  kh_keeper *keeper = NULL;
  kh_fault fault;
  snprintf(path, sizeof path, "%s", test_text("keys.txt", text, 0600));
  kh_keeper_options options = keeper_options(hearing);
  options.is_up = is_up;
  assert_int_equal(file_keeper_new(path, test_engines, &options, &keeper, &fault), KH_OK);
  assert_int_equal(kh_keeper_set_background(keeper, wanted), KH_OK);
  return keeper;
}

static void await_warning(const char *part)
{
  assert_true(TEST_COMES(warned_of(part)));
}

static int reset(void **state)
{
  atomic_store(&up, true);
  atomic_store(&warnings, 0);
  last_warning[0] = '\0';
  return keeper_reset_clock(state);
}

static const kh_keeper_background reloads = {.reload = true};
static const kh_keeper_background rotates = {.rotate = true};

static void a_file_that_is_renamed_into_place(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n", reloads);
  char new_path[1024];
  snprintf(new_path, sizeof new_path, "%s",
           test_text("keys.new", "1;" KEY_A "\n1;3;" KEY_B "\n", 0600));
  assert_int_equal(rename(new_path, path), 0);
  keeper_await_latest(keeper, 1, 3);
  kh_keeper_free(&keeper);
}

static void a_file_that_is_deleted(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n", reloads);
  assert_int_equal(unlink(path), 0);
  await_warning("not found (Errcode: 2 \"No such file or directory\"); do not restart the server");
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_false(stats.last_reload_ok);
  assert_int_equal(stats.failures, 1);
  assert_non_null(strstr(stats.last_result, "not found"));
  (void)test_text("keys.txt", "1;" KEY_A "\n", 0600);
  assert_true(TEST_COMES(kh_keeper_get_stats(keeper).last_reload_ok));
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  kh_keeper_free(&keeper);
}

/* an editor that writes in place: an intermediate state is refused, or waited for */
static void a_half_written_file_is_tried_again(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n2;" KEY_A "\n", reloads);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("1;" KEY_A "\n1;3;1011", file);
  fflush(file);
  await_warning("keys.txt line 2");
  assert_int_equal(keeper_latest(keeper, 1), 1);
  fputs("12131415161718191a1b1c1d1e1f\n", file);
  fflush(file);
  await_warning("Key id 2 version 1 is missing in");
  assert_int_equal(keeper_latest(keeper, 1), 1);
  fputs("2;" KEY_A "\n", file);
  fclose(file);
  keeper_await_latest(keeper, 1, 3);
  assert_string_equal(kh_keeper_get_stats(keeper).last_result, "ok");
  kh_keeper_free(&keeper);
}

/* half of a key of 256 bits is a key of 128 bits: only the line end tells */
static void a_last_line_without_its_end_is_waited_for(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n", reloads);
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  fputs("1;3;" KEY_B, file);
  fflush(file);
  await_warning("has no line end");
  assert_int_equal(keeper_latest(keeper, 1), 1);
  fputs(KEY_B "\n", file);
  fclose(file);
  keeper_await_latest(keeper, 1, 3);
  kh_keeper_free(&keeper);
}

/* a Kubernetes secret: keys.txt -> ..data/keys.txt, ..data -> a folder; ..data is replaced */
static void a_folder_that_is_exchanged_by_a_link(void **state)
{
  (void)state;
  char mount[512];
  kh_keeper *keeper = NULL;
  kh_fault fault;
  snprintf(mount, sizeof mount, "%s", test_path("mount"));
  test_run("mkdir -p '%s'/..1 '%s'/..2 && ln -s ..1 '%s'/..data && ln -s ..data/keys.txt "
           "'%s'/keys.txt",
           mount, mount, mount, mount);
  test_run("echo '1;" KEY_A "' >'%s'/..1/keys.txt; (cat '%s'/..1/keys.txt; echo '1;5;" KEY_B
           "') >'%s'/..2/keys.txt; chmod 600 '%s'/..?/keys.txt",
           mount, mount, mount, mount);
  snprintf(path, sizeof path, "%s/keys.txt", mount);
  kh_keeper_options options = keeper_options(hearing);
  assert_int_equal(file_keeper_new(path, test_engines, &options, &keeper, &fault), KH_OK);
  assert_int_equal(kh_keeper_set_background(keeper, reloads), KH_OK);
  test_run("ln -s ..2 '%s'/..data_tmp && mv -T '%s'/..data_tmp '%s'/..data && rm -r '%s'/..1",
           mount, mount, mount, mount);
  keeper_await_latest(keeper, 1, 5);
  kh_keeper_free(&keeper);
}

static void a_task_can_be_ended_and_begun(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n", (kh_keeper_background){0});
  test_text("keys.txt", "1;" KEY_A "\n1;3;" KEY_B "\n", 0600);
  test_pause(1200);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  assert_int_equal(kh_keeper_set_background(keeper, reloads), KH_OK);
  keeper_await_latest(keeper, 1, 3);
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){0}), KH_OK);
  test_pause(100);
  test_text("keys.txt", "1;" KEY_A "\n1;3;" KEY_B "\n1;5;" KEY_A "\n", 0600);
  test_pause(1200);
  assert_int_equal(keeper_latest(keeper, 1), 3);
  kh_keeper_free(&keeper);
}

static void nothing_begins_before_the_process_is_up(void **state)
{
  (void)state;
  atomic_store(&up, false);
  kh_keeper *keeper = keeper_of("1;" KEY_A ";rotate=1s\n", rotates);
  test_pause(1200);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  atomic_store(&up, true);
  keeper_await_latest(keeper, 1, 3);
  kh_keeper_free(&keeper);
}

static void a_key_is_rotated_once_an_interval(void **state)
{
  (void)state;
  /* created at 1000000000; 5 minutes have no whole second of jitter below 30 */
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n2;" KEY_B ";created=2001-09-09T01:46:40Z;rotate=5m\n"
                                "3;" KEY_B ";created=2001-09-09T01:46:40Z;rotate=1d\n",
                                (kh_keeper_background){0});
  assert_int_equal(kh_keeper_get_stats(keeper).next_rotation, 1000000300);
  atomic_store(&keeper_now, 1000000299);
  assert_int_equal(kh_keeper_set_background(keeper, rotates), KH_OK);
  test_pause(300);
  assert_int_equal(keeper_latest(keeper, 2), 1);
  atomic_store(&keeper_now, 1000000331);
  assert_int_equal(kh_keeper_set_background(keeper, rotates), KH_OK); /* wakes it */
  keeper_await_latest(keeper, 2, 3);
  kh_keeper_free(&keeper);

  /* the version stays the same, however often the process restarts */
  for (int i = 0; i < 3; i++) {
    kh_fault fault;
    kh_keeper_options options = keeper_options(hearing);
    assert_int_equal(file_keeper_new(path, test_engines, &options, &keeper, &fault), KH_OK);
    assert_int_equal(kh_keeper_get_stats(keeper).next_rotation, 1000000331 + 300);
    assert_int_equal(kh_keeper_set_background(keeper, rotates), KH_OK);
    test_pause(200);
    assert_int_equal(keeper_latest(keeper, 2), 3);
    assert_int_equal(keeper_latest(keeper, 1), 1);
    assert_int_equal(keeper_latest(keeper, 3), 1);
    kh_keeper_free(&keeper);
  }
}

/* a reload tells the thread of new keys */
static void a_new_key_that_is_due_is_not_waited_for(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n", rotates);
  test_pause(300); /* the thread has checked, and sleeps for a minute */
  test_text("keys.txt", "1;" KEY_A "\n2;" KEY_B ";rotate=5m\n", 0600);
  kh_keeper_token token;
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  kh_keeper_commit(keeper, token);
  keeper_await_latest(keeper, 2, 3);
  kh_keeper_free(&keeper);
}

/* two servers, one file, both due at once: one of them makes the version and both have it */
static void two_keepers_make_one_version(void **state)
{
  (void)state;
  kh_keeper *one = keeper_of("1;" KEY_A ";rotate=1h\n", (kh_keeper_background){0});
  kh_keeper *two = NULL;
  kh_fault fault;
  kh_keeper_options options = keeper_options(hearing);
  assert_int_equal(file_keeper_new(path, test_engines, &options, &two, &fault), KH_OK);
  assert_int_equal(kh_keeper_set_background(one, rotates), KH_OK);
  assert_int_equal(kh_keeper_set_background(two, rotates), KH_OK);
  keeper_await_latest(one, 1, 3);
  keeper_await_latest(two, 1, 3);
  assert_int_equal(kh_keeper_get_stats(one).rotations + kh_keeper_get_stats(two).rotations, 1);
  kh_keeper_free(&one);
  kh_keeper_free(&two);
}

static void a_failed_rotation_is_logged_once_and_tried_again(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A ";rotate=1h\n", (kh_keeper_background){0});
  test_text("keys.txt", "1;" KEY_B ";rotate=1h\n", 0600);
  assert_int_equal(kh_keeper_set_background(keeper, rotates), KH_OK);
  await_warning("keys due for rotation were not rotated: Line 1 of '");
  for (int i = 0; i < 5; i++) {
    assert_int_equal(kh_keeper_set_background(keeper, rotates), KH_OK);
    test_pause(50);
  }
  assert_int_equal(atomic_load(&warnings), 1);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  kh_keeper_free(&keeper);
}

/* An editor is writing while a key is due: half a key is not loaded, and the file is not replaced
 * during the edit. A file that was loaded without its last line end is rotated. */
static void a_file_that_is_being_written_is_not_rotated(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A ";rotate=1h", (kh_keeper_background){0});
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  fputs("\n2;3;" KEY_B, file);
  fflush(file);
  assert_int_equal(kh_keeper_set_background(keeper, rotates), KH_OK);
  await_warning("has no line end");
  assert_int_equal(keeper_latest(keeper, 1), 1);
  assert_int_equal(keeper_latest(keeper, 2), 0);
  fclose(file);
  kh_keeper_free(&keeper);

  keeper = keeper_of("1;" KEY_A ";rotate=1h", rotates);
  keeper_await_latest(keeper, 1, 3);
  kh_keeper_free(&keeper);
}

/* The server has a thread of its own for signals. */
static void the_thread_takes_no_signals(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n", reloads);
  uint64_t blocked = 0;
  assert_true(TEST_COMES(test_tasks("keyhold", &blocked) == 1));
  assert_true(blocked & (1ULL << (SIGTERM - 1)));
  assert_true(blocked & (1ULL << (SIGHUP - 1)));
  assert_true(blocked & (1ULL << (SIGUSR1 - 1)));
  kh_keeper_free(&keeper);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_file_that_is_renamed_into_place, reset),
      cmocka_unit_test_setup(a_file_that_is_deleted, reset),
      cmocka_unit_test_setup(a_half_written_file_is_tried_again, reset),
      cmocka_unit_test_setup(a_last_line_without_its_end_is_waited_for, reset),
      cmocka_unit_test_setup(a_folder_that_is_exchanged_by_a_link, reset),
      cmocka_unit_test_setup(a_task_can_be_ended_and_begun, reset),
      cmocka_unit_test_setup(nothing_begins_before_the_process_is_up, reset),
      cmocka_unit_test_setup(a_key_is_rotated_once_an_interval, reset),
      cmocka_unit_test_setup(a_new_key_that_is_due_is_not_waited_for, reset),
      cmocka_unit_test_setup(two_keepers_make_one_version, reset),
      cmocka_unit_test_setup(a_failed_rotation_is_logged_once_and_tried_again, reset),
      cmocka_unit_test_setup(a_file_that_is_being_written_is_not_rotated, reset),
      cmocka_unit_test_setup(the_thread_takes_no_signals, reset),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
