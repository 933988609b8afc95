/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: runs threads against each other */
/* A keeper over a store that fails, hangs, returns wrong results and answers late: the keys in
 * force stay in force. */
#include <stdatomic.h>
#include <string.h>

#include "keepers.h"
#include "threads.h"
#include "unit.h"

static fake_store fake;
static recorder said;
static kh_keeper *keeper;

static const fake_key two_keys[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(2, 1, 0xb1),
                                    FAKE_KEY(2, 3, 0xb3)};

static kh_status start_keeper(const kh_store_ops *ops, kh_fault *ret_fault)
{
  kh_keeper_options options = keeper_options(recorder_log(&said));
  kh_store store = {ops, &fake};
  kh_status status = kh_keeper_new(&options, &store, &keeper, ret_fault);
  assert_int_equal(store.ops == NULL, status == KH_OK);
  return status;
}

static void run_keeper(const kh_store_ops *ops)
{
  keeper = fake_keeper_start(&fake, ops, two_keys, COUNT(two_keys), &said);
}

static int stop(void **state)
{
  (void)state;
  bool had_keeper = keeper != NULL;
  kh_keeper_free(&keeper);
  return had_keeper && !fake.is_freed;
}

static void assert_in_force(uint64_t generation, uint32_t latest_of_2)
{
  assert_int_equal(kh_keeper_get_stats(keeper).generation, generation);
  assert_int_equal(keeper_latest(keeper, 2), latest_of_2);
}

/* puts in force what was prepared */
static void commit_to(kh_keeper_token token, uint64_t generation, uint32_t latest_of_1,
                      uint32_t latest_of_2)
{
  kh_keeper_commit(keeper, token);
  assert_int_equal(keeper_latest(keeper, 1), latest_of_1);
  assert_in_force(generation, latest_of_2);
}

static kh_keeper_token prepare_reload(void)
{
  kh_keeper_token token = 0;
  kh_fault fault;
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_OK);
  assert_int_not_equal(token, 0);
  return token;
}

static kh_keeper_token prepare_rotation(uint32_t id)
{
  kh_keeper_token token = 0;
  kh_fault fault;
  assert_int_equal(kh_keeper_prepare_rotation(keeper, id, &token, &fault), KH_OK);
  assert_int_not_equal(token, 0);
  return token;
}

/* a reload fails with this status, its sentence has this, and nothing changes */
static void refuse_reload(kh_status status, const char *part)
{
  kh_keeper_token token = 77;
  kh_fault fault;
  char sentence[KH_MESSAGE_MAX];
  kh_keeper_stats before = kh_keeper_get_stats(keeper);
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), status);
  assert_int_equal(token, 77);
  kh_fault_describe(&fault, sentence, sizeof sentence);
  if (strstr(sentence, part) == NULL)
    fail_msg("'%s' is not in: %s", part, sentence);
  kh_keeper_stats after = kh_keeper_get_stats(keeper);
  assert_int_equal(after.failures, before.failures + 1);
  assert_string_equal(after.last_result, sentence);
  assert_in_force(before.generation, 3);
}

static void a_store_is_the_callers_until_it_was_loaded(void **state)
{
  (void)state;
  kh_fault fault;
  fake_store_start(&fake, &fake_store_ops, two_keys, COUNT(two_keys));
  fake.load_fails = KH_E_SOCKET;
  assert_int_equal(start_keeper(&fake_store_ops, &fault), KH_E_SOCKET);
  assert_null(keeper);
  assert_false(fake.is_freed);
  fake.load_fails = KH_OK;
  assert_int_equal(start_keeper(&fake_store_ops, &fault), KH_OK);
  recorder_expect(
      &said, ": 2 keys with 3 versions from 'fake:1' (fake), aes-cbc; latest: key id 1 version 1, "
             "key id 2 version 3\n");
  kh_keeper_free(&keeper);
  assert_true(fake.is_freed);
}

static void a_start_that_cannot_be_settled_is_warned_of(void **state)
{
  (void)state;
  fake_store_start(&fake, &fake_store_ops, two_keys, COUNT(two_keys));
  fake.settle_fails = KH_E_FILE_FLUSH;
  assert_int_equal(start_keeper(&fake_store_ops, NULL), KH_OK);
  recorder_expect(&said, "the fake store was not flushed to the disk: ");
}

