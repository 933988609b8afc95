/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: realpath stat fstatat open openat unlinkat write fstat fchown fchmod fsync renameat
 * wraps: getxattr fgetxattr fsetxattr fremovexattr flock */
/* Every system call of kh_file_replace() is wrapped: each can fail, kill the process, or happen
 * after another process has changed the file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"
#include "keyhold/file.h"
#include "unit.h"
#include "wrap.h"

#define OLD "1;old\n"
#define NEW "1;old\n3;a new and longer line\n"

enum { NOBODY = 65534, CANNOT_TELL = 250 };

/* further differences while calls are counted */
static struct {
  size_t most;  /* bytes that a write takes at most; 0: no limit */
  bool foreign; /* the new file seems to have another owner */
} inject;

static int locked_meanwhile;

static int reset(void **state)
{
  (void)state;
  memset(&inject, 0, sizeof inject);
  memset(&test_calls, 0, sizeof test_calls);
  return 0;
}

WRAP_REALPATH(calls_strike)
WRAP_STAT(calls_strike)
WRAP_FSTATAT(calls_strike)
WRAP_OPEN(calls_strike)
WRAP_OPENAT(calls_strike)
WRAP_UNLINKAT(calls_strike)
WRAP_FCHOWN(calls_strike)
WRAP_FCHMOD(calls_strike)
WRAP_FSYNC(calls_strike)
WRAP_RENAMEAT(calls_strike)

WRAPS(flock);
int __wrap_flock(int fd, int operation) /* its failures are not all failures: it is not counted with
                                           the others */
{
  bool fails = test_calls.only != NULL && calls_strike("flock");
  return fails ? -1 : __real_flock(fd, operation);
}

