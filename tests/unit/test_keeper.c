/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: fsync kh_unlock */
/* slow: pauses where the file changes while it is read */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engines.h"
#include "files.h"
#include "keepers.h"
#include "threads.h"
#include "unit.h"
#include "wrap.h"
#include "wrapped_unlock.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f"
#define KEY_B "101112131415161718191a1b1c1d1e1f"
#define KEY_C "202122232425262728292a2b2c2d2e2f"

static recorder said;
static char path[1024];
static kh_keeper_token token; /* of the last change that was prepared */

static unsigned flushes; /* of files and folders */
static bool no_flush;
static kh_keeper *committed_in_flush; /* a thread that commits while another one prepares */
static kh_keeper_token token_in_flush;

static const char *changed_in_flush; /* the file's content after a change in the meantime */
static unsigned changes;             /* how often */

static void write_keys(const char *text);

WRAPS(fsync);
int __wrap_fsync(int fd)
{
  (void)fd;
  errno = EIO;
  flushes++;
  if (changes > 0) {
    changes--;
    write_keys(changed_in_flush);
  }
  if (committed_in_flush != NULL)
    kh_keeper_commit(committed_in_flush, token_in_flush);
  return no_flush ? -1 : 0;
}

static void write_keys(const char *text)
{
  snprintf(path, sizeof path, "%s", test_text("keys.txt", text, 0600));
}

static kh_keeper *keeper_of(const char *text)
{
  kh_keeper *keeper = NULL;
  kh_fault fault;
  write_keys(text);
  kh_keeper_options wanted = keeper_options(recorder_log(&said));
  assert_int_equal(file_keeper_new(path, test_engines, &wanted, &keeper, &fault), KH_OK);
  return keeper;
}

static int reset(void **state)
{
  token = 0;
  return keeper_reset_clock(state);
}

/* SHOW STATUS has the fingerprint of the keys that are in force */
static void assert_fingerprint(kh_keeper *keeper)
{
  const kh_keyring *ring = kh_keeper_ring(keeper);
  kh_fingerprint expected = kh_keytable_fingerprint(kh_keyring_begin(ring));
  kh_keyring_end(ring);
  assert_string_equal(kh_keeper_get_stats(keeper).fingerprint.text, expected.text);
}

static void a_load_is_logged(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n2;3;" KEY_B ";rotate=1h\n");
  recorder_expect(&said, ": 2 keys with 2 versions from '");
  recorder_expect(&said,
                  "keys.txt' (text), aes-cbc; latest: key id 1 version 1, key id 2 version 3\n");
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.ids, 2);
  assert_int_equal(stats.versions, 2);
  assert_int_equal(stats.generation, 1);
  assert_fingerprint(keeper);
  assert_string_equal(stats.format, "text");
  assert_int_equal(stats.last_reload, 1000000000);
  assert_string_equal(stats.last_result, "ok");
  assert_true(stats.last_reload_ok);
  assert_int_equal(stats.last_load, 1000000000);
  assert_int_equal(stats.oldest_latest, 0); /* no age is known */
  assert_int_equal(stats.overdue, 1);
  assert_int_equal(stats.rotations, 0);
  assert_int_equal(stats.failures, 0);
  assert_int_equal(stats.next_rotation, 3600); /* its age is unknown */
  kh_keeper_free(&keeper);
  assert_null(keeper);
}

/* an editor may not have flushed the file before the server was started */
static void what_is_loaded_is_on_the_disk(void **state)
{
  (void)state;
  flushes = 0;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  assert_int_equal(flushes, 2); /* the file and its folder */
  kh_keeper_free(&keeper);
  no_flush = true;
  keeper = keeper_of("1;" KEY_A "\n");
  no_flush = false;
  recorder_expect(&said, "the key file was not flushed to the disk: ");
  assert_int_equal(keeper_latest(keeper, 1), 1);
  kh_keeper_free(&keeper);
}

static void a_bad_file_is_not_loaded(void **state)
{
  (void)state;
  kh_keeper *keeper = NULL;
  kh_fault fault;
  write_keys("1;" KEY_A "\nnonsense\n");
  kh_keeper_options wanted = keeper_options(recorder_log(&said));
  assert_int_equal(file_keeper_new(path, test_engines, &wanted, &keeper, &fault), KH_E_SYNTAX);
  assert_int_equal(fault.line, 2);
  assert_null(keeper);
}

