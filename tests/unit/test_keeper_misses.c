/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread */
/* Keys that are asked for and not in force: they are looked up in the background, and logged if the
 * store does not have them. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/keeper/auto_lookup.h"
#include "core/keeper/log_messages.h"
#include "keepers.h"
#include "tasks.h"
#include "threads.h"
#include "unit.h"

static fake_store fake;
static recorder said;
static kh_keeper *keeper;

static const fake_key one_key[] = {FAKE_KEY(1, 1, 0xa1)};

static void run_keeper(const kh_store_ops *ops)
{
  keeper = fake_keeper_start(&fake, ops, one_key, COUNT(one_key), &said);
}

/* with its thread, which has looked once */
static void run_background(void)
{
  run_keeper(&fake_store_ops);
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){0}), KH_OK);
}

static int stop(void **state)
{
  (void)state;
  kh_keeper_free(&keeper);
  return 0;
}

static unsigned lookups(void)
{
  pthread_mutex_lock(&fake.mutex);
  unsigned count = fake.lookups;
  pthread_mutex_unlock(&fake.mutex);
  return count;
}

static void await_lookups(unsigned count)
{
  assert_true(TEST_COMES(lookups() >= count));
}

static void a_miss_is_noted_once(void **state)
{
  (void)state;
  kh_misses misses = {0};
  assert_true(kh_misses_add(&misses, (kh_miss){7, 0}));
  assert_true(kh_misses_add(&misses, (kh_miss){7, 3}));
  assert_false(kh_misses_add(&misses, (kh_miss){7, 0}));
  assert_false(kh_misses_add(&misses, (kh_miss){0, 3})); /* no key has this id */
  assert_int_equal(misses.noted, 2);
  assert_int_equal(misses.dropped, 0);
}

static void there_is_room_for_so_many(void **state)
{
  (void)state;
  kh_misses misses = {0};
  for (uint32_t i = 1; i <= KH_KEEPER_MISSES_MAX; i++)
    assert_true(kh_misses_add(&misses, (kh_miss){UINT32_MAX, i}));
  for (uint32_t i = 1; i <= KH_KEEPER_MISSES_MAX; i++)
    assert_false(kh_misses_add(&misses, (kh_miss){UINT32_MAX, i}));
  assert_int_equal(misses.dropped, 0);
  assert_false(kh_misses_add(&misses, (kh_miss){9, 9}));
  assert_int_equal(misses.noted, KH_KEEPER_MISSES_MAX);
  assert_int_equal(misses.dropped, 1);
  kh_misses_forget(&misses, 5);
  assert_int_equal(kh_misses_at(&misses, 5).id, 0);
  assert_true(kh_misses_add(&misses, (kh_miss){9, 9}));
  assert_int_equal(kh_misses_at(&misses, 5).id, 9);
  assert_int_equal(kh_misses_at(&misses, 5).version, 9);
}

enum { THREADS = 4, IDS = 40 };

static bool add_all(void *shared, size_t number)
{
  kh_misses *misses = shared;
  (void)number;
  for (uint32_t id = 1; id <= IDS; id++)
    (void)kh_misses_add(misses, (kh_miss){id, id});
  return true;
}

static void threads_note_each_miss_once(void **state)
{
  (void)state;
  kh_misses misses = {0};
  threads_run(THREADS, add_all, &misses);
  assert_int_equal(misses.noted, IDS);
  assert_int_equal(misses.dropped, 0);
}

static unsigned errors(void)
{
  return said.count[KH_LOG_QUIET_ERROR];
}

static void assert_missing(uint64_t count, const char *last)
{
  kh_keeper_stats stats = kh_keeper_get_stats(keeper);
  assert_int_equal(stats.missing, count);
  assert_string_equal(stats.last_missing, last);
}

static void reload(const fake_key *keys, size_t count)
{
  kh_keeper_token token;
  fake_store_set(&fake, keys, count);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
}

