/* SPDX-License-Identifier: GPL-2.0-only */
/* SET GLOBAL: reload, rotate_key, auto_reload and auto_rotate, as a server, as mariadb-backup
 * (compiled with TEST_AS_BACKUP) and as --help and --bootstrap see them. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "plugin.h"
#include "tasks.h"
#include "unit.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f"
#define KEY_B "101112131415161718191a1b1c1d1e1f"

/* what the plugin looks for in its process; the program exports them */
#define EXPORTED __attribute__((visibility("default")))
EXPORTED char mysqld_server_started;
EXPORTED char opt_help;
EXPORTED char opt_bootstrap;
#ifdef TEST_AS_BACKUP
EXPORTED char xtrabackup_backup;
#endif

static bool no_threads;

/* The plugin finds this one, since the program exports it. */
EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                            void *(*start)(void *), void *argument)
{
  int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  return no_threads ? EAGAIN : real(thread, attributes, start, argument);
}

static test_plugin loaded;
static char path[1024];

static void write_keys(const char *text)
{
  snprintf(path, sizeof path, "%s", test_text("keys.txt", text, 0600));
}

static void assert_latest(unsigned id, unsigned version)
{
  assert_int_equal(loaded.methods->get_latest_key_version(id), version);
}

static unsigned threads(void)
{
  return test_tasks("keyhold", NULL);
}

static void run(const char *text)
{
  write_keys(text);
  plugin_run_file(&loaded, path, "", 0);
}

static int stop(void **state)
{
  (void)state;
  plugin_close(&loaded, true);
  mysqld_server_started = opt_help = opt_bootstrap = 0;
  no_threads = false;
  return 0;
}

static bool set(const char *name, long long number)
{
  return plugin_set_checked(&loaded, name, NULL, number, false);
}

static void reload_reads_the_file(void **state)
{
  (void)state;
  static const char *const on[] = {"ON", "true", "1"};
  char text[1024] = "1;" KEY_A "\n";
  run(text);
  for (unsigned i = 0; i < COUNT(on); i++) {
    snprintf(text + strlen(text), 128, "%u;" KEY_B "\n", i + 10);
    write_keys(text);
    assert_latest(i + 10, ENCRYPTION_KEY_VERSION_INVALID);
    assert_true(plugin_set_checked(&loaded, "reload", on[i], 0, false));
    assert_latest(i + 10, 1);
    assert_int_equal(plugin_get(&loaded, "reload"), 0);
  }
  assert_true(plugin_must_say("reloaded: 4 keys with 4 versions; new: key id 12 version 1\n"));
  strcat(text, "20;" KEY_B "\n");
  write_keys(text);
  assert_true(set("reload", 0));
  assert_true(plugin_set_checked(&loaded, "reload", "off", 0, false));
  assert_latest(20, ENCRYPTION_KEY_VERSION_INVALID);
  assert_true(set("reload", 1));
  assert_latest(20, 1);
  assert_int_equal(plugin_heard_now.errors, 0);
  /* that each of the four ids was asked for in vain, and that it came */
  assert_int_equal(plugin_heard_now.warnings, 8);
}

static void a_value_that_is_not_a_switch_is_refused(void **state)
{
  (void)state;
  run("1;" KEY_A "\n");
  assert_false(set("reload", 2));
  assert_false(set("reload", -1));
  assert_false(plugin_set_checked(&loaded, "reload", "maybe", 0, false));
  assert_false(plugin_set_checked(&loaded, "reload", "", 0, false));
}

static void a_bad_file_is_refused_and_nothing_changes(void **state)
{
  (void)state;
  run("1;" KEY_A "\n2;" KEY_B "\n");
  write_keys("1;" KEY_A "\n");
  assert_false(set("reload", 1));
  assert_int_equal(plugin_heard_now.errors, 1);
  assert_true(plugin_must_say("the key file was not reloaded: Key id 2 version 1 is missing in '"));
  assert_latest(2, 1);
  remove(path);
  assert_false(set("reload", 1));
  assert_int_equal(plugin_heard_now.errors, 2);
  assert_int_equal(plugin_heard_now.last_error, 29);
  assert_latest(2, 1);
}

