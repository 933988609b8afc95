/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: crypto_pwhash_argon2id */
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "keyhold/argon2.h"
#include "keyhold/limits.h"
#include "memory.h"
#include "reference.h"
#include "unit.h"
#include "wrap.h"

static int failing_with; /* errno of the next derivation; 0: it works */

WRAPS(crypto_pwhash_argon2id);
int __wrap_crypto_pwhash_argon2id(unsigned char *out, unsigned long long out_len,
                                  const char *passphrase, unsigned long long passphrase_len,
                                  const unsigned char *salt, unsigned long long passes,
                                  size_t memory, int algorithm)
{
  if (failing_with != 0) {
    errno = failing_with;
    return -1;
  }
  return __real_crypto_pwhash_argon2id(out, out_len, passphrase, passphrase_len, salt, passes,
                                       memory, algorithm);
}

static kh_status derive(const char *passphrase, kh_argon2_cost cost, kh_secret *ret_key)
{
  uint8_t salt[KH_ARGON2_SALT_SIZE];
  for (size_t i = 0; i < sizeof salt; i++)
    salt[i] = (uint8_t)i;
  size_t len = strlen(passphrase);
  kh_bytes bytes = {len == 0 ? NULL : (const uint8_t *)passphrase, len};
  return kh_argon2id(bytes, salt, &cost, ret_key);
}

/* computed with Python's argon2.low_level.hash_secret_raw(passphrase, bytes(range(16)), passes,
 * memory, 1, 32, Type.ID, version=19) */
static void it_matches_another_implementation(void **state)
{
  (void)state;
  static const struct {
    const char *passphrase, *key;
    kh_argon2_cost cost;
  } vectors[] = {
      {"password",
       "3a008963c65f7ffa7331a90babd1fd17ea9f03bd05356b857ceb43f7b7080adc",
       {KH_ARGON2_MEMORY_MIN, KH_ARGON2_PASSES_MIN}},
      {"", "c6cd43a8969db4cee70ddaf8c40675029cb89e8faf138789a66540db3c003e77", {1000, 3}}};
  for (size_t i = 0; i < COUNT(vectors); i++) {
    kh_secret *key = NULL;
    uint8_t expected[32];
    assert_int_equal(kh_secret_new(32, &key), KH_OK);
    assert_int_equal(derive(vectors[i].passphrase, vectors[i].cost, key), KH_OK);
    assert_int_equal(test_unhex(vectors[i].key, expected), 32);
    assert_int_equal(kh_secret_bytes(key).len, 32);
    assert_memory_equal(kh_secret_bytes(key).data, expected, 32);
    kh_secret_free(&key);
  }
}

static void each_failure_has_its_error(void **state)
{
  (void)state;
  kh_argon2_cost cost = {KH_ARGON2_MEMORY_MIN, KH_ARGON2_PASSES_MIN};
  kh_secret *key = NULL;
  assert_int_equal(kh_secret_new(32, &key), KH_OK);
  failing_with = ENOMEM;
  assert_int_equal(derive("x", cost, key), KH_E_NO_MEMORY);
  failing_with = EINVAL;
  assert_int_equal(derive("x", cost, key), KH_E_CRYPTO);
  failing_with = 0;
  cost.memory--;
  assert_int_equal(derive("x", cost, key), KH_E_CRYPTO);
  assert_int_equal(kh_secret_bytes(key).len, 0);
  kh_secret_free(&key);
}

/* A thread whose stack remains readable after its end. */
static _Alignas(4096) uint8_t stack[1 << 20];
static struct masked derived;

static void *derive_in_thread(void *unused)
{
  kh_argon2_cost cost = {KH_ARGON2_MEMORY_MIN, KH_ARGON2_PASSES_MIN};
  kh_secret *key = NULL;
  if (kh_secret_new(32, &key) == KH_OK && derive("x", cost, key) == KH_OK) {
    kh_bytes bytes = kh_secret_bytes(key);
    for (derived.len = 0; derived.len < bytes.len; derived.len++)
      derived.bytes[derived.len] = bytes.data[derived.len] ^ MEMORY_MASK;
  }
  kh_secret_free(&key);
  return unused;
}

static void run_on_stack(void)
{
  enum { OFFSET = 16 }; /* at a few addresses other data overwrites the secret */
  pthread_attr_t attributes;
  pthread_t thread;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack - OFFSET), 0);
  assert_int_equal(pthread_create(&thread, &attributes, derive_in_thread, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&attributes);
}

/* libsodium leaves a copy of what it derived on the stack */
static void no_copy_of_the_key_stays(void **state)
{
  (void)state;
  run_on_stack();
  assert_int_equal(derived.len, 32);
  assert_int_equal(memory_count(&derived, MEMORY_DUMPED), 0);
  assert_int_equal(memory_count(&derived, MEMORY_NOT_DUMPED), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_matches_another_implementation),
      cmocka_unit_test(no_copy_of_the_key_stays),
      cmocka_unit_test(each_failure_has_its_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