/* the keeper reports what the store has */
static void a_store_that_fails_changes_nothing(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  fake.load_fails = KH_E_SOCKET;
  refuse_reload(KH_E_SOCKET, "fake:1");
  fake.load_fails = KH_OK;
  fake.settle_fails = KH_E_FILE_FLUSH;
  refuse_reload(KH_E_FILE_FLUSH, "fake:1");
  fake.settle_fails = KH_OK;
  kh_keeper_token token = 77;
  kh_fault fault;
  fake.make_fails = KH_E_SOCKET;
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 0, &token, &fault), KH_E_SOCKET);
  assert_int_equal(token, 77);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 3);
  assert_in_force(1, 3);
}

static const struct {
  fake_key keys[4];
  kh_status status;
  const char *sentence;
} lies[] = {
    {{FAKE_KEY(1, 1, 0xa1)}, KH_E_KEY_LOST, "Key id 2 version 1"},
    {{FAKE_KEY(1, 1, 0xa1), FAKE_KEY(2, 1, 0xb1)},
     KH_E_KEY_LOST,
     "Key id 2 version 3"}, /* a lower version */
    {{FAKE_KEY(1, 1, 0xa1), FAKE_KEY(2, 3, 0xb3), FAKE_KEY(2, 5, 0xb5)},
     KH_E_KEY_LOST,
     "Key id 2 version 1"},
    {{FAKE_KEY(1, 1, 0xff), FAKE_KEY(2, 1, 0xb1), FAKE_KEY(2, 3, 0xb3)},
     KH_E_KEY_CHANGED,
     "key id 1 version 1"},
    {{FAKE_KEY(1, 1, 0xa1), FAKE_KEY(2, 1, 0xb3), FAKE_KEY(2, 3, 0xb1)},
     KH_E_KEY_CHANGED,
     "key id 2 version 1"},
    {{FAKE_KEY(1, 1, 0xa1),
      {.id = 2, .version = 1, .tag = 0xb1, .cipher = KH_CIPHER_AES_CTR},
      FAKE_KEY(2, 3, 0xb3)},
     KH_E_CIPHER_CHANGED,
     "key id 2 version 1"},
    {{FAKE_KEY(0, 0, 0)}, KH_E_KEY_LOST, "Key id 1 version 1"},
};

static void a_store_with_wrong_results_changes_nothing(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  for (size_t i = 0; i < COUNT(lies); i++) {
    fake_store_set(&fake, lies[i].keys, COUNT(lies[i].keys));
    refuse_reload(lies[i].status, lies[i].sentence);
  }
  const kh_key *key = kh_keytable_find(kh_keyring_begin(kh_keeper_ring(keeper)), 1, 1);
  bool is_kept = key != NULL && key->bytes[0] == 0xa1;
  kh_keyring_end(kh_keeper_ring(keeper));
  assert_true(is_kept);
}

/* The content that the store returns after a rotation is checked too. */
static void a_rotation_that_lost_keys_is_refused(void **state)
{
  (void)state;
  kh_keeper_token token = 77;
  kh_fault fault;
  run_keeper(&fake_store_ops);
  fake_store_set(&fake, lies[1].keys, COUNT(lies[1].keys));
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 1, &token, &fault), KH_E_KEY_LOST);
  assert_int_equal(token, 77);
  assert_string_equal(fault.path.text, "fake:1");
  assert_in_force(1, 3);
}

/* the store reports a version that it did not make: nothing is lost, and no version is invented */
static void a_rotation_that_was_not_written_changes_no_version(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  fake.forgets_new_versions = true;
  kh_keeper_commit(keeper, prepare_rotation(2));
  assert_in_force(2, 3);
  recorder_expect(&said, "'fake:1' (fake) rotated: 2 keys with 3 versions; new: none\n");
}