static void a_reload_takes_effect_with_its_commit(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  write_keys("1;" KEY_A "\n1;3;" KEY_B "\n7;" KEY_C "\n");
  atomic_store(&keeper_now, 1000000060);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  assert_int_equal(keeper_latest(keeper, 7), 0);
  assert_fingerprint(keeper);
  assert_int_equal(kh_keeper_get_stats(keeper).last_load, 1000000000);
  kh_keeper_commit(keeper, token);
  assert_fingerprint(keeper);
  assert_int_equal(keeper_latest(keeper, 1), 3);
  assert_int_equal(keeper_latest(keeper, 7), 1);
  recorder_expect(
      &said, "keys.txt' (text) reloaded: 2 keys with 3 versions; new: key id 1 version 3, key id 7 "
             "version 1\n");
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.generation, 2);
  assert_int_equal(stats.versions, 3);
  assert_int_equal(stats.last_reload, 1000000060);
  assert_int_equal(stats.last_load, 1000000060);
  kh_keeper_commit(keeper, token); /* nothing is left to put in force */
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 2);
  kh_keeper_free(&keeper);
}

/* InnoDB re-encrypts nothing for a version that is 1 above the one before */
/* Other warnings foresee the end of the version numbers. */
static unsigned warnings_of(const char *part)
{
  unsigned count = 0;
  for (const char *at = strstr(said.text, part); at != NULL; at = strstr(at + 1, part))
    count++;
  return count;
}

static void a_version_that_moves_nothing_is_warned_of(void **state)
{
  (void)state;
  static const char two[] =
      "InnoDB does not re-encrypt data from key id 1 version 1 to 2, key id 9 "
      "version 4294967293 to 4294967294: a new version must be more than "
      "innodb_encryption_rotate_key_age (default: 1) above the one before; "
      "rotate these keys, which adds 2\n";
  kh_keeper *keeper =
      keeper_of("1;" KEY_A "\n2;" KEY_B "\n7;4;" KEY_C "\n9;4294967293;" KEY_C "\n");
  write_keys("1;" KEY_A "\n1;2;" KEY_B "\n2;" KEY_B "\n2;2;" KEY_A "\n2;3;" KEY_C "\n7;4;" KEY_C
             "\n7;3;" KEY_A "\n8;" KEY_A "\n8;2;" KEY_B "\n9;4294967293;" KEY_C
             "\n9;4294967294;" KEY_A "\n");
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  assert_false(recorder_has(&said, "re-encrypt"));
  kh_keeper_commit(keeper, token);
  recorder_expect(&said, two);
  assert_int_equal(warnings_of("InnoDB does not re-encrypt data"), 1);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token); /* nothing is new */
  assert_int_equal(warnings_of("InnoDB does not re-encrypt data"), 1);
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 1, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 1), 4);
  assert_int_equal(warnings_of("InnoDB does not re-encrypt data"), 1);
  kh_keeper_free(&keeper);
}

static void the_warning_of_many_such_versions_is_one_line(void **state)
{
  (void)state;
  char text[16384] = "";
  size_t len = 0;
  for (unsigned id = 1; id <= 60; id++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%u;4294967290;" KEY_A "\n", id);
  kh_keeper *keeper = keeper_of(text);
  for (unsigned id = 1; id <= 60; id++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%u;4294967291;" KEY_B "\n", id);
  write_keys(text);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  recorder_expect(&said, "data from key id 1 version 4294967290 to 4294967291, key id 2 version ");
  recorder_expect(&said, " and 55 more: a new version must be more than ");
  recorder_expect(&said, "; rotate these keys, which adds 2\n");
  assert_int_equal(warnings_of("InnoDB does not re-encrypt data"), 1);
  kh_keeper_free(&keeper);
}

static const struct {
  const char *text;
  kh_status status;
  const char *sentence;
} refused[] = {
    {"1;" KEY_A "\n5;2;" KEY_B "\n", KH_E_KEY_LOST, "Key id 5 version 4 is missing in"},
    {"1;" KEY_A "\n5;2;" KEY_B "\n5;4;" KEY_A "\n", KH_E_KEY_CHANGED, "Line 3 of"},
    {"1;" KEY_A ";cipher=aes-ctr\n5;2;" KEY_B "\n5;4;" KEY_C "\n", KH_E_CIPHER_CHANGED,
     "Line 1 of"},
    {"1;" KEY_A "\n5;2;" KEY_B "\n5;4;" KEY_C "\n6;xyz\n", KH_E_KEY_HEX, "line 4"},
    {"", KH_E_NO_SYSTEM_KEY, "System key id 1"},
};

/* a start may wait for a person who types the passphrase; a later wait blocks other sessions */
static void only_a_start_waits_for_the_passphrase_without_limit(void **state)
{
  (void)state;
  unlock_was_limited = true;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  assert_false(unlock_was_limited);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  assert_true(unlock_was_limited);
  unlock_was_limited = false;
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 1, &token, NULL), KH_OK);
  assert_true(unlock_was_limited);
  kh_keeper_free(&keeper);
}