static void a_missing_version_is_an_error_once(void **state)
{
  (void)state;
  static const fake_key keys[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(3, 1, 0xc1), FAKE_KEY(3, 2, 0xc2),
                                  FAKE_KEY(3, 5, 0xc5), FAKE_KEY(7, 1, 0xd1)};
  keeper = fake_keeper_start(&fake, &fake_store_ops_bare, keys, COUNT(keys), &said);
  for (int i = 0; i < 3; i++)
    kh_keeper_note_miss(keeper, 3, 6);
  recorder_expect(&said, "key id 3 version 6 is missing in 'fake:1' and data needs it. The data is "
                         "intact: do not drop tables; put the key back, then restart the server "
                         "(mariadb-backup: prepare a new copy). Versions of it there: 1 to 2, 5\n");
  assert_int_equal(errors(), 1);
  assert_missing(1, "3 version 6");
  kh_keeper_note_miss(keeper, 9, 4); /* a version is one that data has, of an unknown id too */
  recorder_expect(&said, "key id 9 version 4 is missing");
  recorder_expect(&said, "Key ids there: 1, 3, 7\n");
  assert_int_equal(errors(), 2);
  assert_missing(2, "9 version 4");
}

/* CREATE TABLE asks for it, and so does an old table */
static void an_unknown_key_id_is_a_warning_once(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare);
  for (int i = 0; i < 3; i++)
    kh_keeper_note_miss(keeper, 7, 0);
  kh_keeper_note_miss(keeper, 7, KH_KEY_VERSION_MAX + 1u); /* the server's word for no version */
  recorder_expect(&said,
                  "key id 7 is missing in 'fake:1'. If CREATE TABLE or ALTER TABLE named it: "
                  "add the key, or name another one. If a table has it: the table is "
                  "intact; do not drop it, put the key back, then restart the server. Key "
                  "ids there: 1\n");
  assert_int_equal(said.count[KH_LOG_QUIET_WARNING], 1);
  assert_int_equal(errors(), 0);
  assert_missing(0, "");
}

static void the_key_id_of_temporary_files_is_a_note(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare);
  kh_keeper_note_miss(keeper, KH_KEY_ID_TEMPORARY, 0);
  recorder_expect(&said, "key id 2 is missing in 'fake:1': temporary files are encrypted with key "
                         "id 1 instead; only a table with ENCRYPTION_KEY_ID=2 needs it");
  assert_int_equal(said.count[KH_LOG_QUIET_WARNING], 0);
  kh_keeper_note_miss(keeper, KH_KEY_ID_TEMPORARY, 1);
  assert_int_equal(errors(), 1);
}

static void a_retired_version_is_called_so(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare);
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  assert_int_equal(kh_keylist_new(1, &list), KH_OK);
  *kh_keylist_next(list) = (kh_key){.id = 1, .version = 3, .len = 16};
  kh_keylist_commit(list);
  assert_int_equal(kh_keylist_retire(list, &(kh_retired){.id = 1, .version = 2}), KH_OK);
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  kh_message message = kh_message_missing(keeper, (kh_miss){1, 2}, table);
  assert_non_null(strstr(message.text, "key id 1 version 2 is retired in 'fake:1' and data"));
}

/* The list of what there is is cut, and nothing else. */
static void many_versions_do_not_cut_the_advice(void **state)
{
  (void)state;
  static fake_key keys[FAKE_KEYS_MAX - 1];
  for (uint32_t i = 0; i < COUNT(keys); i++)
    keys[i] = (fake_key)FAKE_KEY(1, 4000000000u + 2 * i, 0xa1);
  keeper = fake_keeper_start(&fake, &fake_store_ops_bare, keys, COUNT(keys), &said);
  kh_keeper_note_miss(keeper, 1, 3);
  recorder_expect(&said,
                  "then restart the server (mariadb-backup: prepare a new copy). Versions of "
                  "it there: 4000000000, 4000000002, ");
  recorder_expect(&said, ", ...\n");
}