static void a_store_without_the_optional_functions(void **state)
{
  (void)state;
  kh_keeper_token token = 77;
  kh_fault fault;
  run_keeper(&fake_store_ops_bare);
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 2, &token, &fault), KH_E_NO_ROTATION);
  assert_int_equal(token, 77);
  assert_int_equal(kh_keeper_prepare_save(keeper, false, &token, &fault), KH_E_NO_SAVE);
  assert_int_equal(token, 77);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 2);
  fake_key more[] = {two_keys[0], two_keys[1], two_keys[2], FAKE_KEY(2, 5, 0xb5)};
  fake_store_set(&fake, more, COUNT(more));
  kh_keeper_commit(keeper, prepare_reload());
  assert_in_force(2, 5);
  kh_keeper_note_miss(keeper, 9, 0);
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){.reload = true}), KH_OK);
}

static void keys_that_cannot_be_rotated_for_long_are_warned_of(void **state)
{
  (void)state;
  kh_keeper_token token = 0;
  fake_key keys[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(2, 4294967000u, 0xb1)};
  keeper = fake_keeper_start(&fake, &fake_store_ops, keys, COUNT(keys), &said);
  recorder_expect(&said,
                  "Key id 2 of 'fake:1' is at version 4294967000, and version numbers end at "
                  "4294967294; use a new key id before they run out\n");
  fake_key more[] = {keys[0], keys[1], FAKE_KEY(3, 2000000, 0xc1)};
  fake_store_set(&fake, more, COUNT(more));
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  recorder_expect(&said, "Key id 3 version 2000000 of 'fake:1' is far above the version before it, "
                         "1; if no data has it, give it a lower number\n");
}

static void an_old_content_gets_back_what_it_lacks(void **state)
{
  (void)state;
  kh_keeper_token token = 0;
  kh_fault fault;
  run_keeper(&fake_store_ops);
  assert_int_equal(kh_keeper_prepare_rotation(keeper, 2, &token, &fault), KH_OK);
  commit_to(token, 2, 1, 5);
  fake_store_set(&fake, two_keys, COUNT(two_keys));
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, &fault), KH_E_KEY_LOST);
  fake.save_fails = KH_E_FILE_WRITE;
  assert_int_equal(kh_keeper_prepare_save(keeper, false, &token, &fault), KH_E_FILE_WRITE);
  fake.save_fails = KH_OK;
  assert_int_equal(kh_keeper_prepare_save(keeper, false, &token, &fault), KH_OK);
  assert_true(kh_keeper_get_stats(keeper).last_reload_ok); /* the store has the keys again */
  recorder_expect(&said, "'fake:1' lacked 1 key version in use, now added");
  commit_to(token, 3, 1, 5);
  kh_keeper_commit(keeper, prepare_reload());
  assert_in_force(4, 5);
}

static void a_content_that_changes_before_it_is_settled_is_read_again(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  fake.loads = 0;
  fake.changes_in_settle = 4;
  kh_keeper_commit(keeper, prepare_reload());
  assert_int_equal(fake.loads, 5);
  fake.changes_in_settle = 5;
  refuse_reload(KH_E_FILE_CHANGED, "fake:1");
  assert_int_equal(fake.loads, 10);
}

/* Two sessions: each puts in force what it prepared itself. */
static void each_session_commits_its_own(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  kh_keeper_token one = prepare_rotation(1);
  kh_keeper_token two = prepare_rotation(2);
  assert_int_not_equal(one, two);
  commit_to(one, 2, 3, 3);
  commit_to(two, 3, 3, 5);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 0);
}

/* The later one is committed first, and has the earlier one's versions: the earlier commit changes
 * nothing and removes nothing. */
static void sessions_that_commit_crosswise_lose_nothing(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  kh_keeper_token one = prepare_rotation(1);
  kh_keeper_token two = prepare_rotation(2);
  commit_to(two, 2, 3, 5);
  commit_to(one, 2, 3, 5);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 0);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

static void a_token_works_once(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  kh_keeper_token token = prepare_rotation(2);
  kh_keeper_commit(keeper, 0);
  kh_keeper_commit(keeper, token + 1); /* never given out */
  assert_in_force(1, 3);
  kh_keeper_commit(keeper, token);
  kh_keeper_commit(keeper, token);
  assert_in_force(2, 5);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 0);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

