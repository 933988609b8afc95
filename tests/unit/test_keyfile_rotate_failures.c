/* SPDX-License-Identifier: GPL-2.0-only */
/* needs: openssl */
/* slow: rotates once for each call that can fail */
/* wraps: realpath stat fstat fstatat open openat unlinkat read write fchown fchmod fsync
 * wraps: renameat flock close malloc calloc sodium_malloc sodium_init clock_gettime
 * wraps: EVP_MD_fetch EVP_BytesToKey EVP_CIPHER_CTX_new EVP_CipherInit_ex2 EVP_CipherUpdate */
/* Every call of libc and of the libraries that a rotation makes is wrapped:
 * each fails in turn, and at each the process is killed. The key file must be the old one or the
 * new one, whole. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "files.h"
#include "keyhold/lockfile.h"
#include "rotation.h"
#include "sealed.h"
#include "unit.h"
#include "wrap.h"

#define A16  "770A8A65DA156D24EE2A093277530142"
#define TEXT "# c\n1;" A16 "\n2;" A16 ";rotate=1d\n"

enum { NOW = 1795305600 };

/* system calls */
WRAP_REALPATH(calls_strike)
WRAP_STAT(calls_strike)
WRAP(calls_strike, int, fstat, -1, (int fd, struct stat *st), (fd, st))
WRAP_FSTATAT(calls_strike)
WRAP_OPEN(calls_strike)
WRAP_OPENAT(calls_strike)
WRAP_UNLINKAT(calls_strike)
WRAP_READ(calls_strike)
WRAP_WRITE(calls_strike)
WRAP_FCHOWN(calls_strike)
WRAP_FCHMOD(calls_strike)
WRAP_FSYNC(calls_strike)
WRAP_RENAMEAT(calls_strike)
WRAP_FLOCK(calls_strike)
WRAP(calls_strike, int, close, -1, (int fd), (fd))

/* memory and cryptography */
WRAP_MALLOC(calls_strike)
WRAP_CALLOC(calls_strike)
WRAP_SODIUM_MALLOC(calls_strike)
WRAP_SODIUM_INIT(calls_strike)
WRAP_EVP_MD_FETCH(calls_strike)
WRAP(calls_strike, int, EVP_BytesToKey, 0,
     (const EVP_CIPHER *cipher, const EVP_MD *md, const unsigned char *salt,
      const unsigned char *data, int len, int count, unsigned char *key, unsigned char *iv),
     (cipher, md, salt, data, len, count, key, iv))
WRAP_EVP_CIPHER_CTX_NEW(calls_strike)
WRAP_EVP_CIPHERINIT_EX2(calls_strike)
WRAP(calls_strike, int, EVP_CipherUpdate, 0,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *out_len, const unsigned char *in, int in_len),
     (ctx, out, out_len, in, in_len))

static bool time_flies; /* every reading of the clock is 20 seconds later */
WRAPS(clock_gettime);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
  static time_t passed;
  int result = __real_clock_gettime(clock, time);
  if (time_flies)
    time->tv_sec += passed += 20;
  return result;
}

enum format { IN_TEXT, IN_OPENSSL, IN_SEALED, FORMATS };

/* a key file, and the rotation that is due */
struct subject {
  enum format format;
  rotation_run run;
  char before[2048]; /* the file's bytes */
  size_t before_len;
};

static void make_file(struct subject *subject, const char *path)
{
  if (subject->format == IN_SEALED) {
    KH_AUTO_SECRET file = sealed_file(TEXT);
    test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
  } else if (subject->format == IN_OPENSSL)
    test_run("openssl enc -aes-256-cbc -md sha512 -pass pass:secret -in '%s' -out '%s' "
             "2>/dev/null && chmod 600 '%s'",
             test_text("text", TEXT, 0600), path, path);
  else
    test_text("keys", TEXT, 0600);
  subject->before_len = test_read_content(path, subject->before, sizeof subject->before);
}