static void the_longest_path_leaves_the_advice_whole(void **state)
{
  (void)state;
  static const char advice[] = "then restart the server";
  kh_message line = {""};
  run_keeper(&fake_store_ops_bare);
  const kh_keytable *table = kh_keyring_begin(kh_keeper_ring(keeper));
  kh_miss misses[] = {{KH_KEY_ID_MAX, KH_KEY_VERSION_MAX}, {KH_KEY_ID_MAX, 0}};
  for (size_t i = 0; i < COUNT(misses); i++) {
    line = kh_message_missing(keeper, misses[i], table);
    size_t end = (size_t)(strstr(line.text, advice) - line.text) + sizeof advice - 1;
    assert_true(end - strlen("fake:1") + KH_PATH_SHOWN_MAX < KH_LINE_MAX);
  }
  kh_keyring_end(kh_keeper_ring(keeper));
}

/* Key ids that a user makes up take no room from versions that data needs. */
static void so_many_are_logged_and_the_rest_counted(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops_bare);
  for (uint32_t id = 100; id < 100 + 2 * KH_KEEPER_MISSES_MAX; id++)
    kh_keeper_note_miss(keeper, id, 0);
  assert_int_equal(said.count[KH_LOG_QUIET_WARNING], KH_KEEPER_MISSES_MAX + 1);
  recorder_expect(&said, "'fake:1' lacks more than 64 keys that the server asked for; further ones "
                         "are not logged\n");
  for (uint32_t i = 1; i <= KH_KEEPER_MISSES_MAX; i++)
    kh_keeper_note_miss(keeper, 1, 1 + i);
  assert_int_equal(errors(), KH_KEEPER_MISSES_MAX);
  assert_missing(KH_KEEPER_MISSES_MAX, "1 version 65");
  kh_keeper_note_miss(keeper, 1, 2 + KH_KEEPER_MISSES_MAX);
  assert_int_equal(errors(), KH_KEEPER_MISSES_MAX);
  assert_missing(KH_KEEPER_MISSES_MAX + 1, "1 version 66");
  assert_int_equal(said.count[KH_LOG_QUIET_WARNING], KH_KEEPER_MISSES_MAX + 2);
}

/* Servers ask for it at each start, with no table that has it. */
static void the_key_id_of_temporary_files_is_brought_without_a_warning(void **state)
{
  (void)state;
  static const fake_key keys[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(2, 1, 0xb1)};
  run_keeper(&fake_store_ops_bare);
  kh_keeper_note_miss(keeper, KH_KEY_ID_TEMPORARY, 0);
  reload(keys, COUNT(keys));
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

/* InnoDB remembers that the key was missing, so the key that comes is not enough. */
static void a_reload_that_brings_a_missing_key_warns(void **state)
{
  (void)state;
  static const char sentence[] = "'fake:1' has keys now that the server asked for in vain before. "
                                 "If a table with one of them existed then, InnoDB remembers that "
                                 "its key was missing: restart the server before writing to such a "
                                 "table. Key ids: ";
  static const fake_key keys[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xa3), FAKE_KEY(7, 1, 0xc1),
                                  FAKE_KEY(9, 1, 0xd1)};
  run_keeper(&fake_store_ops_bare);
  kh_keeper_note_miss(keeper, 1, 3);
  kh_keeper_note_miss(keeper, 7, 0);
  kh_keeper_note_miss(keeper, 8, 1);
  reload(keys, 1);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
  reload(keys, COUNT(keys));
  recorder_expect(&said, sentence);
  recorder_expect(&said, "Key ids: 1, 7\n");
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
  reload(keys, COUNT(keys));
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
  assert_missing(2, "8 version 1"); /* they remain known */
}

/* for another reload, which brings it only now */
static void a_reload_that_brings_half_warns_of_the_rest_later(void **state)
{
  (void)state;
  static const fake_key keys[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 1, 0xc1), FAKE_KEY(7, 3, 0xc3)};
  run_keeper(&fake_store_ops_bare);
  kh_keeper_note_miss(keeper, 7, 0);
  kh_keeper_note_miss(keeper, 7, 3);
  reload(keys, 2);
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
  reload(keys, 3);
  assert_int_equal(said.count[KH_LOG_WARNING], 2);
}

