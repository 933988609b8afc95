/* SPDX-License-Identifier: GPL-2.0-only */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "keyhold/keyring.h"
#include "unit.h"

enum { READERS = 4, EXCHANGES = 500, IDS = 50 };

/* every byte of every key is the same, so that a reader sees when a table goes away under it */
static kh_keytable *table_filled_with(uint8_t byte)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  assert_int_equal(kh_keylist_new(IDS, &list), KH_OK);
  for (uint32_t id = 1; id <= IDS; id++) {
    kh_key *key = kh_keylist_next(list);
    key->id = id;
    key->version = byte;
    key->len = KH_KEY_MAX;
    memset(key->bytes, byte, KH_KEY_MAX);
    kh_keylist_commit(list);
  }
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  return table;
}

static void the_table_in_force_is_read(void **state)
{
  (void)state;
  kh_keytable *first = table_filled_with(1);
  kh_keytable *second = table_filled_with(2);
  kh_keyring *ring = NULL;
  assert_int_equal(kh_keyring_new(first, &ring), KH_OK);
  assert_ptr_equal(kh_keyring_begin(ring), first);
  assert_ptr_equal(kh_keyring_begin(ring), first); /* pairs nest */
  kh_keyring_end(ring);
  kh_keyring_end(ring);
  kh_keytable *old = kh_keyring_exchange(ring, second);
  assert_ptr_equal(old, first);
  kh_keytable_free(&old);
  assert_ptr_equal(kh_keyring_begin(ring), second);
  kh_keyring_end(ring);
  kh_keyring_free(&ring);
  assert_null(ring);
}

struct shared {
  kh_keyring *ring;
  atomic_bool stop;
  atomic_uint wrong;
  atomic_ulong reads;
};

static bool is_whole(const kh_keytable *table)
{
  uint32_t version = 0;
  for (uint32_t id = 1; id <= IDS; id++) {
    if (kh_keytable_latest(table, id, &version) != KH_OK)
      return false;
    const kh_key *key = kh_keytable_find(table, id, version);
    if (key == NULL || key->id != id || key->bytes[0] != version ||
        key->bytes[KH_KEY_MAX - 1] != version)
      return false;
  }
  return true;
}

static void *read_all_the_time(void *argument)
{
  struct shared *shared = argument;
  while (!atomic_load(&shared->stop)) {
    if (!is_whole(kh_keyring_begin(shared->ring)))
      atomic_fetch_add(&shared->wrong, 1);
    kh_keyring_end(shared->ring);
    atomic_fetch_add(&shared->reads, 1);
  }
  return NULL;
}

/* a table is freed, and its memory unmapped, as soon as exchange gives it back */
static void readers_while_tables_are_exchanged(void **state)
{
  (void)state;
  struct shared shared = {0};
  pthread_t threads[READERS];
  assert_int_equal(kh_keyring_new(table_filled_with(1), &shared.ring), KH_OK);
  for (size_t i = 0; i < READERS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, read_all_the_time, &shared), 0);
  for (unsigned i = 0; i < EXCHANGES; i++) {
    kh_keytable *old = kh_keyring_exchange(shared.ring, table_filled_with((uint8_t)(i % 200 + 1)));
    kh_keytable_free(&old);
  }
  atomic_store(&shared.stop, true);
  for (size_t i = 0; i < READERS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&shared.wrong), 0);
  assert_true(atomic_load(&shared.reads) > READERS);
  kh_keyring_free(&shared.ring);
}

static void *hold(void *argument)
{
  struct shared *shared = argument;
  kh_keyring_begin(shared->ring);
  atomic_store(&shared->reads, 1);
  while (!atomic_load(&shared->stop)) {
  }
  atomic_store(&shared->reads, 2);
  kh_keyring_end(shared->ring);
  return NULL;
}

static void *let_go_later(void *argument)
{
  struct timespec a_while = {.tv_nsec = 50 * 1000 * 1000};
  nanosleep(&a_while, NULL);
  atomic_store(&((struct shared *)argument)->stop, true);
  return NULL;
}

static void exchange_waits_for_a_reader(void **state)
{
  (void)state;
  struct shared shared = {0};
  pthread_t reader;
  pthread_t timer;
  assert_int_equal(kh_keyring_new(table_filled_with(1), &shared.ring), KH_OK);
  assert_int_equal(pthread_create(&reader, NULL, hold, &shared), 0);
  while (atomic_load(&shared.reads) == 0) {
  }
  assert_int_equal(pthread_create(&timer, NULL, let_go_later, &shared), 0);
  kh_keytable *old = kh_keyring_exchange(shared.ring, table_filled_with(2));
  assert_int_equal(atomic_load(&shared.reads), 2);
  kh_keytable_free(&old);
  pthread_join(reader, NULL);
  pthread_join(timer, NULL);
  kh_keyring_free(&shared.ring);
}

static void free_takes_nothing(void **state)
{
  (void)state;
  kh_keyring *ring = NULL;
  kh_keyring_free(&ring);
  kh_keyring_free(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_in_force_is_read),
      cmocka_unit_test(readers_while_tables_are_exchanged),
      cmocka_unit_test(exchange_waits_for_a_reader),
      cmocka_unit_test(free_takes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