static void set_up(struct subject *subject)
{
  static const char *const filekeys[FORMATS] = {[IN_OPENSSL] = "secret", [IN_SEALED] = "first"};
  const char *path = test_path("keys");
  memset(&test_calls, 0, sizeof test_calls);
  if (subject->before_len == 0)
    make_file(subject, path);
  test_file("keys", subject->before, subject->before_len, 0600);
  unlink(test_path("keys.lock"));
  subject->run = (rotation_run){.path = path,
                                .filekey = filekeys[subject->format],
                                .known = rotation_table_of(TEXT),
                                .what = {.now = NOW}};
}

static void tear_down(struct subject *subject)
{
  kh_keytable_free(&subject->run.known);
  rotation_free(&subject->run);
}

static kh_keytable *load(const struct subject *subject)
{
  KH_AUTO_KEYFILE file = NULL;
  kh_keytable *table = NULL;
  kh_fault fault;
  kh_keyfile_options options = {
      .path = subject->run.path, .filekey = subject->run.filekey, .digest = KH_DIGEST_SHA512};
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, &fault), KH_OK);
  assert_int_equal(kh_keytable_new(kh_keyfile_keys(file), &table), KH_OK);
  return table;
}

static bool is_old(const struct subject *subject)
{
  char now[sizeof subject->before];
  size_t len = test_read_content(subject->run.path, now, sizeof now);
  return len == subject->before_len && memcmp(now, subject->before, len) == 0;
}

/* The file is the old one, byte for byte, or has all old keys and the two new ones. */
static void expect_old_or_new(const struct subject *subject)
{
  kh_keytable *table = load(subject);
  assert_int_equal(kh_keytable_check_follows(table, subject->run.known, KH_CIPHER_AES_CBC, NULL),
                   KH_OK);
  assert_int_equal(kh_keytable_version_count(table), is_old(subject) ? 2 : 4);
  if (!is_old(subject)) {
    assert_non_null(kh_keytable_find(table, 1, 3));
    assert_non_null(kh_keytable_find(table, 2, 3));
  }
  kh_keytable_free(&table);
}

/* What a failure left must not prevent the next rotation. */
static void expect_that_it_still_rotates(struct subject *subject)
{
  rotation_run *run = &subject->run;
  bool was_old = is_old(subject);
  rotation_free(run);
  assert_int_equal(rotation_run_it(run), KH_OK);
  assert_int_equal(run->rotated.made, was_old ? 2 : 0);
  assert_int_equal(run->rotated.taken, was_old ? 0 : 2);
  assert_false(rotation_has_temporary(run->path));
  expect_old_or_new(subject);
}

/* Calls whose failure has no effect on the change, apart from a warning that what another process
 * wrote meanwhile may be lost: the lock file keeps the mode that it was made with, the
 * temporary file does not exist in any case. */
static bool may_be_ignored(const char *name)
{
  static const char *const names[] = {"fchown", "fchmod", "flock", "close", "unlinkat"};
  for (size_t i = 0; i < COUNT(names); i++)
    if (strcmp(name, names[i]) == 0)
      return true;
  return false;
}

static bool is_of_engine(const char *name)
{
  return strcmp(name, "EVP_CIPHER_CTX_new") == 0 || strcmp(name, "EVP_CipherInit_ex2") == 0;
}

/* A thread that gets no memory for its area, or no context, uses one that all threads share. Its
 * area is made just before the engine's own calls. */
static bool has_slow_way(unsigned at)
{
  unsigned next = at;
  if (is_of_engine(test_calls.name[at - 1]))
    return true;
  while (next < test_calls.made && strcmp(test_calls.name[next], "calloc") == 0)
    next++;
  return strcmp(test_calls.name[at - 1], "calloc") == 0 && next < test_calls.made &&
         is_of_engine(test_calls.name[next]);
}

/* Rotates with a failure at one call. Returns false when there are fewer calls. */
static bool rotate_with_failure(struct subject *subject, unsigned at, int error)
{
  set_up(subject);
  rotation_run *run = &subject->run;
  test_calls = (calls){.armed = true, .at = at, .error = error};
  kh_status status = rotation_run_it(run);
  test_calls.armed = false;
  const char *struck = test_calls.made < at ? NULL : test_calls.name[at - 1];
  print_message("  %u %s: %s\n", at, struck != NULL ? struck : "-", status_name(status));
  expect_old_or_new(subject);
  assert_int_equal(is_old(subject), status != KH_OK && status != KH_E_FILE_FLUSH);
  bool is_warned = status == KH_OK && kh_keyfile_had_unseen(run->file);
  assert_true(status != KH_OK || struck == NULL || may_be_ignored(struck) || is_warned ||
              has_slow_way(at));
  if (status != KH_OK && run->fault.path.text[0] != '\0') /* a literal passphrase has no path */
    assert_string_equal(run->fault.path.text, run->path);
  assert_false(rotation_has_temporary(run->path));
  expect_that_it_still_rotates(subject);
  tear_down(subject);
  return struck != NULL;
}