static kh_status rotate(uint32_t id, kh_fault *ret_fault)
{
  kh_keeper_token token = 0;
  kh_status status = kh_keeper_prepare_rotation(keeper, id, &token, ret_fault);
  kh_keeper_commit(keeper, token);
  return status;
}

/* It would make another key with a number that data uses. */
static void an_old_copy_is_not_rotated(void **state)
{
  (void)state;
  static const fake_key old[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 1, 0xc1)};
  static const fake_key right[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xa2), FAKE_KEY(7, 1, 0xc1),
                                   FAKE_KEY(7, 5, 0xc5)};
  keeper = fake_keeper_start(&fake, &fake_store_ops, old, COUNT(old), &said);
  kh_keeper_note_miss(keeper, 7, 5);
  kh_keeper_note_miss(keeper, 9, 3); /* not one of this store: it says nothing about its keys */
  assert_int_equal(rotate(7, NULL), KH_E_VERSION_NEEDED);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  assert_int_equal(rotate(0, NULL), KH_OK); /* key id 1 */
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 2);
  assert_int_equal(keeper_latest(keeper, 1), 3);
  assert_int_equal(keeper_latest(keeper, 7), 1);
  fake_store_set(&fake, right, COUNT(right));
  assert_int_equal(rotate(7, NULL), KH_OK);
}

/* A version that was ready and was never put in force may have been used by another server. */
static void a_version_that_was_seen_is_not_made_again(void **state)
{
  (void)state;
  static const fake_key old[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 1, 0xc1)};
  static const fake_key seen[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 1, 0xc1), FAKE_KEY(7, 3, 0xc3)};
  kh_keeper_token token;
  keeper = fake_keeper_start(&fake, &fake_store_ops, old, COUNT(old), &said);
  fake_store_set(&fake, seen, COUNT(seen));
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  fake_store_set(&fake, old, COUNT(old));
  assert_int_equal(rotate(7, NULL), KH_E_VERSION_NEEDED);
  assert_int_equal(rotate(1, NULL), KH_OK);
}

/* The versions that are not recorded may be of any key id. */
static void nothing_is_rotated_while_more_are_missing_than_recorded(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  for (uint32_t i = 0; i < KH_KEEPER_MISSES_MAX; i++)
    kh_keeper_note_miss(keeper, 100 + i, 3);
  assert_int_equal(rotate(1, NULL), KH_OK);
  kh_keeper_note_miss(keeper, 99, 3);
  assert_int_equal(rotate(1, NULL), KH_E_VERSION_NEEDED);
}

/* It neither counts as missing nor holds up a rotation. */
static void a_version_of_a_damaged_page_changes_nothing(void **state)
{
  (void)state;
  kh_fault fault;
  run_keeper(&fake_store_ops);
  for (int i = 0; i < 2; i++)
    kh_keeper_note_miss(keeper, 1, 1 + KH_VERSIONS_AHEAD_MAX + 1);
  assert_int_equal(errors(), 1);
  recorder_expect(&said,
                  "key id 1 version 1002 is missing in 'fake:1', and no rotation made it: it "
                  "is far above 1, the highest one, so the page that names it is damaged. "
                  "Find the table with CHECK TABLE, and restore it from a backup\n");
  assert_missing(0, "");
  assert_int_equal(rotate(1, NULL), KH_OK);
  kh_keeper_note_miss(keeper, 1, 1 + KH_VERSIONS_AHEAD_MAX);
  assert_missing(1, "1 version 1001");
  assert_int_equal(rotate(1, &fault), KH_E_VERSION_NEEDED);
}