static void rotate_key_makes_versions(void **state)
{
  (void)state;
  unsigned char key[32];
  unsigned length = sizeof key;
  run("1;" KEY_A "\n4294967295;" KEY_B KEY_A "\n");
  assert_true(set("rotate_key", 4294967295LL));
  assert_latest(1, 1);
  assert_latest(4294967295u, 3);
  assert_int_equal(loaded.methods->get_key(4294967295u, 3, key, &length), 0);
  assert_int_equal(length, 32);
  assert_true(set("rotate_key", -1));
  assert_latest(1, 3);
  assert_latest(4294967295u, 5);
  assert_true(set("rotate_key", 0));
  assert_latest(1, 3);
  assert_int_equal(plugin_get(&loaded, "rotate_key"), 0);
  assert_true(
      plugin_must_say("rotated: 2 keys with 3 versions; new: key id 4294967295 version 3\n"));
  assert_int_equal(plugin_heard_now.errors, 0);
}

static void a_value_that_is_not_a_key_id_is_refused(void **state)
{
  (void)state;
  run("1;" KEY_A "\n");
  assert_false(set("rotate_key", -2));
  assert_false(set("rotate_key", 4294967296LL));
  /* 18446744073709551615 arrives as -1 */
  assert_false(plugin_set_checked(&loaded, "rotate_key", NULL, -1, true));
  assert_int_equal(plugin_heard_now.errors, 3);
  assert_true(plugin_must_say("rotate_key (expected a key id from 1 to 4294967295, or -1"));
  assert_false(plugin_set_checked(&loaded, "rotate_key", "1", 1, false));
  assert_false(set("rotate_key", 2));
  assert_true(plugin_must_say("the key was not rotated: No key id 2 in '"));
  assert_latest(1, 1);
}

/* an update that the server omits, because another variable of the statement failed */
static void a_check_alone_changes_nothing_that_is_seen(void **state)
{
  (void)state;
  run("1;" KEY_A "\n2;" KEY_B "\n");
  assert_true(plugin_set_half(&loaded, "rotate_key", 1));
  assert_latest(1, 1);
  assert_true(set("rotate_key", 2));
  assert_latest(1, 3);
  assert_latest(2, 3);
}

/* two sessions, whose checks and updates the server runs in any order */
static void each_session_commits_what_it_prepared(void **state)
{
  (void)state;
  plugin_saved one;
  plugin_saved two;
  run("1;" KEY_A "\n2;" KEY_B "\n");
  assert_true(plugin_check(&loaded, "rotate_key", 1, &one));
  assert_true(plugin_check(&loaded, "rotate_key", 2, &two));
  plugin_update(&loaded, "rotate_key", &one);
  assert_latest(1, 3);
  assert_latest(2, 1);
  plugin_update(&loaded, "rotate_key", &two);
  assert_latest(1, 3);
  assert_latest(2, 3);
  assert_true(plugin_check(&loaded, "rotate_key", 1, &one));
  assert_true(plugin_check(&loaded, "reload", 1, &two));
  plugin_update(&loaded, "reload", &two);
  assert_latest(1, 5);
  plugin_update(&loaded, "rotate_key", &one);
  assert_latest(1, 5);
  assert_latest(2, 3);
  assert_int_equal(plugin_heard_now.errors, 0);
  assert_int_equal(plugin_heard_now.warnings, 0);
}

/* What was prepared and omitted may have left the file again when a statement sets "nothing", as
 * DEFAULT does too: the server calls no check function for it. */
static void nothing_puts_nothing_in_force(void **state)
{
  (void)state;
  run("1;" KEY_A "\n2;" KEY_B "\n");
  assert_true(plugin_set_half(&loaded, "rotate_key", 1));
  write_keys("1;" KEY_A "\n2;" KEY_B "\n");
  assert_true(set("rotate_key", 0));
  assert_latest(1, 1);
  assert_true(set("reload", 0));
  assert_latest(1, 1);
  assert_true(plugin_set_checked(&loaded, "reload", "OFF", 0, false));
  assert_latest(1, 1);
  plugin_set_default(&loaded, "rotate_key");
  plugin_set_default(&loaded, "reload");
  assert_latest(1, 1);
}