static void fail_each_call(enum format format, int error)
{
  struct subject subject = {.format = format};
  unsigned at = 1;
  while (rotate_with_failure(&subject, at, error))
    at++;
  assert_in_range(at, 30, CALLS_MAX);
}

static void every_call_fails_in_turn_for_a_text_file(void **state)
{
  (void)state;
  fail_each_call(IN_TEXT, EIO);
  fail_each_call(IN_TEXT, ENOSPC);
}

static void every_call_fails_in_turn_for_an_encrypted_file(void **state)
{
  (void)state;
  fail_each_call(IN_OPENSSL, EIO);
}

static void every_call_fails_in_turn_for_a_sealed_file(void **state)
{
  (void)state;
  fail_each_call(IN_SEALED, EIO);
}

/* Rotates in a child that is killed at one call. Returns false when it ended before. */
static bool rotate_and_kill(struct subject *subject, unsigned at)
{
  set_up(subject);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    test_calls = (calls){.armed = true, .at = at, .kill = true};
    _exit(rotation_run_it(&subject->run) == KH_OK ? 0 : 1);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  bool killed = WIFSIGNALED(how);
  assert_true(killed ? WTERMSIG(how) == SIGKILL : WEXITSTATUS(how) == 0);
  expect_old_or_new(subject);
  expect_that_it_still_rotates(subject);
  tear_down(subject);
  return killed;
}

static void killed_at_every_call(void **state)
{
  (void)state;
  for (enum format format = 0; format < FORMATS; format++) {
    struct subject subject = {.format = format};
    unsigned at = 1;
    while (rotate_and_kill(&subject, at))
      at++;
    print_message("  %u calls\n", at - 1);
    assert_in_range(at, 30, CALLS_MAX);
  }
}

static void a_generator_that_does_not_start(void **state)
{
  (void)state;
  struct subject subject = {.format = IN_TEXT};
  set_up(&subject);
  test_calls = (calls){.armed = true, .at = 1, .only = "sodium_init", .error = EIO};
  assert_int_equal(rotation_run_it(&subject.run), KH_E_CRYPTO);
  test_calls.armed = false;
  assert_int_not_equal(access(test_path("keys.lock"), F_OK), 0); /* it is the first thing */
  tear_down(&subject);
}

static void change_the_file(void)
{
  test_text("keys", TEXT "3;" A16 "\n", 0600);
}

static void a_file_that_was_changed_meanwhile_is_not_replaced(void **state)
{
  (void)state;
  struct subject subject = {.format = IN_TEXT};
  static const char *const moments[] = {"openat", "write", "fsync"};
  for (size_t i = 0; i < COUNT(moments); i++) {
    set_up(&subject);
    test_calls = (calls){.armed = true, .at = 1, .only = moments[i], .meanwhile = change_the_file};
    assert_int_equal(rotation_run_it(&subject.run), KH_E_FILE_CHANGED);
    test_calls.armed = false;
    test_expect_content(subject.run.path, TEXT "3;" A16 "\n");
    assert_false(rotation_has_temporary(subject.run.path));
    tear_down(&subject);
  }
}

static void a_file_that_cannot_be_flushed_has_the_new_versions(void **state)
{
  (void)state;
  struct subject subject = {.format = IN_TEXT};
  set_up(&subject);
  test_calls = (calls){.armed = true, .at = 2, .only = "fsync", .error = EIO};
  assert_int_equal(rotation_run_it(&subject.run), KH_E_FILE_FLUSH);
  test_calls.armed = false;
  assert_false(is_old(&subject));
  expect_old_or_new(&subject);
  expect_that_it_still_rotates(&subject); /* they are taken, not made again */
  tear_down(&subject);
}