/* Data has it, whether the store answers or not. */
static void a_version_that_is_still_looked_up_is_not_made_again(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.lookup_fails = KH_E_SOCKET;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 1, 1 + KH_VERSIONS_AHEAD_MAX + 1); /* of a damaged page */
  await_lookups(1);
  assert_int_equal(rotate(1, NULL), KH_OK);
  kh_keeper_note_miss(keeper, 1, 9);
  assert_int_equal(rotate(1, NULL), KH_E_VERSION_NEEDED);
  assert_int_equal(rotate(0, NULL), KH_E_VERSION_NEEDED);
}

static void what_the_store_finds_is_put_in_force(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 4, 0xc4);
  fake.hidden[1] = (fake_key)FAKE_KEY(1, 3, 0xa3);
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 0);
  keeper_await_latest(keeper, 7, 4);
  kh_keeper_note_miss(keeper, 1, 3);
  keeper_await_latest(keeper, 1, 3);
  assert_int_equal(keeper_latest(keeper, 7), 4);
  recorder_await(
      &said,
      "'fake:1' (fake) supplied a missing key: 2 keys with 2 versions; new: key id 7 version "
      "4\n");
  assert_int_equal(kh_keeper_get_stats(keeper).versions, 3);
}

/* asked for again and again: the store is asked once */
static void what_the_store_lacks_is_remembered(void **state)
{
  (void)state;
  run_background();
  for (int i = 0; i < 50; i++) {
    kh_keeper_note_miss(keeper, 7, 2);
    test_pause(4);
  }
  await_lookups(1);
  test_pause(100);
  assert_int_equal(lookups(), 1);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
  recorder_await(&said, "key id 7 version 2 is missing in 'fake:1'");
  assert_int_equal(errors(), 1);
  assert_missing(1, "7 version 2");
}

/* the answer that it has the key comes too late for one look-up, and no one needs to know */
static void what_the_store_finds_is_not_called_missing(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 4, 0xc4);
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 4);
  keeper_await_latest(keeper, 7, 4);
  assert_int_equal(errors(), 0);
  assert_missing(0, "");
}

/* mariadb-backup has no thread that could ask the store */
static void a_process_without_a_thread_logs_at_once(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  kh_keeper_note_miss(keeper, 7, 2);
  assert_int_equal(errors(), 1);
}

static void an_empty_answer_counts_as_no_answer(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.finds_nothing = true;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 2);
  await_lookups(1);
  test_pause(100);
  assert_int_equal(lookups(), 1);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
}

/* the failure is logged once and tried again later; the other misses do not ask a store that fails
 */
static void a_store_that_does_not_answer_is_not_asked_for_a_while(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.lookup_fails = KH_E_SOCKET;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 2);
  recorder_await(&said, "key id 7 version 2 cannot be looked up: ");
  for (uint32_t id = 10; id < 20; id++)
    kh_keeper_note_miss(keeper, id, 0);
  test_pause(200);
  assert_int_equal(lookups(), 1);
  assert_int_equal(said.count[KH_LOG_WARNING], 1);
  assert_int_equal(errors(), 0); /* it may have the key */
}

static void an_answer_with_another_key_is_refused(void **state)
{
  (void)state;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.answers_with_old = true;
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 2);
  recorder_await(&said, "key id 7 version 2 cannot be looked up: ");
  recorder_await(&said, "key id 1 version 1");
  const kh_key *key = kh_keytable_find(kh_keyring_begin(kh_keeper_ring(keeper)), 1, 1);
  bool is_kept = key != NULL && key->bytes[0] == 0xa1;
  kh_keyring_end(kh_keeper_ring(keeper));
  assert_true(is_kept);
  assert_int_equal(kh_keeper_get_stats(keeper).generation, 1);
}

/* A useless answer, again and again, does not keep the others from being looked up.
 */