WRAP(calls_strike, ssize_t, getxattr, -1,
     (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
WRAP(calls_strike, ssize_t, fgetxattr, -1, (int fd, const char *name, void *value, size_t size),
     (fd, name, value, size))
WRAP(calls_strike, int, fsetxattr, -1,
     (int fd, const char *name, const void *value, size_t size, int flags),
     (fd, name, value, size, flags))
WRAP(calls_strike, int, fremovexattr, -1, (int fd, const char *name), (fd, name))

WRAPS(write);
WRAPS(fstat);

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
  if (calls_strike("write"))
    return -1;
  bool cut = test_calls.armed && inject.most != 0 && inject.most < size;
  return __real_write(fd, data, cut ? inject.most : size);
}

int __wrap_fstat(int fd, struct stat *st)
{
  if (calls_strike("fstat"))
    return -1;
  int result = __real_fstat(fd, st);
  if (test_calls.armed && inject.foreign)
    st->st_uid++;
  return result;
}

/* replaces a file with the failures that `test_calls` and `inject` have; checks fault and stamp */
static kh_status replace_expecting(const char *path, const kh_file_stamp *expected,
                                   const char *text, int *ret_error)
{
  kh_file_stamp stamp = {.size = 12345};
  kh_fault fault = {.status = KH_OK};
  test_calls.armed = true;
  test_calls.made = 0;
  kh_status status = kh_file_replace(path, expected, bytes_of(text), &stamp, &fault);
  test_calls.armed = false;

  kh_file_stamp now;
  if (status == KH_OK) {
    assert_int_equal(kh_file_stamp_of(path, &now, NULL), KH_OK);
    assert_true(kh_file_is_same(&stamp, &now));
  } else {
    assert_int_equal(stamp.size, 12345);
    assert_int_equal(fault.status, status);
    assert_string_equal(fault.path.text, kh_show_path(path).text);
  }
  if (ret_error != NULL)
    *ret_error = fault.os_error;
  return status;
}

static kh_status replace(const char *path, const char *text, int *ret_error)
{
  kh_file_stamp expected = {.size = 0};
  kh_status found = kh_file_stamp_of(path, &expected, NULL);
  (void)found; /* kh_file_replace() must find out itself */
  return replace_expecting(path, &expected, text, ret_error);
}

static const char *temporary(void)
{
  return test_path(".keys.keyhold-new");
}

static void the_content_is_replaced(void **state)
{
  (void)state;
  static const char *const contents[] = {NEW, "", "x"};
  for (size_t i = 0; i < COUNT(contents); i++) {
    const char *path = test_text("keys", OLD, 0600);
    ino_t before = test_stat(path).st_ino;
    assert_int_equal(replace(path, contents[i], NULL), KH_OK);
    test_expect_content(path, contents[i]);
    assert_false(test_is_there(temporary()));
    assert_int_not_equal(test_stat(path).st_ino, before);
  }
  kh_file_stamp expected = test_stamp(test_path("keys"));
  assert_int_equal(kh_file_replace(test_path("keys"), &expected, bytes_of(NEW), NULL, NULL), KH_OK);
  test_expect_content(test_path("keys"), NEW);
}

static void a_large_content(void **state)
{
  (void)state;
  static char large[300001];
  memset(large, 'k', sizeof large - 1);
  const char *path = test_text("keys", OLD, 0600);
  assert_int_equal(replace(path, large, NULL), KH_OK);
  test_expect_content(path, large);
}

static void the_mode_is_kept_whatever_the_umask(void **state)
{
  (void)state;
  static const mode_t modes[] = {0600, 0640, 0400, 0664, 0000, 0777, 04750, 02640, 01600};
  static const mode_t masks[] = {0022, 0000, 0777};
  for (size_t i = 0; i < COUNT(modes) * COUNT(masks); i++) {
    mode_t mode = modes[i / COUNT(masks)];
    const char *path = test_text("keys", OLD, mode);
    mode_t mask = umask(masks[i % COUNT(masks)]);
    assert_int_equal(replace(path, NEW, NULL), KH_OK);
    umask(mask);
    assert_int_equal(test_stat(path).st_mode & 07777, mode);
  }
}

static mode_t mode_while_written;

static void see_the_mode(void)
{
  mode_while_written = test_stat(temporary()).st_mode & 07777;
}

static void others_cannot_read_it_before_it_is_complete(void **state)
{
  (void)state;
  umask(0);
  test_calls.meanwhile = see_the_mode;
  test_calls.at = 7; /* the first write */
  assert_int_equal(replace(test_text("keys", OLD, 0666), NEW, NULL), KH_OK);
  umask(022);
  assert_string_equal(test_calls.name[test_calls.at - 1], "write");
  assert_int_equal(mode_while_written, 0600);
}

static void owner_and_group_are_kept(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip(); /* other users cannot give files away */
  const char *path = test_text("keys", OLD, 0640);
  assert_int_equal(chown(path, 12345, 23456), 0);
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  struct stat st = test_stat(path);
  assert_int_equal(st.st_uid, 12345);
  assert_int_equal(st.st_gid, 23456);
  assert_int_equal(st.st_mode & 07777, 0640);
  assert_int_equal(chown(path, 0, 23456), 0);
  assert_int_equal(chmod(path, 06750), 0); /* bits that a change of owner takes away */
  assert_int_equal(replace(path, OLD, NULL), KH_OK);
  assert_int_equal(test_stat(path).st_gid, 23456);
  assert_int_equal(test_stat(path).st_mode & 07777, 06750);
}

/* an access control list, as the kernel takes it: user 12345 may read, the file's group nothing */
static const struct {
  uint32_t version;
  struct {
    uint16_t tag, permissions;
    uint32_t id;
  } entries[5];
} acl = {2,
         {{0x01, 6, UINT32_MAX},
          {0x02, 4, 12345},
          {0x04, 0, UINT32_MAX},
          {0x10, 4, UINT32_MAX},
          {0x20, 0, UINT32_MAX}}};
static const char acl_name[] = "system.posix_acl_access";

static void set_acl(const char *path, const char *name)
{
  if (setxattr(path, name, &acl, sizeof acl, 0) != 0) {
    assert_int_equal(errno, EOPNOTSUPP);
    skip(); /* this file system has none */
  }
}

static void expect_acl(const char *path)
{
  uint8_t found[sizeof acl + 1];
  assert_int_equal(getxattr(path, acl_name, found, sizeof found), sizeof acl);
  assert_memory_equal(found, &acl, sizeof acl);
  assert_int_equal(test_stat(path).st_mode & 07777, 0640);
}

/* without the list the group could read, and user 12345 could not */
static void an_access_control_list_is_kept(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  set_acl(path, acl_name);
  expect_acl(path);
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  expect_acl(path);
  int error;
  test_calls.only = "fsetxattr";
  test_calls.at = 1;
  test_calls.error = ENOSPC;
  assert_int_equal(replace(path, OLD, &error), KH_E_FILE_OWNER);
  assert_int_equal(error, ENOSPC);
  test_expect_content(path, NEW);
  expect_acl(path);
}

static void the_folders_access_control_list_is_not_taken(void **state)
{
  (void)state;
  test_run("rm -rf '%s' && mkdir '%s'", test_path("listed"), test_path("listed"));
  const char *path = test_text("listed/keys", OLD, 0640);
  set_acl(test_path("listed"), "system.posix_acl_default");
  test_text("listed/other", OLD, 0640);
  assert_true(getxattr(test_path("listed/other"), acl_name, NULL, 0) > 0);
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  assert_int_equal(getxattr(path, acl_name, NULL, 0), -1);
  assert_int_equal(errno, ENODATA);
  assert_int_equal(test_stat(path).st_mode & 07777, 0640);
  test_calls.only = "fremovexattr";
  test_calls.at = 1;
  test_calls.error = EIO;
  assert_int_equal(replace(path, OLD, NULL), KH_E_FILE_OWNER);
  test_expect_content(path, NEW);
}

static void symbolic_links_stay(void **state)
{
  (void)state;
  char link[PATH_MAX] = "";
  const char *path = test_text("keys", OLD, 0600);
  test_run("cd '%s' && mkdir -p a b && ln -sfn ../b/second a/first && ln -sfn ../keys b/second && "
           "ln -sfn a folder",
           test_path(""));
  assert_int_equal(replace(test_path("folder/first"), NEW, NULL), KH_OK);
  assert_true(S_ISREG(test_stat(path).st_mode));
  test_expect_content(path, NEW);
  assert_true(readlink(test_path("a/first"), link, sizeof link - 1) > 0);
  assert_string_equal(link, "../b/second");
  assert_true(S_ISLNK(test_stat(test_path("b/second")).st_mode));
  assert_false(test_is_there(temporary()));
}

static void a_relative_name(void **state)
{
  (void)state;
  char before[PATH_MAX];
  assert_non_null(getcwd(before, sizeof before));
  test_text("keys", OLD, 0600);
  assert_int_equal(chdir(test_path("")), 0);
  assert_int_equal(replace("keys", NEW, NULL), KH_OK);
  assert_int_equal(replace("./keys", OLD, NULL), KH_OK);
  assert_int_equal(chdir(before), 0);
  test_expect_content(test_path("keys"), OLD);
}

static void a_file_of_a_killed_process_is_replaced(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  test_text(".keys.keyhold-new", "a longer content than the new one, which is short", 0000);
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  test_expect_content(path, NEW);
  assert_false(test_is_there(temporary()));

  const char *other = test_text("other", "untouched", 0644);
  assert_int_equal(symlink(other, temporary()), 0);
  assert_int_equal(replace(path, OLD, NULL), KH_OK);
  test_expect_content(path, OLD);
  test_expect_content(other, "untouched");
  assert_false(test_is_there(temporary()));
}

static void a_folder_in_the_temporary_files_place(void **state)
{
  (void)state;
  int error;
  const char *path = test_text("keys", OLD, 0600);
  assert_int_equal(mkdir(temporary(), 0700), 0);
  assert_int_equal(replace(path, NEW, &error), KH_E_FILE_WRITE);
  assert_int_equal(error, EISDIR);
  test_expect_content(path, OLD);
  assert_int_equal(rmdir(temporary()), 0);
}

static void make_the_temporary_file(void)
{
  test_text(".keys.keyhold-new", "untouched", 0600);
}

static void link_the_temporary_file(void)
{
  assert_int_equal(symlink(test_text("other", "untouched", 0600), temporary()), 0);
}

static void another_process_makes_the_temporary_file_meanwhile(void **state)
{
  (void)state;
  static void (*const ways[])(void) = {make_the_temporary_file, link_the_temporary_file};
  for (size_t i = 0; i < COUNT(ways); i++) {
    const char *path = test_text("keys", OLD, 0600);
    test_text(".keys.keyhold-new", "left by a killed process", 0600);
    test_calls.at = 9; /* when that one was removed */
    test_calls.meanwhile = ways[i];
    assert_int_equal(replace(path, NEW, NULL), KH_E_FILE_LOCKED);
    assert_string_equal(test_calls.name[test_calls.at - 2], "unlinkat");
    assert_string_equal(test_calls.name[test_calls.at - 1], "openat");
    test_expect_content(path, OLD);
    test_expect_content(temporary(), "untouched"); /* through the link too */
    assert_int_equal(unlink(temporary()), 0);
  }
}

/* while it lives, no process takes its file for an abandoned one */
static void another_process_writes_the_temporary_file(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  int fd = open(test_text(".keys.keyhold-new", "theirs", 0600), O_RDWR);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  assert_int_equal(replace(path, NEW, NULL), KH_E_FILE_LOCKED);
  test_expect_content(path, OLD);
  test_expect_content(temporary(), "theirs");
  close(fd);
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  test_expect_content(path, NEW);
}

static void take_it_for_left(void)
{
  assert_int_equal(unlink(temporary()), 0);
}

static void lock_it(void)
{
  locked_meanwhile = open(temporary(), O_RDONLY);
  assert_int_equal(flock(locked_meanwhile, LOCK_EX), 0);
}

static void put_another_in_its_place(void)
{
  take_it_for_left();
  make_the_temporary_file();
}

/* before it could lock it */
static void another_process_takes_the_temporary_file_for_an_abandoned_one(void **state)
{
  (void)state;
  static const struct {
    const char *before;
    void (*change)(void);
  } cases[] = {{"flock", take_it_for_left},
               {"flock", put_another_in_its_place},
               {"flock", lock_it},
               {"fstatat", take_it_for_left},
               {"fstatat", put_another_in_its_place}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    reset(NULL);
    const char *path = test_text("keys", OLD, 0600);
    locked_meanwhile = -1;
    test_calls.only = cases[i].before;
    test_calls.at = 1;
    test_calls.meanwhile = cases[i].change;
    assert_int_equal(replace(path, NEW, NULL), KH_E_FILE_LOCKED);
    test_expect_content(path, OLD);
    if (cases[i].change == put_another_in_its_place)
      test_expect_content(temporary(), "untouched");
    unlink(temporary());
    if (locked_meanwhile >= 0)
      close(locked_meanwhile);
  }
}

static void put_another_in_its_place_and_let_it_lock(void)
{
  put_another_in_its_place();
  lock_it();
}

/* a third process, which is working now, has removed the abandoned file */
static void another_process_removes_the_abandoned_file(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  test_text(".keys.keyhold-new", "left by a killed process", 0600);
  test_calls.only = "flock";
  test_calls.at = 1;
  test_calls.meanwhile = put_another_in_its_place_and_let_it_lock;
  assert_int_equal(replace(path, NEW, NULL), KH_E_FILE_LOCKED);
  test_expect_content(path, OLD);
  test_expect_content(temporary(), "untouched");
  close(locked_meanwhile);
  assert_int_equal(unlink(temporary()), 0);
}

/* NFS without a server for locks */
static void a_file_system_without_locks(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  for (unsigned at = 1; at <= 2; at++) {
    reset(NULL);
    test_text(".keys.keyhold-new", "left by a killed process", 0600);
    test_calls.only = "flock";
    test_calls.at = at;
    test_calls.error = ENOLCK;
    assert_int_equal(replace(path, NEW, NULL), KH_OK);
    test_expect_content(path, NEW);
  }
}

static void names_that_lead_nowhere(void **state)
{
  (void)state;
  test_text("keys", OLD, 0600);
  test_run("ln -sfn nowhere '%s'; ln -sfn round '%s'", test_path("dangling"), test_path("round"));
  assert_int_equal(replace(test_path("missing"), NEW, NULL), KH_E_FILE_NOT_FOUND);
  assert_int_equal(replace("", NEW, NULL), KH_E_FILE_NOT_FOUND);
  assert_int_equal(replace(test_path("dangling"), NEW, NULL), KH_E_FILE_NOT_FOUND);
  assert_int_equal(replace(test_path("round"), NEW, NULL), KH_E_FILE_OPEN);
  assert_int_equal(replace(test_path("keys/below"), NEW, NULL), KH_E_FILE_OPEN);
  assert_false(test_is_there(test_path("missing")) || test_is_there(test_path("nowhere")));
}

static void directories_and_special_files(void **state)
{
  (void)state;
  test_run("cd '%s' && mkdir -p folder2 && mkfifo fifo && ln -s fifo link", test_path(""));
  assert_int_equal(replace(test_path("folder2"), NEW, NULL), KH_E_FILE_DIRECTORY);
  assert_int_equal(replace("/", NEW, NULL), KH_E_FILE_DIRECTORY);
  assert_int_equal(replace(test_path("fifo"), NEW, NULL), KH_E_FILE_FIFO);
  assert_int_equal(replace(test_path("link"), NEW, NULL), KH_E_FILE_FIFO);
  assert_int_equal(replace("/dev/null", NEW, NULL), KH_E_FILE_SPECIAL);
  assert_true(S_ISFIFO(test_stat(test_path("fifo")).st_mode));
}

static void the_longest_name_and_one_byte_more(void **state)
{
  (void)state;
  char name[NAME_MAX + 1] = "";
  size_t longest = NAME_MAX - strlen("..keyhold-new");
  memset(name, 'n', longest);
  assert_int_equal(replace(test_text(name, OLD, 0600), NEW, NULL), KH_OK);
  test_expect_content(test_path(name), NEW);
  name[longest] = 'n';
  int error;
  const char *path = test_text(name, OLD, 0600);
  assert_int_equal(replace(path, NEW, &error), KH_E_FILE_WRITE);
  assert_int_equal(error, ENAMETOOLONG);
  test_expect_content(path, OLD);
}

static void another_file_than_the_expected_one(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  for (int field = 0; field < 5; field++) {
    kh_file_stamp other = test_stamp(path);
    other.device += field == 0;
    other.inode += field == 1;
    other.size += field == 2;
    other.modified += field == 3;
    other.changed += field == 4;
    assert_int_equal(replace_expecting(path, &other, NEW, NULL), KH_E_FILE_CHANGED);
    assert_int_equal(test_calls.made, 1); /* nothing was written */
  }
  test_expect_content(path, OLD);
}

static void write_to_it(void)
{
  test_run("printf '1;theirs\\n' >> '%s'", test_path("keys"));
}

static void replace_it(void)
{
  test_run("printf '1;theirs\\n' > '%s' && mv '%s' '%s'", test_path("theirs"), test_path("theirs"),
           test_path("keys"));
}

static void remove_it(void)
{
  assert_int_equal(unlink(test_path("keys")), 0);
}

static void turn_the_link(void)
{
  test_run("ln -sfn theirs '%s'", test_path("link to keys"));
}

/* the number of the call `name` before the rename, from 1 */
static unsigned last_before_rename(const char *name)
{
  unsigned found = 0;
  for (unsigned i = 0; i < test_calls.made && strcmp(test_calls.name[i], "renameat") != 0; i++)
    if (strcmp(test_calls.name[i], name) == 0)
      found = i + 1;
  assert_int_not_equal(found, 0);
  return found;
}

static void a_file_that_changes_meanwhile(void **state)
{
  (void)state;
  static const struct {
    void (*change)(void);
    const char *before;
    kh_status status;
    const char *left; /* NULL: no file */
  } cases[] = {
      {write_to_it, "fsync", KH_E_FILE_CHANGED, OLD "1;theirs\n"},
      {write_to_it, "stat", KH_E_FILE_CHANGED, OLD "1;theirs\n"},
      {write_to_it, "fstatat", KH_E_FILE_CHANGED, OLD "1;theirs\n"},
      {replace_it, "write", KH_E_FILE_CHANGED, "1;theirs\n"},
      {replace_it, "fstatat", KH_E_FILE_CHANGED, "1;theirs\n"},
      {remove_it, "fchmod", KH_E_FILE_NOT_FOUND, NULL},
      {remove_it, "fstatat", KH_E_FILE_NOT_FOUND, NULL},
      {turn_the_link, "stat", KH_E_FILE_CHANGED, OLD},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    reset(NULL);
    test_text("theirs", "1;theirs\n", 0600);
    const char *path = test_text("keys", OLD, 0600);
    test_run("ln -sfn keys '%s'", test_path("link to keys"));
    assert_int_equal(replace(test_path("link to keys"), OLD, NULL), KH_OK); /* counts the calls */
    test_calls.at = last_before_rename(cases[i].before);
    test_calls.meanwhile = cases[i].change;
    assert_int_equal(replace(test_path("link to keys"), NEW, NULL), cases[i].status);
    assert_false(test_is_there(temporary()));
    if (cases[i].left == NULL)
      assert_false(test_is_there(path));
    else
      test_expect_content(path, cases[i].left);
  }
}

static void turn_the_link_back(void)
{
  test_run("ln -sfn keys '%s'", test_path("link to keys"));
}

static void turn_the_link_for_a_while(void)
{
  turn_the_link();
  test_calls.at++; /* from the resolving of the name to the next call */
  test_calls.meanwhile = turn_the_link_back;
}

static void a_link_that_is_turned_away_and_back(void **state)
{
  (void)state;
  test_text("theirs", "1;theirs\n", 0600);
  test_text("keys", OLD, 0600);
  turn_the_link_back();
  test_calls.at = 2;
  test_calls.meanwhile = turn_the_link_for_a_while;
  assert_int_equal(replace(test_path("link to keys"), NEW, NULL), KH_E_FILE_CHANGED);
  assert_string_equal(test_calls.name[1], "realpath");
  test_expect_content(test_path("keys"), OLD);
  test_expect_content(test_path("theirs"), "1;theirs\n");
}

static void short_and_interrupted_writes_go_on(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0600);
  inject.most = 1;
  test_calls.at = 8; /* the second write */
  test_calls.error = EINTR;
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  assert_string_equal(test_calls.name[test_calls.at - 1], "write");
  test_expect_content(path, NEW);
}