/* another variable of the statement failed: the next change includes what it prepared */
static void what_was_never_committed_is_not_lost(void **state)
{
  (void)state;
  run_keeper(&fake_store_ops);
  (void)prepare_rotation(2);
  kh_keeper_commit(keeper, prepare_reload());
  assert_in_force(2, 5);
}

/* one past the limit the oldest change is evicted; the next one has its keys, which are put in
 * force once
 */
static void a_change_that_makes_room_comes_with_the_next(void **state)
{
  (void)state;
  kh_keeper_token tokens[KH_KEEPER_CHANGES_MAX + 1];
  run_keeper(&fake_store_ops);
  for (size_t i = 0; i < COUNT(tokens); i++)
    tokens[i] = prepare_rotation(2);
  kh_keeper_commit(keeper, tokens[0]);
  assert_in_force(2, 7);
  kh_keeper_commit(keeper, tokens[1]);
  assert_in_force(2, 7);
  for (size_t i = 2; i < COUNT(tokens); i++)
    kh_keeper_commit(keeper, tokens[i]);
  assert_in_force(1 + KH_KEEPER_CHANGES_MAX, 3 + 2 * COUNT(tokens));
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 0);
  assert_int_equal(said.count[KH_LOG_WARNING], 0);
}

/* ... unless that and all later ones lack a key that came into force in the meantime */
static void an_evicted_change_is_logged(void **state)
{
  (void)state;
  kh_keeper_token tokens[KH_KEEPER_CHANGES_MAX];
  run_keeper(&fake_store_ops);
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){0}), KH_OK);
  for (size_t i = 0; i < COUNT(tokens); i++)
    tokens[i] = prepare_reload();
  pthread_mutex_lock(&fake.mutex);
  fake.hidden[0] = (fake_key)FAKE_KEY(7, 4, 0xc4);
  pthread_mutex_unlock(&fake.mutex);
  kh_keeper_note_miss(keeper, 7, 4); /* its change takes a place for a moment */
  keeper_await_latest(keeper, 7, 4);
  for (size_t i = 0; i < COUNT(tokens); i++)
    kh_keeper_commit(keeper, tokens[i]);
  assert_int_equal(keeper_latest(keeper, 7), 4);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, COUNT(tokens));
  recorder_expect(&said, "the fake store was not loaded: other keys were loaded meanwhile: ");
  recorder_expect(&said,
                  "the fake store was not loaded: too many sessions changed keys at the same time");
}

/* the store removed a key that was never in force: the two contents contradict each other */
static void what_does_not_follow_is_dropped_and_warned_of(void **state)
{
  (void)state;
  fake_key seven[] = {two_keys[0], two_keys[1], two_keys[2], FAKE_KEY(7, 1, 0xc1)};
  fake_key eight[] = {two_keys[0], two_keys[1], two_keys[2], FAKE_KEY(8, 1, 0xd1)};
  run_keeper(&fake_store_ops);
  fake_store_set(&fake, seven, COUNT(seven));
  kh_keeper_token one = prepare_reload();
  fake_store_set(&fake, eight, COUNT(eight));
  kh_keeper_token two = prepare_reload();
  kh_keeper_commit(keeper, one);
  kh_keeper_commit(keeper, two);
  assert_int_equal(keeper_latest(keeper, 7), 1);
  assert_int_equal(keeper_latest(keeper, 8), 0);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  recorder_expect(&said, "the fake store was not loaded: other keys were loaded meanwhile: ");
  recorder_expect(&said, "Key id 7 version 1");
  assert_false(kh_keeper_get_stats(keeper).last_reload_ok);
  assert_non_null(strstr(kh_keeper_get_stats(keeper).last_result, "Key id 7 version 1"));
}

static bool reload_in_a_thread(void *unused, size_t number)
{
  (void)unused;
  (void)number;
  kh_keeper_token token = 0;
  kh_status status = kh_keeper_prepare_reload(keeper, &token, NULL);
  kh_keeper_commit(keeper, token);
  return status == KH_OK;
}

