/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/file.h"
#include "unit.h"

enum { OTHER = 65534 }; /* nobody */

static char text[2 * KH_MESSAGE_MAX];

/* Returns the sentence of a failure, as a user without rights gets it. */
static const char *sentence(kh_status status, const char *path, int os_error)
{
  kh_fault fault;
  uid_t user = geteuid();
  assert_true(user != 0 || seteuid(OTHER) == 0);
  assert_int_equal(kh_file_fail(&fault, status, path, os_error), status);
  assert_int_equal(seteuid(user), 0);
  assert_int_equal(fault.status, status);
  assert_int_equal(fault.os_error, os_error);
  kh_fault_describe(&fault, text, sizeof text);
  return text;
}

static void expect(const char *part)
{
  if (strstr(text, part) == NULL)
    fail_msg("'%s' is not in: %s", part, text);
}

static void expect_user(const char *what)
{
  char part[64];
  snprintf(part, sizeof part, "uid %u", geteuid() == 0 ? OTHER : geteuid());
  if (strstr(text, part) == NULL)
    snprintf(part, sizeof part, "(uid %u)", geteuid() == 0 ? OTHER : geteuid());
  expect(part);
  expect(what);
}

static const char *tree(const char *name, mode_t file, mode_t folder)
{
  test_run("chmod -R u+rwx '%s' 2>/dev/null; rm -rf '%s'/* && chmod 755 '%s' && mkdir '%s'",
           test_path(""), test_path(""), test_path(""), test_path("folder"));
  const char *path = test_text("folder/keys", "1;x\n", file);
  test_run("chmod %04o '%s'", (unsigned)folder, test_path("folder"));
  return strcmp(name, "folder/keys") == 0 ? path : test_path(name);
}

static void a_folder_that_cannot_be_searched_is_named(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0600);
  sentence(KH_E_FILE_OPEN, path, EACCES);
  expect_user(" cannot search folder '");
  expect("folder' (mode 0600, owner ");
  expect("; give that user search permission (x)");

  test_run("ln -s folder/../folder/./keys '%s'", test_path("link"));
  sentence(KH_E_FILE_OPEN, test_path("link"), EACCES);
  expect(" cannot search folder '");
  expect("/folder' (mode 0600");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0, 0755);
  sentence(KH_E_FILE_OPEN, path, EACCES);
  expect_user(" cannot read '");
  expect("/folder/keys' (mode 0000, owner ");
  expect("; give that user read permission");
  assert_null(strstr(text, "auto_reload"));
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
  (void)state;
  static const kh_status statuses[] = {KH_E_FILE_LOCK, KH_E_FILE_WRITE, KH_E_FILE_CREATE};
  const char *path = tree("folder/keys", 0644, 0555);
  for (size_t i = 0; i < COUNT(statuses); i++) {
    sentence(statuses[i], path, EACCES);
    expect_user(" cannot write folder '");
    expect("/folder' (mode 0555, owner ");
    assert_int_equal(strstr(text, "or rotate where the file is made") != NULL,
                     statuses[i] != KH_E_FILE_CREATE);
  }
  sentence(KH_E_FILE_CREATE, test_path("folder/none"), EACCES);
  expect(" cannot write folder '");
}

static void a_lock_file_that_cannot_be_written_is_named(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0777);
  test_text("folder/keys.lock", "", 0);
  sentence(KH_E_FILE_LOCK, path, EACCES);
  expect(" cannot write '");
  expect("/folder/keys.lock' (mode 0000, owner ");
  expect("; give it the owner, group and mode of the key file (chown, chmod)");
}

static void what_has_the_name_of_the_lock_file_is_named(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0777);
  test_run("ln -s keys '%s.lock'", path);
  sentence(KH_E_FILE_LOCK, path, ELOOP);
  expect("/folder/keys.lock' is a symbolic link, not a lock file; remove it");
  test_run("rm '%s.lock' && mkdir '%s.lock'", path, path);
  sentence(KH_E_FILE_LOCK, path, EISDIR);
  expect("/folder/keys.lock' is a folder, not a lock file; remove it");
  test_run("rmdir '%s.lock' && mkfifo '%s.lock'", path, path);
  sentence(KH_E_FILE_LOCK, path, EINVAL);
  expect("/folder/keys.lock' is a special file, not a lock file; remove it");
}

static void a_group_that_the_owner_is_not_in(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip(); /* to give the file away */
  const char *path = tree("folder/keys", 0644, 0777);
  assert_int_equal(chown(path, OTHER, 0), 0);
  sentence(KH_E_FILE_OWNER, path, EPERM);
  expect_user(" owns the file, but is not in its group 0; give the file a group of that user");
}

static void a_temporary_file_that_root_left_in_a_sticky_folder(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = tree("folder/keys", 0644, 01777);
  assert_int_equal(chown(path, OTHER, OTHER), 0);
  test_text("folder/.keys.keyhold-new", "", 0600);
  sentence(KH_E_FILE_WRITE, path, EPERM);
  expect("/folder/.keys.keyhold-new' was left by a process of user root, and folder '");
  expect("' is sticky; remove it as root");
}

static void a_folder_that_cannot_be_watched_is_named(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0311);
  sentence(KH_E_FILE_WATCH, path, EACCES);
  expect(" cannot read folder '");
  sentence(KH_E_FILE_WATCH, path, EMFILE);
  expect("; check fs.inotify.max_user_instances");
}