/* the calls in their order, with the meaning of a failure of each */
static const struct step {
  const char *call;
  kh_status status;
} steps[] = {
    {"stat", KH_E_FILE_OPEN},       {"realpath", KH_E_FILE_OPEN}, {"open", KH_E_FILE_WRITE},
    {"openat", KH_E_FILE_WRITE},    {"fstat", KH_E_FILE_WRITE},   {"fstatat", KH_E_FILE_WRITE},
    {"write", KH_E_FILE_WRITE},     {"write", KH_E_FILE_WRITE},   {"write", KH_E_FILE_WRITE},
    {"fstat", KH_E_FILE_OWNER},     {"fchown", KH_E_FILE_OWNER},  {"getxattr", KH_E_FILE_OWNER},
    {"fgetxattr", KH_E_FILE_OWNER}, {"fchmod", KH_E_FILE_OWNER},  {"fsync", KH_E_FILE_WRITE},
    {"stat", KH_E_FILE_OPEN},       {"fstatat", KH_E_FILE_OPEN},  {"renameat", KH_E_FILE_WRITE},
    {"fsync", KH_E_FILE_FLUSH},     {"fstat", KH_E_FILE_FLUSH},
};

/* makes every call of the table happen: three writes, and a change of the owner */
static void take_every_step(void)
{
  inject.most = strlen(NEW) / 3 + 1;
  inject.foreign = true;
}