static void a_reload_that_loses_something_is_refused(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n5;2;" KEY_B "\n5;4;" KEY_C "\n");
  for (size_t i = 0; i < COUNT(refused); i++) {
    kh_fault fault;
    atomic_store(&keeper_now, 1000000060);
    write_keys(refused[i].text);
    assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), refused[i].status);
    char sentence[KH_MESSAGE_MAX];
    kh_fault_describe(&fault, sentence, sizeof sentence);
    assert_non_null(strstr(sentence, refused[i].sentence));
    assert_non_null(strstr(sentence, "keys.txt"));
    kh_keeper_commit(keeper, token);
    kh_keeper_stats stats = kh_keeper_get_stats(keeper);
    assert_int_equal(stats.failures, i + 1);
    assert_int_equal(stats.generation, 1);
    assert_string_equal(stats.last_result, sentence);
    assert_false(stats.last_reload_ok);
    assert_int_equal(stats.last_reload, 1000000060);
    assert_int_equal(stats.last_load, 1000000000);
    assert_int_equal(keeper_latest(keeper, 5), 4);
  }
  write_keys("1;" KEY_A "\n5;2;" KEY_B "\n5;4;" KEY_C "\n");
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  assert_true(kh_keeper_get_stats(keeper).last_reload_ok);
  assert_int_equal(kh_keeper_get_stats(keeper).last_load, 1000000060);
  kh_keeper_free(&keeper);
}

/* another server rotates at the same time */
static void a_file_that_changes_is_read_again(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  write_keys("1;" KEY_A "\n1;3;" KEY_B "\n");
  changed_in_flush = "1;" KEY_A "\n1;3;" KEY_B "\n1;5;" KEY_C "\n";
  changes = 4;
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 1), 5);
  changes = 5;
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_E_FILE_CHANGED);
  changes = 0;
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  kh_keeper_free(&keeper);
}

/* data that was written since the server started may need them */
static void what_is_retired_stays_until_the_end(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n5;2;" KEY_B "\n5;4;" KEY_C "\n");
  write_keys("1;" KEY_A "\n5;2;retired\n5;4;" KEY_C "\n");
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  kh_keeper_commit(keeper, token);
  recorder_expect(
      &said, "reloaded: 2 keys with 3 versions; new: none; 1 retired, kept in memory until the "
             "server stops\n");
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 5, &token, &fault), KH_OK);
  kh_keeper_commit(keeper, token);
  recorder_expect(&said,
                  "rotated: 2 keys with 4 versions; new: key id 5 version 6; 1 retired, kept");
  const kh_keytable *table = kh_keyring_begin(kh_keeper_ring(keeper));
  bool is_kept = kh_keytable_find(table, 5, 2) != NULL;
  kh_keyring_end(kh_keeper_ring(keeper));
  assert_true(is_kept);
  kh_keeper_free(&keeper);
  kh_keeper_options wanted = keeper_options(recorder_log(&said));
  assert_int_equal(file_keeper_new(path, test_engines, &wanted, &keeper, &fault), KH_OK);
  assert_int_equal(kh_keeper_get_stats(keeper).versions, 3);
  kh_keeper_free(&keeper);
}

/* the next statement keeps what one prepared and did not put in force */
static void a_change_that_was_passed_over_is_taken_by_the_next(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n2;" KEY_B "\n");
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 1, &token, &fault), KH_OK);
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 2, &token, &fault), KH_OK);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 1), 3);
  assert_int_equal(keeper_latest(keeper, 2), 3);
  kh_keeper_free(&keeper);
}

/* two changes at once: the second was compared with a table that is no longer in force */
static void a_change_that_no_longer_follows_is_dropped_and_logged(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  write_keys("1;" KEY_A "\n7;" KEY_C "\n");
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  write_keys("1;" KEY_A "\n8;" KEY_C "\n");
  token_in_flush = token;
  committed_in_flush = keeper;
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  committed_in_flush = NULL;
  assert_int_equal(keeper_latest(keeper, 7), 1);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 7), 1);
  assert_int_equal(keeper_latest(keeper, 8), 0);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  recorder_expect(&said, "was not loaded: other keys were loaded meanwhile: ");
  recorder_expect(&said, "Key id 7 version 1 is missing in '");
  kh_keeper_free(&keeper);
}