/* at the start, at a reload and at a rotation */
static void strict_permissions_hold_for_as_long_as_it_runs(void **state)
{
  (void)state;
  write_keys("1;" KEY_A "\n");
  assert_int_equal(chmod(path, 0604), 0);
  plugin_open(&loaded, "file");
  plugin_set_string(&loaded, "filename", path);
  plugin_set_bool(&loaded, "strict_permissions", true);
  assert_false(plugin_start(&loaded));
  assert_true(plugin_must_say(
      "keys.txt' is refused by strict_permissions: it has mode 0604 and is owned by user "));
  assert_int_equal(chmod(path, 0640), 0);
  assert_true(plugin_start(&loaded));
  assert_true(set("reload", 1));
  assert_true(set("rotate_key", 1));
  assert_latest(1, 3);
  assert_int_equal(chmod(path, 0620), 0);
  plugin_quiet();
  assert_false(set("reload", 1));
  assert_true(plugin_must_say("the key file was not reloaded: File '"));
  assert_false(set("rotate_key", 1));
  assert_true(plugin_must_say("the key was not rotated: File '"));
  assert_int_equal(plugin_heard_now.errors, 2);
  assert_int_equal(plugin_heard_now.warnings, 0);
  assert_latest(1, 3);
}

static void values_from_an_option_file_do_nothing(void **state)
{
  (void)state;
  write_keys("1;" KEY_A "\n");
  plugin_open(&loaded, "file");
  plugin_set_string(&loaded, "filename", path);
  plugin_set_bool(&loaded, "reload", true);
  plugin_set_longlong(&loaded, "rotate_key", -1);
  assert_true(plugin_start(&loaded));
  assert_latest(1, 1);
  assert_int_equal(plugin_get(&loaded, "reload"), 0);
  assert_int_equal(plugin_get(&loaded, "rotate_key"), 0);
}

static void run_in_background(void)
{
  write_keys("1;" KEY_A ";rotate=1s;created=2026-01-01\n");
  plugin_open(&loaded, "file");
  plugin_set_string(&loaded, "filename", path);
  plugin_set_bool(&loaded, "auto_reload", true);
  plugin_set_bool(&loaded, "auto_rotate", true);
  assert_true(plugin_start(&loaded));
}

#ifndef TEST_AS_BACKUP
static void await_latest_above(unsigned id, unsigned version)
{
  for (int i = 0; i < 3000 && loaded.methods->get_latest_key_version(id) <= version; i++)
    test_pause(10);
  assert_true(loaded.methods->get_latest_key_version(id) > version);
}

static void a_server_rotates_when_it_has_started(void **state)
{
  (void)state;
  run_in_background();
  assert_true(TEST_COMES(threads() == 1));
  test_pause(1200);
  assert_latest(1, 1);
  __atomic_store_n(&mysqld_server_started, 1, __ATOMIC_RELEASE);
  await_latest_above(1, 1);
}

static void tasks_can_be_set_while_it_runs(void **state)
{
  (void)state;
  mysqld_server_started = 1;
  run("1;" KEY_A ";rotate=1s;created=2026-01-01\n");
  assert_true(TEST_COMES(threads() == 1)); /* it looks at the key file without both */
  assert_true(set("auto_rotate", 1));
  assert_int_equal(plugin_get(&loaded, "auto_rotate"), 1);
  await_latest_above(1, 1);
  assert_true(set("auto_rotate", 0));
  assert_true(set("auto_reload", 1));
  assert_true(TEST_COMES(threads() == 1));
}

