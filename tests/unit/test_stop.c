/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: crypto_pwhash_argon2id pthread_create sodium_malloc */
/* slow: waits for a thread that waits for changes to settle */
/* A derivation that no one waits for is given up when the thread that began it is to end. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "engines.h"
#include "files.h"
#include "keepers.h"
#include "keyhold/argon2.h"
#include "keyhold/clock.h"
#include "keyhold/kdf.h"
#include "keyhold/limits.h"
#include "keyhold/stop.h"
#include "memory.h"
#include "sealed.h"
#include "tasks.h"
#include "threads.h"
#include "unit.h"
#include "wrap.h"

#define NAME "keyhold-derive"

enum { PATIENCE = 20 }; /* seconds, after which a derivation that is never let go fails its test */

static const char passphrase[] = "correct horse battery staple";
static const uint8_t salt[KH_ARGON2_SALT_SIZE] = {1, 2, 3};
static const kh_argon2_cost cost = {KH_ARGON2_MEMORY_MIN, KH_ARGON2_PASSES_MIN};

static _Atomic bool is_held; /* derivations wait until the test lets them go */
static _Atomic unsigned begun;
static _Atomic unsigned ended;
static sem_t inside;
static sem_t let_go;
static _Atomic bool no_thread;
static _Atomic bool no_memory;

static void await(sem_t *semaphore)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE;
  while (sem_timedwait(semaphore, &until) != 0 && errno == EINTR) {
  }
}

WRAPS(crypto_pwhash_argon2id);
int __wrap_crypto_pwhash_argon2id(unsigned char *out, unsigned long long out_len, const char *pass,
                                  unsigned long long pass_len, const unsigned char *with_salt,
                                  unsigned long long passes, size_t memory, int algorithm)
{
  atomic_fetch_add(&begun, 1);
  if (atomic_load(&is_held)) {
    sem_post(&inside);
    await(&let_go);
  }
  int result = __real_crypto_pwhash_argon2id(out, out_len, pass, pass_len, with_salt, passes,
                                             memory, algorithm);
  atomic_fetch_add(&ended, 1);
  return result;
}

WRAPS(pthread_create);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
  return atomic_load(&no_thread) ? EAGAIN
                                 : __real_pthread_create(thread, attributes, run, argument);
}

static bool strikes(const char *name)
{
  (void)name;
  return atomic_load(&no_memory);
}
WRAP_SODIUM_MALLOC(strikes)

static int reset(void **state)
{
  (void)state;
  kh_stop_follow(NULL);
  atomic_store(&is_held, false);
  atomic_store(&no_thread, false);
  atomic_store(&no_memory, false);
  atomic_store(&begun, 0);
  atomic_store(&ended, 0);
  return sem_init(&inside, 0, 0) != 0 || sem_init(&let_go, 0, 0) != 0;
}

static kh_status derive_key(kh_secret *ret_key)
{
  return kh_argon2id(bytes_of(passphrase), salt, &cost, ret_key);
}

static void expect_same_key(void)
{
  KH_AUTO_SECRET key = NULL;
  KH_AUTO_SECRET plain = NULL;
  kh_stop unset = {0};
  assert_int_equal(kh_secret_new(32, &key), KH_OK);
  assert_int_equal(kh_secret_new(32, &plain), KH_OK);
  assert_int_equal(derive_key(plain), KH_OK);
  kh_stop_follow(&unset);
  assert_true(kh_stop_is_followed());
  assert_int_equal(derive_key(key), KH_OK);
  kh_stop_follow(NULL);
  assert_int_equal(kh_secret_bytes(key).len, 32);
  assert_memory_equal(kh_secret_bytes(key).data, kh_secret_bytes(plain).data, 32);
}

static void a_thread_of_its_own_derives_the_same_key(void **state)
{
  (void)state;
  expect_same_key();
  assert_int_equal(atomic_load(&ended), 2);
}

static void without_a_thread_the_key_is_derived_in_place(void **state)
{
  (void)state;
  atomic_store(&no_thread, true);
  expect_same_key();
  assert_int_equal(atomic_load(&ended), 2);
}

static void without_memory_for_copies_the_key_is_derived_in_place(void **state)
{
  (void)state;
  KH_AUTO_SECRET key = NULL;
  kh_stop unset = {0};
  assert_int_equal(kh_secret_new(32, &key), KH_OK);
  atomic_store(&no_memory, true);
  kh_stop_follow(&unset);
  assert_int_equal(derive_key(key), KH_OK);
  kh_stop_follow(NULL);
  assert_int_equal(kh_secret_bytes(key).len, 32);
}

static void nothing_is_derived_after_the_stop(void **state)
{
  (void)state;
  KH_AUTO_SECRET key = NULL;
  kh_stop stop = {0};
  assert_int_equal(kh_secret_new(KH_KDF_OPENSSL_ENC_SIZE, &key), KH_OK);
  kh_stop_follow(&stop);
  kh_stop_set(&stop);
  assert_int_equal(derive_key(key), KH_E_GIVEN_UP);
  assert_int_equal(
      kh_kdf_pbkdf2(bytes_of(passphrase), (kh_bytes){salt, sizeof salt}, KH_DIGEST_SHA512, 1, key),
      KH_E_GIVEN_UP);
  assert_int_equal(kh_kdf_openssl_enc(bytes_of(passphrase), salt, KH_DIGEST_SHA1, 1, key),
                   KH_E_GIVEN_UP);
  kh_stop_follow(NULL);
  assert_int_equal(kh_secret_bytes(key).len, 0);
  assert_int_equal(atomic_load(&begun), 0);
  assert_int_equal(derive_key(key), KH_OK);
}