static void another_process_has_the_lock(void **state)
{
  (void)state;
  struct subject subject = {.format = IN_TEXT};
  KH_AUTO_LOCKFILE lock = NULL;
  set_up(&subject);
  assert_int_equal(kh_lockfile_take(subject.run.path, 0, &lock, NULL), KH_OK);
  time_flies = true;
  assert_int_equal(rotation_run_it(&subject.run), KH_E_FILE_LOCKED);
  time_flies = false;
  assert_string_equal(subject.run.fault.path.text, subject.run.path);
  assert_true(is_old(&subject));
  kh_lockfile_release(&lock);
  expect_that_it_still_rotates(&subject);
  tear_down(&subject);
}

/* a program may take long, and other servers wait for the lock only for a limited time */
static void the_passphrase_is_asked_for_before_the_lock_is_taken(void **state)
{
  (void)state;
  struct subject subject = {.format = IN_OPENSSL};
  char text[512], filekey[512];
  set_up(&subject);
  snprintf(text, sizeof text, "#!/bin/sh\nexec flock --nonblock '%s.lock' echo secret\n",
           subject.run.path);
  snprintf(filekey, sizeof filekey, "EXEC:%s", test_text("program", text, 0700));
  subject.run.filekey = filekey;
  assert_int_equal(rotation_run_it(&subject.run), KH_OK);
  assert_int_equal(subject.run.rotated.made, 2);
  tear_down(&subject);
}

enum { PROCESSES = 4, ROTATIONS = 10 };

/* Rotates all keys again and again, as a server that publishes the result of each rotation; exits
 * with the number of versions that were made. */
static void be_a_server(struct subject *subject)
{
  rotation_run *run = &subject->run;
  size_t made = 0;
  for (unsigned i = 0; i < ROTATIONS; i++) {
    kh_keytable *next = NULL;
    if (rotation_run_it(run) != KH_OK || kh_keytable_new(run->list, &next) != KH_OK ||
        kh_keytable_check_follows(next, run->known, KH_CIPHER_AES_CBC, NULL) != KH_OK)
      _exit(255);
    made += run->rotated.made;
    kh_keytable_free(&run->known);
    run->known = next;
    rotation_free(run);
  }
  _exit((int)made);
}

static void servers_that_rotate_at_once_lose_nothing(void **state)
{
  (void)state;
  for (enum format format = 0; format < FORMATS; format++) {
    struct subject subject = {.format = format};
    size_t made = 0;
    set_up(&subject);
    for (unsigned i = 0; i < PROCESSES; i++)
      if (fork() == 0)
        be_a_server(&subject);
    for (unsigned i = 0; i < PROCESSES; i++) {
      int how = 0;
      assert_true(wait(&how) > 0);
      assert_true(WIFEXITED(how) && WEXITSTATUS(how) != 255);
      made += (size_t)WEXITSTATUS(how);
    }
    kh_keytable *table = load(&subject);
    print_message("  %zu versions were made\n", made);
    assert_in_range(made, 2 * ROTATIONS, 2 * ROTATIONS * PROCESSES);
    assert_int_equal(kh_keytable_version_count(table), 2 + made);
    for (uint32_t version = 1; version <= 1 + made; version += KH_ROTATION_STEP)
      assert_non_null(kh_keytable_find(table, 1, version));
    kh_keytable_free(&table);
    tear_down(&subject);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_call_fails_in_turn_for_a_text_file),
      cmocka_unit_test(every_call_fails_in_turn_for_an_encrypted_file),
      cmocka_unit_test(every_call_fails_in_turn_for_a_sealed_file),
      cmocka_unit_test(killed_at_every_call),
      cmocka_unit_test(a_generator_that_does_not_start),
      cmocka_unit_test(a_file_that_was_changed_meanwhile_is_not_replaced),
      cmocka_unit_test(a_file_that_cannot_be_flushed_has_the_new_versions),
      cmocka_unit_test(another_process_has_the_lock),
      cmocka_unit_test(the_passphrase_is_asked_for_before_the_lock_is_taken),
      cmocka_unit_test(servers_that_rotate_at_once_lose_nothing),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