/* A store that hangs blocks the session that prepares a change, and no other. */
static void a_store_that_hangs_blocks_no_reader_and_no_commit(void **state)
{
  (void)state;
  threads reloading = {.count = 0};
  run_keeper(&fake_store_ops);
  kh_keeper_token token = prepare_rotation(2);
  fake.hangs = true;
  threads_start(&reloading, 1, reload_in_a_thread, NULL);
  fake_store_await_hanging(&fake);
  assert_in_force(1, 3);
  kh_keeper_note_miss(keeper, 9, 1);
  kh_keeper_commit(keeper, token);
  assert_in_force(2, 5);
  fake_store_release(&fake);
  threads_join(&reloading);
  assert_in_force(3, 5);
}

/* The answer arrives when newer keys are in force: it is compared with those, and refused. */
static void a_late_answer_takes_nothing_back(void **state)
{
  (void)state;
  threads reloading = {.count = 0};
  run_keeper(&fake_store_ops);
  kh_keeper_token token = prepare_rotation(2);
  fake.hangs = true;
  threads_start(&reloading, 1, reload_in_a_thread, NULL);
  fake_store_await_hanging(&fake);
  kh_keeper_commit(keeper, token);
  fake_store_set(&fake, two_keys, COUNT(two_keys));
  fake_store_release(&fake);
  threads_join(&reloading); /* it followed what was in force when it began */
  assert_in_force(2, 5);
  assert_int_equal(kh_keeper_get_stats(keeper).failures, 1);
  recorder_expect(&said, "other keys were loaded meanwhile");
}

/* sessions that rotate and reload at once while readers read */
enum { SESSIONS = 3, ROUNDS = 40 };

static bool change_in_a_session(void *shared, size_t number)
{
  atomic_uint *failed = shared;
  (void)number;
  for (int i = 0; i < ROUNDS; i++) {
    kh_keeper_token token = 0;
    kh_status status = i % 2 == 0 ? kh_keeper_prepare_rotation(keeper, 2, &token, NULL)
                                  : kh_keeper_prepare_reload(keeper, &token, NULL);
    if (status != KH_OK)
      atomic_fetch_add(failed, 1);
    if (i % 5 != 4) /* some statements fail between their halves */
      kh_keeper_commit(keeper, token);
  }
  return true;
}

static void sessions_at_once_lose_nothing(void **state)
{
  (void)state;
  threads sessions = {.count = 0};
  atomic_uint failed = 0;
  uint32_t before = 0;
  run_keeper(&fake_store_ops);
  threads_start(&sessions, SESSIONS, change_in_a_session, &failed);
  for (int i = 0; i < 20000; i++) {
    uint32_t now = keeper_latest(keeper, 2);
    assert_true(now >= before);
    before = now;
  }
  threads_join(&sessions);
  assert_int_equal(atomic_load(&failed), 0);
  kh_keeper_commit(keeper, prepare_reload());
  assert_int_equal(keeper_latest(keeper, 2), 3 + 2 * SESSIONS * ROUNDS / 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_store_is_the_callers_until_it_was_loaded,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_start_that_cannot_be_settled_is_warned_of,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_store_that_fails_changes_nothing, keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_store_with_wrong_results_changes_nothing,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_rotation_that_lost_keys_is_refused, keeper_reset_clock,
                                      stop),
      cmocka_unit_test_setup_teardown(a_rotation_that_was_not_written_changes_no_version,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_store_without_the_optional_functions, keeper_reset_clock,
                                      stop),
      cmocka_unit_test_setup_teardown(keys_that_cannot_be_rotated_for_long_are_warned_of,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(an_old_content_gets_back_what_it_lacks, keeper_reset_clock,
                                      stop),
      cmocka_unit_test_setup_teardown(a_content_that_changes_before_it_is_settled_is_read_again,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(each_session_commits_its_own, keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(sessions_that_commit_crosswise_lose_nothing,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_token_works_once, keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(what_was_never_committed_is_not_lost, keeper_reset_clock,
                                      stop),
      cmocka_unit_test_setup_teardown(a_change_that_makes_room_comes_with_the_next,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(an_evicted_change_is_logged, keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(what_does_not_follow_is_dropped_and_warned_of,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_store_that_hangs_blocks_no_reader_and_no_commit,
                                      keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(a_late_answer_takes_nothing_back, keeper_reset_clock, stop),
      cmocka_unit_test_setup_teardown(sessions_at_once_lose_nothing, keeper_reset_clock, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