/* or a hostile file would cost the budget nothing */
static void its_processor_time_is_charged(void **state)
{
  (void)state;
  KH_AUTO_SECRET key = NULL;
  kh_stop unset = {0};
  static const kh_argon2_cost dear = {KH_ARGON2_MEMORY_DEFAULT, 1};
  assert_int_equal(kh_secret_new(32, &key), KH_OK);
  kh_stop_follow(&unset);
  struct timespec own;
  int64_t before = kh_clock_thread_milliseconds();
  assert_int_equal(kh_argon2id(bytes_of(passphrase), salt, &dear, key), KH_OK);
  int64_t after = kh_clock_thread_milliseconds();
  kh_stop_follow(NULL);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
  assert_true(after - before > 0);
  assert_true(after > (int64_t)own.tv_sec * 1000 + own.tv_nsec / 1000000);
}

static struct masked masked_passphrase(void)
{
  struct masked masked = {.len = sizeof passphrase - 1};
  for (size_t i = 0; i < masked.len; i++)
    masked.bytes[i] = (unsigned char)(passphrase[i] ^ MEMORY_MASK);
  return masked;
}

static bool derive_and_give_up(void *shared, size_t number)
{
  (void)number;
  KH_AUTO_SECRET key = NULL;
  kh_stop_follow(shared);
  return kh_secret_new(32, &key) == KH_OK && derive_key(key) == KH_E_GIVEN_UP &&
         kh_secret_bytes(key).len == 0;
}

/* in this order: it begins, the thread that waits for it ends, it ends and wipes its copies */
static void a_derivation_is_left_behind_and_wipes_its_copies(void **state)
{
  (void)state;
  threads running = {0};
  kh_stop stop = {0};
  struct masked secret = masked_passphrase();
  atomic_store(&is_held, true);
  threads_start(&running, 1, derive_and_give_up, &stop);
  await(&inside);
  assert_int_equal(memory_count(&secret, MEMORY_NOT_DUMPED), 1);
  assert_int_equal(test_tasks(NAME, NULL), 1);
  kh_stop_set(&stop);
  threads_join(&running);
  assert_int_equal(atomic_load(&ended), 0);
  sem_post(&let_go);
  assert_true(TEST_COMES(test_tasks(NAME, NULL) == 0));
  assert_int_equal(atomic_load(&ended), 1);
  assert_int_equal(memory_count(&secret, MEMORY_NOT_DUMPED), 0);
}

static const char *write_sealed(void)
{
  KH_AUTO_SECRET file = NULL;
  kh_sealed_entry entry = sealed_entry("main", &kh_sealed_argon2id, passphrase);
  assert_int_equal(
      sealed_make(bytes_of("1;770A8A65DA156D24EE2A093277530142\n"), &entry, 1, &file, NULL), KH_OK);
  return test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

static void a_keeper_ends_before_the_derivation_that_its_thread_began(void **state)
{
  (void)state;
  static recorder said;
  kh_store store;
  kh_keeper *keeper = NULL;
  kh_keeper_options options = keeper_options(recorder_log(&said));
  kh_keyfile_options keyfile = {.path = write_sealed(), .filekey = passphrase};
  assert_int_equal(kh_store_file_new(&keyfile, test_engines, &options.log, &store), KH_OK);
  assert_int_equal(kh_keeper_new(&options, &store, &keeper, NULL), KH_OK);
  (void)write_sealed();
  atomic_store(&ended, 0);
  atomic_store(&is_held, true);
  kh_keeper_background reloads = {.reload = true};
  assert_int_equal(kh_keeper_set_background(keeper, reloads), KH_OK);
  await(&inside);
  kh_keeper_free(&keeper);
  assert_int_equal(atomic_load(&ended), 0);
  recorder_expect(&said, "was not reloaded: ");
  recorder_expect(&said, "the key derivation was given up: the server is shutting down\n");
  sem_post(&let_go);
  assert_true(TEST_COMES(test_tasks(NAME, NULL) == 0));
  assert_int_equal(atomic_load(&ended), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_thread_of_its_own_derives_the_same_key, reset),
      cmocka_unit_test_setup(without_a_thread_the_key_is_derived_in_place, reset),
      cmocka_unit_test_setup(without_memory_for_copies_the_key_is_derived_in_place, reset),
      cmocka_unit_test_setup(nothing_is_derived_after_the_stop, reset),
      cmocka_unit_test_setup(its_processor_time_is_charged, reset),
      cmocka_unit_test_setup(a_derivation_is_left_behind_and_wipes_its_copies, reset),
      cmocka_unit_test_setup(a_keeper_ends_before_the_derivation_that_its_thread_began, reset),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