static void the_new_file_is_flushed_before_and_the_folder_after_the_rename(void **state)
{
  (void)state;
  take_every_step();
  assert_int_equal(replace(test_text("keys", OLD, 0640), NEW, NULL), KH_OK);
  assert_int_equal(test_calls.made, COUNT(steps));
  for (size_t i = 0; i < COUNT(steps); i++)
    assert_string_equal(test_calls.name[i], steps[i].call);
}

static void a_right_owner_is_not_changed(void **state)
{
  (void)state;
  assert_int_equal(replace(test_text("keys", OLD, 0640), NEW, NULL), KH_OK);
  for (unsigned i = 0; i < test_calls.made; i++)
    assert_string_not_equal(test_calls.name[i], "fchown");
}

static void expect_untouched(const char *path, const kh_file_stamp *before, mode_t mode)
{
  kh_file_stamp after = test_stamp(path);
  assert_true(kh_file_is_same(before, &after));
  test_expect_content(path, OLD);
  assert_int_equal(test_stat(path).st_mode & 07777, mode);
  assert_int_equal(test_stat(path).st_uid, geteuid());
}

static void rename_it(void)
{
  assert_int_equal(rename(temporary(), test_path("keys")), 0);
}

/* NFS: the answer was lost, the client asked again, and the file is no longer there to be renamed
 */