static void a_bad_answer_does_not_hold_up_other_misses(void **state)
{
  (void)state;
  kh_auto_lookup lookup;
  run_keeper(&fake_store_ops);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 2, 0xc2);
  fake.hidden[1] = (fake_key)FAKE_KEY(9, 1, 0xd1);
  fake.bad_id = 9;
  assert_true(kh_misses_add(&keeper->misses, (kh_miss){9, 1})); /* its place is the first one */
  assert_true(kh_misses_add(&keeper->misses, (kh_miss){7, 2}));
  assert_int_equal(kh_misses_at(&keeper->misses, 0).id, 9);
  kh_auto_lookup_task.begin(&lookup, keeper);
  assert_true(kh_auto_lookup_task.step(&lookup, keeper) > 0);
  lookup.backoff.next = 0; /* its waiting time has passed */
  (void)kh_auto_lookup_task.step(&lookup, keeper);
  assert_int_equal(keeper_latest(keeper, 7), 2);
  assert_int_equal(keeper_latest(keeper, 9), 0);
}

/* A found key is not the whole store: what another session prepared before is not skipped. */
static void a_found_key_does_not_replace_a_prepared_change(void **state)
{
  (void)state;
  kh_keeper_token token;
  run_background();
  pthread_mutex_lock(&fake.mutex);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 4, 0xc4);
  pthread_mutex_unlock(&fake.mutex);
  fake_store_set(&fake,
                 (fake_key[]){FAKE_KEY(1, 1, 0xa1), FAKE_KEY(7, 4, 0xc4), FAKE_KEY(8, 1, 0xd1)}, 3);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_note_miss(keeper, 7, 4);
  keeper_await_latest(keeper, 7, 4);
  assert_int_equal(keeper_latest(keeper, 8), 0);
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 8), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_miss_is_noted_once),
      cmocka_unit_test(there_is_room_for_so_many),
      cmocka_unit_test(threads_note_each_miss_once),
      cmocka_unit_test_teardown(a_missing_version_is_an_error_once, stop),
      cmocka_unit_test_teardown(an_unknown_key_id_is_a_warning_once, stop),
      cmocka_unit_test_teardown(the_key_id_of_temporary_files_is_a_note, stop),
      cmocka_unit_test_teardown(a_retired_version_is_called_so, stop),
      cmocka_unit_test_teardown(many_versions_do_not_cut_the_advice, stop),
      cmocka_unit_test_teardown(the_longest_path_leaves_the_advice_whole, stop),
      cmocka_unit_test_teardown(so_many_are_logged_and_the_rest_counted, stop),
      cmocka_unit_test_teardown(the_key_id_of_temporary_files_is_brought_without_a_warning, stop),
      cmocka_unit_test_teardown(a_reload_that_brings_a_missing_key_warns, stop),
      cmocka_unit_test_teardown(a_reload_that_brings_half_warns_of_the_rest_later, stop),
      cmocka_unit_test_teardown(an_old_copy_is_not_rotated, stop),
      cmocka_unit_test_teardown(a_version_that_was_seen_is_not_made_again, stop),
      cmocka_unit_test_teardown(nothing_is_rotated_while_more_are_missing_than_recorded, stop),
      cmocka_unit_test_teardown(a_version_of_a_damaged_page_changes_nothing, stop),
      cmocka_unit_test_teardown(a_version_that_is_still_looked_up_is_not_made_again, stop),
      cmocka_unit_test_teardown(what_the_store_finds_is_put_in_force, stop),
      cmocka_unit_test_teardown(what_the_store_lacks_is_remembered, stop),
      cmocka_unit_test_teardown(what_the_store_finds_is_not_called_missing, stop),
      cmocka_unit_test_teardown(a_process_without_a_thread_logs_at_once, stop),
      cmocka_unit_test_teardown(an_empty_answer_counts_as_no_answer, stop),
      cmocka_unit_test_teardown(a_store_that_does_not_answer_is_not_asked_for_a_while, stop),
      cmocka_unit_test_teardown(an_answer_with_another_key_is_refused, stop),
      cmocka_unit_test_teardown(a_bad_answer_does_not_hold_up_other_misses, stop),
      cmocka_unit_test_teardown(a_found_key_does_not_replace_a_prepared_change, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