static void a_start_names_a_cipher_that_shows_the_redo_log(void **state)
{
  (void)state;
  static const char note[] = "/keys.txt' has the cipher aes-cbc: the server repeats IVs";
  run("1;" KEY_A "\n");
  assert_true(plugin_must_say(note));
  plugin_close(&loaded, true);
  plugin_quiet();
  opt_bootstrap = 1;
  run("1;" KEY_A "\n");
  assert_false(plugin_said(note));
  plugin_close(&loaded, true);
  opt_bootstrap = 0;
  run("1;" KEY_A KEY_B ";cipher=aes256-xts\n");
  assert_false(plugin_said("has the cipher"));
  plugin_close(&loaded, true);
  plugin_quiet();
  run("1;" KEY_A "\n1;3;" KEY_A KEY_B ";cipher=aes256-xts\n");
  assert_true(plugin_must_say("Key id 1 version 1 of '"));
  assert_true(plugin_must_say("has the cipher aes-cbc: the redo log and Aria tables may use this"));
  plugin_close(&loaded, true);
  plugin_quiet();
  run("1;1;retired\n1;3;" KEY_A KEY_B ";cipher=aes256-xts\n");
  assert_false(plugin_said("has the cipher"));
}

/* at the start, and when they are set later */
static void variables_are_off_without_a_thread(void **state)
{
  (void)state;
  static const char said[] = "auto_reload and auto_rotate cannot start their thread: ";
  mysqld_server_started = 1;
  no_threads = true;
  run_in_background();
  assert_true(plugin_must_say(said));
  assert_true(plugin_must_say("both are OFF"));
  assert_int_equal(plugin_get(&loaded, "auto_reload"), 0);
  assert_int_equal(plugin_get(&loaded, "auto_rotate"), 0);
  assert_true(set("auto_reload", 1));
  assert_int_equal(plugin_get(&loaded, "auto_reload"), 0);
  no_threads = false;
  assert_true(set("auto_reload", 1));
  assert_int_equal(plugin_get(&loaded, "auto_reload"), 1);
  assert_true(TEST_COMES(threads() == 1));
}

static void nothing_goes_on(const char *text)
{
  run_in_background();
  assert_true(set("auto_rotate", 1));
  assert_true(TEST_COMES(threads() == 0));
  test_pause(1200);
  assert_latest(1, 1);
  assert_true(plugin_must_say(text));
}

static void help_and_bootstrap_do_not_count_as_servers(void **state)
{
  (void)state;
  mysqld_server_started = 1;
  opt_help = 1;
  nothing_goes_on("1 key with 1 version");
  plugin_close(&loaded, true);
  opt_help = 0;
  opt_bootstrap = 1;
  nothing_goes_on("1 key with 1 version");
}
#else
static void mariadb_backup_does_not_count_as_a_server(void **state)
{
  (void)state;
  mysqld_server_started = 1;
  run_in_background();
  assert_true(TEST_COMES(threads() == 0));
  test_pause(1200);
  assert_latest(1, 1);
}
#endif

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(reload_reads_the_file, stop),
      cmocka_unit_test_teardown(a_value_that_is_not_a_switch_is_refused, stop),
      cmocka_unit_test_teardown(a_bad_file_is_refused_and_nothing_changes, stop),
      cmocka_unit_test_teardown(rotate_key_makes_versions, stop),
      cmocka_unit_test_teardown(a_value_that_is_not_a_key_id_is_refused, stop),
      cmocka_unit_test_teardown(a_check_alone_changes_nothing_that_is_seen, stop),
      cmocka_unit_test_teardown(each_session_commits_what_it_prepared, stop),
      cmocka_unit_test_teardown(nothing_puts_nothing_in_force, stop),
      cmocka_unit_test_teardown(strict_permissions_hold_for_as_long_as_it_runs, stop),
      cmocka_unit_test_teardown(values_from_an_option_file_do_nothing, stop),
#ifndef TEST_AS_BACKUP
      cmocka_unit_test_teardown(a_server_rotates_when_it_has_started, stop),
      cmocka_unit_test_teardown(tasks_can_be_set_while_it_runs, stop),
      cmocka_unit_test_teardown(a_start_names_a_cipher_that_shows_the_redo_log, stop),
      cmocka_unit_test_teardown(variables_are_off_without_a_thread, stop),
      cmocka_unit_test_teardown(help_and_bootstrap_do_not_count_as_servers, stop),
#else
      cmocka_unit_test_teardown(mariadb_backup_does_not_count_as_a_server, stop),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