static void a_rename_that_succeeds_and_reports_failure(void **state)
{
  (void)state;
  const char *path = test_text("keys", OLD, 0640);
  test_calls.only = "renameat";
  test_calls.at = 1;
  test_calls.meanwhile = rename_it;
  assert_int_equal(replace(path, NEW, NULL), KH_OK);
  test_expect_content(path, NEW);
}

static void each_call_fails(void **state)
{
  (void)state;
  static const int errors[] = {EIO, ENOSPC, EACCES, EROFS};
  for (size_t i = 0; i < COUNT(steps) * COUNT(errors); i++) {
    reset(NULL);
    take_every_step();
    int error = 0;
    const char *path = test_text("keys", OLD, 0640);
    kh_file_stamp before = test_stamp(path);
    unsigned descriptors = test_open_descriptors();
    test_calls.at = (unsigned)(i / COUNT(errors)) + 1;
    test_calls.error = errors[i % COUNT(errors)];
    const struct step *step = &steps[test_calls.at - 1];
    assert_int_equal(replace(path, NEW, &error), step->status);
    assert_string_equal(test_calls.name[test_calls.at - 1], step->call);
    assert_int_equal(error, test_calls.error);
    assert_int_equal(test_open_descriptors(), descriptors);
    assert_false(test_is_there(temporary()));
    if (step->status == KH_E_FILE_FLUSH)
      test_expect_content(path, NEW);
    else
      expect_untouched(path, &before, 0640);
  }
}

