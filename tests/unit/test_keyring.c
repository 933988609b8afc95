/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: runs threads against each other for seconds */
/* wraps: urcu_bp_synchronize_rcu */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "keyhold/keyring.h"
#include "keytables.h"
#include "threads.h"
#include "unit.h"

enum { READERS = 4, EXCHANGES = 500, IDS = 50 };

/* the table in force while an exchange waits */
static struct {
  const kh_keyring *ring; /* NULL: not asked for */
  uint32_t version;
  kh_cipher cipher;
} asked;

void __real_urcu_bp_synchronize_rcu(void);
void __wrap_urcu_bp_synchronize_rcu(void);
void __wrap_urcu_bp_synchronize_rcu(void)
{
  if (asked.ring != NULL && kh_keyring_latest(asked.ring, 1, &asked.version) == KH_OK)
    asked.cipher = kh_keyring_cipher(asked.ring, 1, asked.version, KH_CIPHER_AES_CBC);
  __real_urcu_bp_synchronize_rcu();
}

/* every byte of every key is the same, so that a reader notices a table that is freed while it
 * reads */
static void fill_with_byte(const void *spec, size_t place, kh_key *ret_key)
{
  *ret_key = *(const kh_key *)spec;
  ret_key->id = (uint32_t)place + 1;
  memset(ret_key->bytes, (int)ret_key->version, KH_KEY_MAX);
}

static kh_keytable *table_with(uint8_t byte, kh_cipher cipher, uint32_t key_len)
{
  kh_key key = {.version = byte, .len = key_len, .policy = {.cipher = (uint8_t)cipher}};
  return keytable_of(&key, IDS, fill_with_byte);
}