static void a_rotation_writes_and_then_takes_effect(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("# ours\n1;" KEY_A "\n2;" KEY_B ";rotate=30d\n");
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 2, &token, &fault), KH_OK);
  assert_int_equal(keeper_latest(keeper, 2), 1);
  assert_fingerprint(keeper);
  kh_keeper_commit(keeper, token);
  assert_fingerprint(keeper);
  assert_int_equal(keeper_latest(keeper, 1), 1);
  assert_int_equal(keeper_latest(keeper, 2), 3);
  recorder_expect(&said,
                  "keys.txt' (text) rotated: 2 keys with 3 versions; new: key id 2 version 3\n");
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.rotations, 1);
  assert_int_equal(stats.next_rotation, 1000000000 + 30 * 86400);

  /* another process that starts now finds the same keys */
  kh_keeper *other = NULL;
  kh_keeper_options wanted = keeper_options(recorder_log(&said));
  assert_int_equal(file_keeper_new(path, test_engines, &wanted, &other, &fault), KH_OK);
  assert_int_equal(keeper_latest(other, 2), 3);

  assert_int_equal(kh_keeper_prepare_rotation(keeper, 0, &token, &fault), KH_OK);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 1), 3);
  assert_int_equal(keeper_latest(keeper, 2), 5);
  assert_int_equal(kh_keeper_get_stats(keeper).rotations, 3);

  /* asked to rotate, it takes those versions instead of making its own */
  recorder_log(&said);
  assert_int_equal(kh_keeper_prepare_rotation(other, 0, &token, &fault), KH_OK);
  kh_keeper_commit(other, token);
  assert_int_equal(keeper_latest(other, 1), 3);
  assert_int_equal(keeper_latest(other, 2), 5);
  assert_int_equal(kh_keeper_get_stats(other).rotations, 0);
  recorder_expect(
      &said,
      "reloaded (another server rotated it): 2 keys with 5 versions; new: key id 1 version 3, key "
      "id 2 version 5\n");
  kh_keeper_free(&keeper);
  kh_keeper_free(&other);
}

/* what monitoring sees of a key that comes due, and of its rotation */
static void keys_are_overdue_until_they_are_rotated(void **state)
{
  (void)state;
  kh_keeper *keeper = keeper_of("1;" KEY_A ";created=2001-09-08;rotate=1d\n"
                                "1;3;" KEY_B ";created=2001-09-09\n"
                                "2;" KEY_B ";created=2001-09-09;rotate=1d\n"
                                "3;" KEY_C ";created=2001-09-09;rotate=2d\n");
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.overdue, 0);
  assert_int_equal(stats.next_rotation, 999993600 + 86400);
  assert_int_equal(stats.oldest_latest, 999993600);
  static const struct {
    uint32_t now;
    size_t overdue;
  } cases[] = {{999993600 + 86399, 0}, {999993600 + 86400, 1}, {999993600 + 2 * 86400, 2}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    atomic_store(&keeper_now, cases[i].now);
    assert_int_equal(kh_keeper_get_stats(keeper).overdue, cases[i].overdue);
  }
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 2, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.overdue, 1);
  assert_int_equal(stats.last_load, 999993600 + 2 * 86400);
  assert_int_equal(stats.last_reload, 1000000000);
  assert_int_equal(stats.oldest_latest, 999993600);
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 0, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
  stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.overdue, 0);
  assert_int_equal(stats.oldest_latest, 999993600 + 2 * 86400);
  kh_keeper_free(&keeper);
}

static void a_rotation_of_an_unknown_key_is_refused(void **state)
{
  (void)state;
  kh_fault fault;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 9, &token, &fault), KH_E_KEY_NOT_FOUND);
  assert_int_equal(fault.key_id, 9);
  kh_keeper_commit(keeper, token);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
  kh_keeper_free(&keeper);
}