static void run_and_be_killed(const char *path, unsigned at)
{
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    test_calls.at = at;
    test_calls.kill = true;
    (void)replace(path, NEW, NULL);
    _exit(0); /* not reached */
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killed_at_each_call(void **state)
{
  (void)state;
  bool renamed = false;
  for (size_t i = 0; i < COUNT(steps); i++) {
    reset(NULL);
    take_every_step();
    const char *path = test_text("keys", OLD, 0640);
    kh_file_stamp before = test_stamp(path);
    run_and_be_killed(path, (unsigned)i + 1);
    if (renamed)
      test_expect_content(path, NEW);
    else
      expect_untouched(path, &before, 0640);
    assert_int_equal(test_stat(path).st_mode & 07777, 0640);
    renamed = renamed || strcmp(steps[i].call, "renameat") == 0;

    assert_int_equal(replace(path, NEW "5;next\n", NULL), KH_OK);
    test_expect_content(path, NEW "5;next\n");
    assert_int_equal(test_stat(path).st_mode & 07777, 0640);
    assert_false(test_is_there(temporary()));
  }
}

/* gives the status and errno of replacing as a user without rights */
static kh_status replace_as_nobody(const char *path, int *ret_error)
{
  int result[2] = {CANNOT_TELL, 0};
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    if (setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0 &&
        access(path, F_OK) == 0)
      result[0] = (int)replace(path, NEW, &result[1]);
    _exit(write(ends[1], result, sizeof result) == sizeof result ? 0 : 1);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], result, sizeof result), sizeof result);
  assert_int_equal(waitpid(child, NULL, 0), child);
  close(ends[0]);
  *ret_error = result[1];
  return (kh_status)result[0];
}