static kh_keytable *table_filled_with(uint8_t byte)
{
  return table_with(byte, KH_CIPHER_UNSET, KH_KEY_MAX);
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

static void the_latest_version_is_that_in_force(void **state)
{
  (void)state;
  kh_keyring *ring = NULL;
  uint32_t version = 7;
  assert_int_equal(kh_keyring_new(table_filled_with(1), &ring), KH_OK);
  assert_int_equal(kh_keyring_latest(ring, IDS + 1, &version), KH_E_KEY_NOT_FOUND);
  assert_int_equal(version, 7);
  assert_int_equal(kh_keyring_latest(ring, IDS, &version), KH_OK);
  assert_int_equal(version, 1);
  kh_keytable *old = kh_keyring_exchange(ring, table_filled_with(2));
  kh_keytable_free(&old);
  assert_int_equal(kh_keyring_latest(ring, IDS, &version), KH_OK);
  assert_int_equal(version, 2);
  kh_keyring_free(&ring);
}

/* a key is copied if there is room for it, and no byte after it is written */
static void check_copy(size_t len)
{
  kh_keyring *ring = NULL;
  uint8_t copy[KH_KEY_MAX + 1] = {0};
  const uint8_t zeros[sizeof copy] = {0};
  size_t copied = 0;
  assert_int_equal(kh_keyring_new(table_with(3, KH_CIPHER_UNSET, (uint32_t)len), &ring), KH_OK);
  assert_int_equal(kh_keyring_copy(ring, 1, 3, copy, len - 1, &copied), KH_OK);
  assert_int_equal(copied, len);
  assert_memory_equal(copy, zeros, sizeof copy);
  assert_int_equal(kh_keyring_copy(ring, 1, 3, NULL, 0, &copied), KH_OK);
  assert_int_equal(copied, len);
  assert_int_equal(kh_keyring_copy(ring, 1, 3, copy, len, &copied), KH_OK);
  assert_int_equal(copied, len);
  for (size_t i = 0; i < sizeof copy; i++)
    assert_int_equal(copy[i], i < len ? 3 : 0);
  kh_keyring_free(&ring);
}

static void keys_of_each_length_are_copied(void **state)
{
  (void)state;
  check_copy(16);
  check_copy(24);
  check_copy(32);
}

static void a_key_that_is_not_there_is_not_copied(void **state)
{
  (void)state;
  kh_keyring *ring = NULL;
  uint8_t copy[KH_KEY_MAX] = {0};
  size_t len = 7;
  assert_int_equal(kh_keyring_new(table_filled_with(3), &ring), KH_OK);
  assert_int_equal(kh_keyring_copy(ring, 1, 4, copy, sizeof copy, &len), KH_E_KEY_NOT_FOUND);
  assert_int_equal(kh_keyring_copy(ring, IDS + 1, 3, copy, sizeof copy, &len), KH_E_KEY_NOT_FOUND);
  assert_int_equal(len, 7);
  assert_int_equal(copy[0], 0);
  kh_keyring_free(&ring);
}

/* the first table has a cipher, or a later one has */
static void a_cipher_is_that_of_the_version(void **state)
{
  (void)state;
  kh_keyring *ring = NULL;
  assert_int_equal(kh_keyring_new(table_filled_with(1), &ring), KH_OK);
  assert_int_equal(kh_keyring_cipher(ring, 1, 1, KH_CIPHER_AES_CTR), KH_CIPHER_AES_CTR);
  kh_keytable *old = kh_keyring_exchange(ring, table_with(2, KH_CIPHER_AES256_CTR, KH_KEY_MAX));
  kh_keytable_free(&old);
  assert_int_equal(kh_keyring_cipher(ring, 1, 2, KH_CIPHER_AES_CTR), KH_CIPHER_AES256_CTR);
  assert_int_equal(kh_keyring_cipher(ring, 1, 1, KH_CIPHER_AES_CTR), KH_CIPHER_UNSET);
  assert_int_equal(kh_keyring_cipher(ring, IDS + 1, 2, KH_CIPHER_AES_CTR), KH_CIPHER_UNSET);
  old = kh_keyring_exchange(ring, table_filled_with(3));
  kh_keytable_free(&old);
  assert_int_equal(kh_keyring_cipher(ring, 1, 3, KH_CIPHER_AES_CTR), KH_CIPHER_AES_CTR);
  kh_keyring_free(&ring);
  assert_int_equal(kh_keyring_new(table_with(1, KH_CIPHER_AES_CBC, KH_KEY_MAX), &ring), KH_OK);
  assert_int_equal(kh_keyring_cipher(ring, 1, 1, KH_CIPHER_AES_CTR), KH_CIPHER_AES_CBC);
  kh_keyring_free(&ring);
}

/* while exchange waits for readers of the old table, the new one is in force, ciphers and all */
static void a_cipher_is_there_with_its_version(void **state)
{
  (void)state;
  kh_keyring *ring = NULL;
  assert_int_equal(kh_keyring_new(table_filled_with(1), &ring), KH_OK);
  asked.ring = ring;
  kh_keytable *old = kh_keyring_exchange(ring, table_with(2, KH_CIPHER_AES_CTR, KH_KEY_MAX));
  asked.ring = NULL;
  assert_int_equal(asked.version, 2);
  assert_int_equal(asked.cipher, KH_CIPHER_AES_CTR);
  kh_keytable_free(&old);
  kh_keyring_free(&ring);
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

/* one call each; the version may disappear in between, but a key must not be another version's */
static bool is_copied_whole(const kh_keyring *ring)
{
  uint8_t key[KH_KEY_MAX];
  uint32_t version = 0;
  size_t len = 0;
  if (kh_keyring_latest(ring, IDS, &version) != KH_OK)
    return false;
  if (kh_keyring_copy(ring, IDS, version, key, sizeof key, &len) != KH_OK)
    return true;
  return len == sizeof key && key[0] == version && key[KH_KEY_MAX - 1] == version;
}

static bool read_all_the_time(void *argument, size_t number)
{
  struct shared *shared = argument;
  (void)number;
  while (!atomic_load(&shared->stop)) {
    if (!is_whole(kh_keyring_begin(shared->ring)))
      atomic_fetch_add(&shared->wrong, 1);
    kh_keyring_end(shared->ring);
    if (!is_copied_whole(shared->ring))
      atomic_fetch_add(&shared->wrong, 1);
    atomic_fetch_add(&shared->reads, 1);
  }
  return true;
}

/* a table is freed, and its memory unmapped, as soon as exchange gives it back */
static void readers_while_tables_are_exchanged(void **state)
{
  (void)state;
  struct shared shared = {0};
  threads readers = {.count = 0};
  assert_int_equal(kh_keyring_new(table_filled_with(1), &shared.ring), KH_OK);
  threads_start(&readers, READERS, read_all_the_time, &shared);
  for (unsigned i = 0; i < EXCHANGES; i++) {
    kh_keytable *old = kh_keyring_exchange(shared.ring, table_filled_with((uint8_t)(i % 200 + 1)));
    kh_keytable_free(&old);
  }
  atomic_store(&shared.stop, true);
  threads_join(&readers);
  assert_int_equal(atomic_load(&shared.wrong), 0);
  assert_true(atomic_load(&shared.reads) > READERS);
  kh_keyring_free(&shared.ring);
}

static void *hold(void *argument)
{
  struct shared *shared = argument;
  kh_keyring_begin(shared->ring);
  kh_keyring_begin(shared->ring);
  kh_keyring_end(shared->ring); /* and still holds */
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
      cmocka_unit_test(the_latest_version_is_that_in_force),
      cmocka_unit_test(keys_of_each_length_are_copied),
      cmocka_unit_test(a_key_that_is_not_there_is_not_copied),
      cmocka_unit_test(a_cipher_is_that_of_the_version),
      cmocka_unit_test(a_cipher_is_there_with_its_version),
      cmocka_unit_test(readers_while_tables_are_exchanged),
      cmocka_unit_test(exchange_waits_for_a_reader),
      cmocka_unit_test(free_takes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