/* as many versions as a line holds are named, the others are counted */
static void many_new_versions_fit_a_line(void **state)
{
  (void)state;
  enum { IDS = 400 };
  kh_fault fault;
  static char text[IDS * 64];
  size_t len = 0;
  kh_keeper *keeper = keeper_of("1;" KEY_A "\n");
  for (unsigned id = 1; id <= IDS; id++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%u;%s\n", id, KEY_A);
  write_keys(text);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  kh_keeper_commit(keeper, token);
  const char *line = strstr(said.text, "reloaded: 400 keys");
  assert_non_null(line);
  assert_non_null(strstr(line, "new: key id 2 version 1, key id 3 version 1, "));
  const char *more = strstr(line, " and ");
  unsigned left = 0;
  assert_non_null(more);
  assert_int_equal(sscanf(more, " and %u more\n", &left), 1);
  assert_in_range(left, 300, 398);
  kh_keeper_free(&keeper);
}

/* readers continue while one thread reloads and another rotates, without a pause */
enum { READERS = 2, ROUNDS = 60 };

struct shared {
  kh_keeper *keeper;
  atomic_bool stop;
  atomic_uint wrong;
};

static bool look_up(void *argument, size_t number)
{
  struct shared *shared = argument;
  (void)number;
  const kh_keyring *ring = kh_keeper_ring(shared->keeper);
  uint32_t before = 0;
  while (!atomic_load(&shared->stop)) {
    const kh_keytable *table = kh_keyring_begin(ring);
    uint32_t version = 0;
    const kh_key *first = kh_keytable_find(table, 1, 1);
    bool good = kh_keytable_latest(table, 1, &version) == KH_OK && version >= before &&
                kh_keytable_find(table, 1, version) != NULL && first != NULL &&
                first->bytes[15] == 0x0f;
    kh_keyring_end(ring);
    before = version;
    if (!good)
      atomic_fetch_add(&shared->wrong, 1);
  }
  return true;
}

static bool reload_on_and_on(void *argument, size_t number)
{
  struct shared *shared = argument;
  (void)number;
  kh_fault fault;
  while (!atomic_load(&shared->stop)) {
    kh_keeper_token mine = 0;
    if (kh_keeper_prepare_reload(shared->keeper, &mine, &fault) != KH_OK &&
        fault.status != KH_E_FILE_CHANGED)
      atomic_fetch_add(&shared->wrong, 1);
    kh_keeper_commit(shared->keeper, mine);
    (void)kh_keeper_get_stats(shared->keeper);
  }
  return true;
}

static void readers_while_keys_change(void **state)
{
  (void)state;
  kh_fault fault;
  threads running = {.count = 0};
  struct shared shared = {.keeper = keeper_of("1;" KEY_A "\n")};
  threads_start(&running, READERS, look_up, &shared);
  threads_start(&running, 1, reload_on_and_on, &shared);
  for (size_t i = 0; i < ROUNDS; i++) {
    assert_int_equal(kh_keeper_prepare_rotation(shared.keeper, 1, &token, &fault), KH_OK);
    kh_keeper_commit(shared.keeper, token);
  }
  atomic_store(&shared.stop, true);
  threads_join(&running);
  assert_int_equal(atomic_load(&shared.wrong), 0);
  assert_true(keeper_latest(shared.keeper, 1) > ROUNDS);
  kh_keeper_free(&shared.keeper);
}

static void free_takes_nothing(void **state)
{
  (void)state;
  kh_keeper *keeper = NULL;
  kh_keeper_free(&keeper);
  kh_keeper_free(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_load_is_logged, reset),
      cmocka_unit_test_setup(what_is_loaded_is_on_the_disk, reset),
      cmocka_unit_test_setup(a_bad_file_is_not_loaded, reset),
      cmocka_unit_test_setup(a_reload_takes_effect_with_its_commit, reset),
      cmocka_unit_test_setup(a_version_that_moves_nothing_is_warned_of, reset),
      cmocka_unit_test_setup(the_warning_of_many_such_versions_is_one_line, reset),
      cmocka_unit_test_setup(only_a_start_waits_for_the_passphrase_without_limit, reset),
      cmocka_unit_test_setup(a_reload_that_loses_something_is_refused, reset),
      cmocka_unit_test_setup(a_file_that_changes_is_read_again, reset),
      cmocka_unit_test_setup(what_is_retired_stays_until_the_end, reset),
      cmocka_unit_test_setup(a_change_that_was_passed_over_is_taken_by_the_next, reset),
      cmocka_unit_test_setup(a_change_that_no_longer_follows_is_dropped_and_logged, reset),
      cmocka_unit_test_setup(a_rotation_writes_and_then_takes_effect, reset),
      cmocka_unit_test_setup(keys_are_overdue_until_they_are_rotated, reset),
      cmocka_unit_test_setup(a_rotation_of_an_unknown_key_is_refused, reset),
      cmocka_unit_test_setup(many_new_versions_fit_a_line, reset),
      cmocka_unit_test_setup(readers_while_keys_change, reset),
      cmocka_unit_test(free_takes_nothing),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