/* "theirs/keys", reached by others, of this owner in a folder of that mode */
static const char *file_for_nobody(mode_t folder, uid_t owner)
{
  test_run("cd '%s' && chmod 0711 . && rm -rf theirs && mkdir theirs", test_path(""));
  const char *path = test_text("theirs/keys", OLD, 0644);
  assert_int_equal(chown(path, owner, NOBODY), 0);
  assert_int_equal(chmod(test_path("theirs"), folder), 0);
  return path;
}

static void a_folder_that_cannot_be_written_or_read(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip(); /* to become another user */
  static const mode_t modes[] = {0755, 0711};
  for (size_t i = 0; i < COUNT(modes); i++) {
    int error;
    const char *path = file_for_nobody(modes[i], NOBODY);
    kh_status status = replace_as_nobody(path, &error);
    if ((int)status == CANNOT_TELL)
      skip(); /* the test's folder is where other users cannot reach it */
    assert_int_equal(status, KH_E_FILE_WRITE);
    assert_int_equal(error, EACCES);
    test_expect_content(path, OLD);
    assert_false(test_is_there(test_path("theirs/.keys.keyhold-new")));
  }
}

static void a_file_of_another_user_keeps_its_owner(void **state)
{
  (void)state;
  if (geteuid() != 0)
    skip();
  int error;
  const char *path = file_for_nobody(0777, 0);
  kh_status status = replace_as_nobody(path, &error);
  if ((int)status == CANNOT_TELL)
    skip();
  assert_int_equal(status, KH_E_FILE_OWNER);
  assert_int_equal(error, EPERM);
  test_expect_content(path, OLD);
  assert_int_equal(test_stat(path).st_uid, 0);
  assert_false(test_is_there(test_path("theirs/.keys.keyhold-new")));
  path = file_for_nobody(0777, NOBODY);
  assert_int_equal(replace_as_nobody(path, &error), KH_OK);
  test_expect_content(path, NEW);
  assert_int_equal(test_stat(path).st_uid, NOBODY);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_content_is_replaced, reset),
      cmocka_unit_test_setup(a_large_content, reset),
      cmocka_unit_test_setup(the_mode_is_kept_whatever_the_umask, reset),
      cmocka_unit_test_setup(others_cannot_read_it_before_it_is_complete, reset),
      cmocka_unit_test_setup(owner_and_group_are_kept, reset),
      cmocka_unit_test_setup(an_access_control_list_is_kept, reset),
      cmocka_unit_test_setup(the_folders_access_control_list_is_not_taken, reset),
      cmocka_unit_test_setup(symbolic_links_stay, reset),
      cmocka_unit_test_setup(a_relative_name, reset),
      cmocka_unit_test_setup(a_file_of_a_killed_process_is_replaced, reset),
      cmocka_unit_test_setup(a_folder_in_the_temporary_files_place, reset),
      cmocka_unit_test_setup(another_process_makes_the_temporary_file_meanwhile, reset),
      cmocka_unit_test_setup(another_process_writes_the_temporary_file, reset),
      cmocka_unit_test_setup(another_process_takes_the_temporary_file_for_an_abandoned_one, reset),
      cmocka_unit_test_setup(another_process_removes_the_abandoned_file, reset),
      cmocka_unit_test_setup(a_file_system_without_locks, reset),
      cmocka_unit_test_setup(names_that_lead_nowhere, reset),
      cmocka_unit_test_setup(directories_and_special_files, reset),
      cmocka_unit_test_setup(the_longest_name_and_one_byte_more, reset),
      cmocka_unit_test_setup(another_file_than_the_expected_one, reset),
      cmocka_unit_test_setup(a_file_that_changes_meanwhile, reset),
      cmocka_unit_test_setup(a_link_that_is_turned_away_and_back, reset),
      cmocka_unit_test_setup(short_and_interrupted_writes_go_on, reset),
      cmocka_unit_test_setup(the_new_file_is_flushed_before_and_the_folder_after_the_rename, reset),
      cmocka_unit_test_setup(a_right_owner_is_not_changed, reset),
      cmocka_unit_test_setup(a_rename_that_succeeds_and_reports_failure, reset),
      cmocka_unit_test_setup(each_call_fails, reset),
      cmocka_unit_test_setup(killed_at_each_call, reset),
      cmocka_unit_test_setup(a_folder_that_cannot_be_written_or_read, reset),
      cmocka_unit_test_setup(a_file_of_another_user_keeps_its_owner, reset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