static void what_every_permission_allows_is_a_security_module(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0777);
  sentence(KH_E_FILE_OPEN, path, EACCES);
  expect(": the permissions of the file and of its folders allow it; check AppArmor or SELinux");
}

static void an_owner_that_cannot_be_set(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0777);
  sentence(KH_E_FILE_OWNER, path, EPERM);
  expect_user(" cannot give a file to owner ");
  expect("; run as root or as the file's owner");
}

static void a_sticky_folder(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  const char *path = tree("folder/keys", 0644, 01777);
  sentence(KH_E_FILE_WRITE, path, EPERM);
  expect("/folder' is sticky, and ");
  test_run("chown %d '%s'", OTHER, path);
  sentence(KH_E_FILE_WRITE, path, EPERM);
  assert_null(strstr(text, "sticky"));
}

static void other_errors_and_what_cannot_be_followed_have_no_advice(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0755);
  assert_null(strstr(sentence(KH_E_FILE_WRITE, path, ENOSPC), "unchanged;"));
  assert_null(strstr(sentence(KH_E_FILE_WRITE, path, EBUSY), "unchanged;"));
  assert_null(strstr(sentence(KH_E_FILE_WRITE, path, EROFS), "unchanged;"));
  assert_null(strstr(sentence(KH_E_FILE_WRITE, path, EPERM), "unchanged;"));
  test_run("ln -s loop '%s'", test_path("loop"));
  assert_null(strstr(sentence(KH_E_FILE_OPEN, test_path("loop/keys"), EACCES), "): "));
  expect("Errcode: 13");
  sentence(KH_E_FILE_LOCK, path, EACCES);
  assert_int_equal(kh_file_fail(NULL, KH_E_FILE_OPEN, path, EACCES), KH_E_FILE_OPEN);
}

static void a_relative_path_is_shown_absolute(void **state)
{
  (void)state;
  char before[PATH_MAX];
  tree("folder/keys", 0644, 0755);
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(test_path("folder")), 0);
  static const char *const names[] = {"none", "./none", ".//none", "././none"};
  for (size_t i = 0; i < COUNT(names); i++) {
    sentence(KH_E_FILE_OPEN, names[i], EIO);
    expect("file '/");
    expect("/folder/none'");
  }
  sentence(KH_E_FILE_NOT_FOUND, "none", ENOENT);
  expect("File 'none' not found");
  expect(": a relative path starts at '");
  assert_int_equal(chdir("/"), 0);
  sentence(KH_E_FILE_OPEN, "none", EIO);
  expect("file '/none'");
  assert_string_equal(kh_file_show_absolute("").text, "");
  assert_int_equal(chdir(before), 0);
}

static void a_mount_point_is_recognised(void **state)
{
  (void)state;
  const char *path = tree("folder/keys", 0644, 0755);
  assert_true(kh_file_is_mount_point("/proc"));
  assert_false(kh_file_is_mount_point(path));
  assert_false(kh_file_is_mount_point(test_path("none")));
}

static void the_next_step_fits_after_the_longest_path(void **state)
{
  (void)state;
  static const kh_status statuses[] = {KH_E_FILE_OPEN, KH_E_FILE_LOCK, KH_E_FILE_WRITE};
  char path[3000];
  tree("folder/keys", 0644, 0600);
  snprintf(path, sizeof path, "%s/", test_path("folder"));
  size_t len = strlen(path);
  memset(path + len, 'p', sizeof path - len - 1);
  for (size_t i = len + 200; i < sizeof path; i += 201)
    path[i] = '/';
  path[sizeof path - 1] = '\0';
  for (size_t i = 0; i < COUNT(statuses); i++) {
    sentence(statuses[i], path, EACCES);
    kh_fault fault;
    uid_t user = geteuid();
    assert_true(user != 0 || seteuid(OTHER) == 0);
    kh_file_fail(&fault, statuses[i], path, EACCES);
    assert_int_equal(seteuid(user), 0);
    kh_fault_describe(&fault, text, KH_MESSAGE_MAX);
    expect("ppp...ppp");
    expect("; give that user search permission (x)");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_folder_that_cannot_be_searched_is_named),
      cmocka_unit_test(a_file_that_cannot_be_read_is_named),
      cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
      cmocka_unit_test(a_lock_file_that_cannot_be_written_is_named),
      cmocka_unit_test(what_has_the_name_of_the_lock_file_is_named),
      cmocka_unit_test(a_group_that_the_owner_is_not_in),
      cmocka_unit_test(a_temporary_file_that_root_left_in_a_sticky_folder),
      cmocka_unit_test(a_folder_that_cannot_be_watched_is_named),
      cmocka_unit_test(what_every_permission_allows_is_a_security_module),
      cmocka_unit_test(an_owner_that_cannot_be_set),
      cmocka_unit_test(a_sticky_folder),
      cmocka_unit_test(other_errors_and_what_cannot_be_followed_have_no_advice),
      cmocka_unit_test(a_relative_path_is_shown_absolute),
      cmocka_unit_test(a_mount_point_is_recognised),
      cmocka_unit_test(the_next_step_fits_after_the_longest_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
