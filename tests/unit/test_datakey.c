/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: EVP_MAC_fetch EVP_MAC_CTX_dup kh_secret_new kh_secret_free calloc */
#include "keyhold/datakey.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/limits.h"
#include "keyhold/secret.h"
#include "memory.h"
#include "reference.h"
#include "threads.h"
#include "unit.h"
#include "wrap.h"

enum { WAYS = 4, THREADS = 4, ROUNDS = 20000 };

/* what the wrapped calls do */
static bool no_calloc, no_mac, no_copy_of_mac, no_secret;
/* atomic: threads may make memory at the same time */
static kh_datakeys *_Atomic derive_meanwhile; /* another thread's derivation, at the same time */
static kh_secret *_Atomic memory;             /* the last one made */
static atomic_int secrets;                    /* made and not freed */

WRAPS(EVP_MAC_fetch);
WRAPS(EVP_MAC_CTX_dup);
WRAPS(calloc);
WRAPS(kh_secret_new);
WRAPS(kh_secret_free);

EVP_MAC *__wrap_EVP_MAC_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties)
{
  return no_mac ? NULL : __real_EVP_MAC_fetch(lib, name, properties);
}

EVP_MAC_CTX *__wrap_EVP_MAC_CTX_dup(const EVP_MAC_CTX *ctx)
{
  return no_copy_of_mac ? NULL : __real_EVP_MAC_CTX_dup(ctx);
}

void *__wrap_calloc(size_t count, size_t size)
{
  return no_calloc ? NULL : __real_calloc(count, size);
}

/* a key version, and the key that the server passes */
struct identity {
  uint32_t id, version;
  uint8_t passed[KH_KEY_MAX];
  size_t len;
  unsigned kind; /* 1 less than kh_datakey_kind, so that 0 is one */
};

static uint8_t stored[KH_DATAKEY_STORED];

static kh_bytes passed_of(const struct identity *identity)
{
  return (kh_bytes){identity->passed, identity->len};
}

static kh_datakey wanted_of(const struct identity *identity)
{
  return (kh_datakey){(kh_datakey_kind)(identity->kind + 1), identity->id, identity->version,
                      passed_of(identity)};
}

static size_t size_of(const struct identity *identity)
{
  return kh_datakey_size(wanted_of(identity).kind);
}

static void expected_key(const struct identity *identity, uint8_t *key)
{
  static const char *const labels[] = {"Keyhold AES-256 data key", "Keyhold AES-256-XTS keys",
                                       "Keyhold AES-256-GCM keys"};
  uint8_t info[32];
  memcpy(info, labels[identity->kind], 24);
  for (unsigned i = 0; i < 4; i++) {
    info[24 + i] = (uint8_t)(identity->id >> (24 - 8 * i));
    info[28 + i] = (uint8_t)(identity->version >> (24 - 8 * i));
  }
  reference_hkdf(stored, sizeof stored, identity->passed, identity->len, info, sizeof info,
                 size_of(identity), key);
}

static struct identity random_identity(uint32_t *seed)
{
  struct identity identity = {test_random(seed), test_random(seed), {0}, 0, 0};
  identity.kind = test_random(seed) % (KH_DATAKEY_KINDS - 1);
  identity.len = 16 + 8 * (test_random(seed) % 3);
  test_random_bytes(seed, identity.passed, identity.len);
  return identity;
}

static kh_status derive(kh_datakeys *keys, const struct identity *identity, uint8_t *ret_key)
{
  kh_datakey wanted = wanted_of(identity);
  return kh_datakeys_derive(keys, &wanted, (kh_bytes){stored, sizeof stored}, ret_key);
}

static bool find(kh_datakeys *keys, const struct identity *identity, uint8_t *ret_key)
{
  kh_datakey wanted = wanted_of(identity);
  return kh_datakeys_find(keys, &wanted, ret_key);
}

/* returns whether the key is cached; asserts that it is right */
static bool is_kept(kh_datakeys *keys, const struct identity *identity)
{
  uint8_t key[KH_DATAKEY_MAX], expected[KH_DATAKEY_MAX];
  if (!find(keys, identity, key))
    return false;
  expected_key(identity, expected);
  assert_memory_equal(key, expected, size_of(identity));
  return true;
}

static void derive_right(kh_datakeys *keys, const struct identity *identity)
{
  uint8_t key[KH_DATAKEY_MAX], expected[KH_DATAKEY_MAX];
  assert_int_equal(derive(keys, identity, key), KH_OK);
  expected_key(identity, expected);
  assert_memory_equal(key, expected, size_of(identity));
}

kh_status __wrap_kh_secret_new(size_t capacity, kh_secret **ret_secret)
{
  kh_datakeys *keys = atomic_exchange(&derive_meanwhile, NULL);
  if (keys != NULL)
    derive_right(keys, &(struct identity){1, 1, "the other", 16, 0});
  if (no_secret)
    return KH_E_NO_MEMORY;
  kh_status status = __real_kh_secret_new(capacity, ret_secret);
  if (status == KH_OK) {
    memory = *ret_secret;
    secrets++;
  }
  return status;
}

void __wrap_kh_secret_free(kh_secret **secret)
{
  secrets -= secret != NULL && *secret != NULL;
  __real_kh_secret_free(secret);
}

static int make(void **state)
{
  no_calloc = no_mac = no_copy_of_mac = no_secret = false;
  memory = NULL;
  secrets = 0;
  for (size_t i = 0; i < sizeof stored; i++)
    stored[i] = (uint8_t)(0x20 + i);
  kh_datakeys *keys = NULL;
  assert_int_equal(kh_datakeys_new(&keys), KH_OK);
  *state = keys;
  return 0;
}

static int drop(void **state)
{
  kh_datakeys *keys = *state;
  kh_datakeys_free(&keys);
  assert_null(keys);
  assert_int_equal(secrets, 0);
  return 0;
}

/* computed with Python: hmac.digest(hmac.digest(passed, stored, "sha256"), info + b"\1", "sha256"),
 * stored = bytes(range(0x20, 0x40)), passed = bytes(range(0x80, 0x80 + len)), info = b"Keyhold
 * AES-256 data key" + bytes.fromhex("01020304a1b2c3d4") */
static void the_key_is_what_the_formula_gives(void **state)
{
  static const char *const known[] = {
      "56bdc8862656e7f376e79e63ca220fc490a749f27148c6308257052691219953",
      "ce855ecc0d985e18d6456b0968d65af829105b198b688b6cbdaa7a7010698cdc",
      "1f18ab152e651a5f6fe7308b519f5029508a449fbf50a57903c3b0f588578b5d"};
  struct identity identity = {0x01020304, 0xa1b2c3d4, {0}, 0, 0};
  for (size_t i = 0; i < KH_KEY_MAX; i++)
    identity.passed[i] = (uint8_t)(0x80 + i);
  for (size_t i = 0; i < COUNT(known); i++) {
    uint8_t key[KH_DATAKEY_MAX], expected[KH_DATAKEY_MAX];
    identity.len = 16 + 8 * i;
    test_unhex(known[i], expected);
    assert_int_equal(derive(*state, &identity, key), KH_OK);
    assert_memory_equal(key, expected, size_of(&identity));
    assert_true(find(*state, &identity, key));
    assert_memory_equal(key, expected, size_of(&identity));
  }
}

static void what_was_derived_is_found(void **state)
{
  uint32_t seed = 1;
  for (size_t i = 0; i < 200; i++) {
    struct identity identity = random_identity(&seed);
    assert_false(is_kept(*state, &identity));
    derive_right(*state, &identity);
    assert_true(is_kept(*state, &identity));
  }
}

/* One in 256 shares the set of a cached key, so that every word is compared many times. */
static void nothing_else_is_found(void **state)
{
  enum { TIMES = 5000, WORDS = 3 };
  uint8_t key[KH_DATAKEY_MAX];
  uint32_t seed = 4;
  for (int i = 0; i < TIMES; i++) {
    struct identity kept = random_identity(&seed);
    kept.len = 8 * WORDS;
    assert_int_equal(derive(*state, &kept, key), KH_OK);
    struct identity others[4 + WORDS];
    for (size_t j = 0; j < COUNT(others); j++)
      others[j] = kept;
    others[0].id++;
    others[1].version++;
    others[2].len = 16;
    others[3].len = 32;
    for (size_t j = 0; j < WORDS; j++)
      others[4 + j].passed[8 * j + test_random(&seed) % 8] ^= 1;
    for (size_t j = 0; j < COUNT(others); j++)
      assert_false(find(*state, &others[j], key));
    assert_true(find(*state, &kept, key));
  }
}

static void other_sizes_are_refused(void **state)
{
  uint8_t zeros[40] = {0};
  uint8_t key[KH_DATAKEY_MAX];
  for (size_t len = 0; len <= sizeof zeros; len++) {
    bool is_passed_size = len == 16 || len == 24 || len == 32;
    kh_bytes bytes = {zeros, len};
    kh_datakey of_16 = {KH_DATAKEY_AES256, 1, 1, {zeros, 16}};
    kh_datakey wanted = {KH_DATAKEY_AES256, 1, 1, bytes};
    assert_int_equal(kh_datakeys_derive(*state, &of_16, bytes, key),
                     len == 32 ? KH_OK : KH_E_KEY_SIZE);
    assert_int_equal(kh_datakeys_derive(*state, &wanted, (kh_bytes){zeros, 32}, key),
                     is_passed_size ? KH_OK : KH_E_KEY_SIZE);
    assert_int_equal(kh_datakeys_find(*state, &wanted, key), is_passed_size);
  }
}

static void a_limited_number_is_kept(void **state)
{
  enum { DERIVED = 8 * KH_DATAKEYS_MAX };
  static struct identity identities[DERIVED];
  uint8_t key[KH_DATAKEY_MAX];
  uint32_t seed = 2;
  size_t found = 0;
  for (size_t i = 0; i < DERIVED; i++) {
    identities[i] = random_identity(&seed);
    assert_int_equal(derive(*state, &identities[i], key), KH_OK);
    assert_true(is_kept(*state, &identities[i]));
  }
  for (size_t i = 0; i < DERIVED; i++)
    found += is_kept(*state, &identities[i]);
  assert_int_equal(found, KH_DATAKEYS_MAX);
  assert_int_equal(secrets, 1);
}

/* The entry that holds a data key, by its bytes; an entry begins with its counter. */
static _Atomic uint64_t *entry_of(const struct identity *identity)
{
  uint8_t expected[KH_DATAKEY_MAX];
  size_t size = kh_secret_capacity(memory) / KH_DATAKEYS_MAX;
  expected_key(identity, expected);
  const uint8_t *found =
      memmem(kh_secret_data(memory), kh_secret_capacity(memory), expected, size_of(identity));
  if (found == NULL)
    return NULL;
  return (_Atomic uint64_t *)(void *)(kh_secret_data(memory) +
                                      (size_t)(found - kh_secret_data(memory)) / size * size);
}

static size_t set_of(const struct identity *identity)
{
  size_t size = kh_secret_capacity(memory) / KH_DATAKEYS_MAX;
  return (size_t)((uint8_t *)entry_of(identity) - kh_secret_data(memory)) / size / WAYS;
}

/* identities that share a set, found by trying in a store of their own */
static void find_neighbours(struct identity *neighbours, size_t count)
{
  uint8_t key[KH_DATAKEY_MAX];
  uint32_t seed = 3;
  size_t found = 0;
  for (size_t set = 0; found < count;) {
    kh_datakeys *keys = NULL;
    assert_int_equal(kh_datakeys_new(&keys), KH_OK);
    for (size_t i = 0; i < 200 && found < count; i++) {
      struct identity identity = random_identity(&seed);
      assert_int_equal(derive(keys, &identity, key), KH_OK);
      if (found == 0)
        set = set_of(&identity);
      if (set_of(&identity) == set)
        neighbours[found++] = identity;
    }
    kh_datakeys_free(&keys);
  }
}

static void older_ones_make_place_in_turn(void **state)
{
  struct identity neighbours[3 * WAYS];
  find_neighbours(neighbours, COUNT(neighbours));
  for (size_t i = 0; i < COUNT(neighbours); i++) {
    derive_right(*state, &neighbours[i]);
    for (size_t j = 0; j < COUNT(neighbours); j++)
      assert_int_equal(is_kept(*state, &neighbours[j]), j <= i && j + WAYS > i);
  }
}

static void a_key_is_kept_once(void **state)
{
  struct identity neighbours[WAYS];
  find_neighbours(neighbours, COUNT(neighbours));
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < COUNT(neighbours); j++)
      derive_right(*state, &neighbours[j]);
  for (size_t j = 0; j < COUNT(neighbours); j++) {
    assert_true(is_kept(*state, &neighbours[j]));
    assert_int_equal(*entry_of(&neighbours[j]), 2); /* written once */
  }
}

static void an_entry_that_is_being_written_is_not_changed(void **state)
{
  struct identity neighbours[WAYS + 1];
  find_neighbours(neighbours, COUNT(neighbours));
  for (size_t i = 0; i < WAYS; i++)
    derive_right(*state, &neighbours[i]);
  _Atomic uint64_t *writes = entry_of(&neighbours[0]);
  *writes += 1; /* as a thread leaves it that was stopped there */
  assert_false(is_kept(*state, &neighbours[0]));
  derive_right(*state, &neighbours[0]);
  derive_right(*state, &neighbours[WAYS]);
  assert_false(is_kept(*state, &neighbours[WAYS]));
  *writes -= 1;
  for (size_t i = 0; i < WAYS; i++)
    assert_true(is_kept(*state, &neighbours[i]));
  derive_right(*state, &neighbours[WAYS]);
  assert_true(is_kept(*state, &neighbours[WAYS]));
}

static void without_memory_it_is_derived_and_not_kept(void **state)
{
  const struct identity identity = {1, 1, "passed", 16, 0};
  no_secret = true;
  derive_right(*state, &identity);
  assert_false(is_kept(*state, &identity));
  no_secret = false;
  derive_right(*state, &identity);
  assert_true(is_kept(*state, &identity));
}

static void who_makes_the_memory_second_frees_its_own(void **state)
{
  const struct identity identity = {1, 2, "passed", 16, 0};
  derive_meanwhile = *state;
  derive_right(*state, &identity);
  assert_int_equal(secrets, 1);
  assert_true(is_kept(*state, &(struct identity){1, 1, "the other", 16, 0}));
  assert_true(is_kept(*state, &identity));
}

static void failures_are_reported_and_cache_nothing(void **state)
{
  const struct identity identity = {1, 1, "passed", 16, 0};
  uint8_t key[KH_DATAKEY_MAX];
  kh_datakeys *keys = NULL;
  no_mac = true;
  assert_int_equal(kh_datakeys_new(&keys), KH_E_CRYPTO);
  no_calloc = true;
  assert_int_equal(kh_datakeys_new(&keys), KH_E_NO_MEMORY);
  no_calloc = false;
  assert_null(keys);
  assert_int_equal(derive(*state, &(struct identity){1, 1, "passed", 15, 0}, key), KH_E_KEY_SIZE);
  assert_int_equal(secrets, 0);
  assert_false(is_kept(*state, &identity));
}

static void openssl_without_memory_derives_no_key_but_libsodium_does(void **state)
{
  no_copy_of_mac = true;
  for (unsigned kind = 0; kind < KH_DATAKEY_KINDS - 1; kind++)
    derive_right(*state, &(struct identity){1, 1, "passed", 16, kind});
  no_copy_of_mac = false;
}

static void free_takes_nothing(void **state)
{
  (void)state;
  kh_datakeys *keys = NULL;
  kh_datakeys_free(&keys);
  kh_datakeys_free(NULL);
}

/* what the threads share: more identities of one set than it has entries, and their keys */
static struct {
  kh_datakeys *keys;
  struct identity identities[WAYS + 2];
  uint8_t expected[WAYS + 2][KH_DATAKEY_MAX];
  atomic_int found, wrong;
} shared;

static bool find_and_derive(void *unused, size_t number)
{
  (void)unused;
  uint32_t seed = (uint32_t)number;
  for (int i = 0; i < ROUNDS; i++) {
    size_t n = test_random(&seed) % COUNT(shared.identities);
    uint8_t key[KH_DATAKEY_MAX] = {0};
    bool is_found = find(shared.keys, &shared.identities[n], key);
    shared.found += is_found;
    if (!is_found && derive(shared.keys, &shared.identities[n], key) != KH_OK)
      shared.wrong++;
    if (memcmp(key, shared.expected[n], size_of(&shared.identities[n])) != 0)
      shared.wrong++;
  }
  return true;
}

static void threads_find_whole_keys(void **state)
{
  find_neighbours(shared.identities, COUNT(shared.identities));
  for (size_t i = 0; i < COUNT(shared.identities); i++)
    expected_key(&shared.identities[i], shared.expected[i]);
  shared.keys = *state;
  threads_run(THREADS, find_and_derive, NULL);
  assert_int_equal(shared.wrong, 0);
  assert_in_range(shared.found, THREADS * ROUNDS / 4, THREADS * ROUNDS - 1);
}

#ifndef __SANITIZE_THREAD__ /* searching that sanitizer's memory takes minutes */
static const char stored_digits[] =
    "6d1f8e0c52b7a394f0e1d2c3b4a5968778695a4b3c2d1e0f1123581321345589";
static const char passed_digits[] =
    "c0ffee11d00dfeedbeefcafe1234567889abcdef76543210a55a3cc3f00f9669";
/* computed as above, with id and version 1 */
static const char key_digits[] = "db0fb9e46a3d4ebe9ef2d2b75e04f8d9ee1aaf995bf3882bbdbda6b0bf826be6";

static kh_secret *unhex_secret(const char *digits)
{
  kh_secret *secret = NULL;
  assert_int_equal(__real_kh_secret_new(32, &secret), KH_OK);
  assert_int_equal(test_unhex(digits, kh_secret_data(secret)), 32);
  kh_secret_set_len(secret, 32);
  return secret;
}

/* the second half: where memory is freed, the C library writes over the first bytes */
static struct masked half_of(const char *digits)
{
  struct masked half = {.len = 16};
  assert_int_equal(test_unhex(digits + 32, half.bytes), 16);
  for (size_t i = 0; i < half.len; i++)
    half.bytes[i] ^= MEMORY_MASK;
  return half;
}

/* Derives and finds deep in the stack, where the search does not overwrite the traces. */
__attribute__((noinline)) static void use_a_key(kh_datakeys *keys)
{
  volatile unsigned char depth[1 << 15] = {0};
  kh_secret *own = unhex_secret(stored_digits);
  kh_secret *passed = unhex_secret(passed_digits);
  kh_secret *key = unhex_secret(stored_digits);
  const kh_datakey wanted = {KH_DATAKEY_AES256, 1, 1, kh_secret_bytes(passed)};
  for (int i = 0; i < 2; i++) /* the second time it makes no memory, which uses the stack */
    assert_int_equal(kh_datakeys_derive(keys, &wanted, kh_secret_bytes(own), kh_secret_data(key)),
                     KH_OK);
  assert_true(kh_datakeys_find(keys, &wanted, kh_secret_data(key) + depth[0]));
  __real_kh_secret_free(&own);
  __real_kh_secret_free(&passed);
  __real_kh_secret_free(&key);
}

static void no_copy_remains(void **state)
{
  (void)state;
  const struct masked halves[] = {half_of(stored_digits), half_of(passed_digits),
                                  half_of(key_digits)};
  kh_datakeys *keys = NULL;
  assert_int_equal(kh_datakeys_new(&keys), KH_OK);
  use_a_key(keys);
  for (size_t i = 0; i < COUNT(halves); i++)
    assert_int_equal(memory_count(&halves[i], MEMORY_DUMPED), 0);
  assert_int_equal(memory_count(&halves[2], MEMORY_NOT_DUMPED), 1); /* the key is cached */
  kh_datakeys_free(&keys);
  for (size_t i = 0; i < COUNT(halves); i++)
    assert_int_equal(memory_count(&halves[i], MEMORY_NOT_DUMPED), 0);
}
#endif

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_key_is_what_the_formula_gives, make, drop),
      cmocka_unit_test_setup_teardown(what_was_derived_is_found, make, drop),
      cmocka_unit_test_setup_teardown(nothing_else_is_found, make, drop),
      cmocka_unit_test_setup_teardown(other_sizes_are_refused, make, drop),
      cmocka_unit_test_setup_teardown(a_limited_number_is_kept, make, drop),
      cmocka_unit_test_setup_teardown(older_ones_make_place_in_turn, make, drop),
      cmocka_unit_test_setup_teardown(a_key_is_kept_once, make, drop),
      cmocka_unit_test_setup_teardown(an_entry_that_is_being_written_is_not_changed, make, drop),
      cmocka_unit_test_setup_teardown(without_memory_it_is_derived_and_not_kept, make, drop),
      cmocka_unit_test_setup_teardown(who_makes_the_memory_second_frees_its_own, make, drop),
      cmocka_unit_test_setup_teardown(failures_are_reported_and_cache_nothing, make, drop),
      cmocka_unit_test_setup_teardown(openssl_without_memory_derives_no_key_but_libsodium_does,
                                      make, drop),
      cmocka_unit_test(free_takes_nothing),
      cmocka_unit_test_setup_teardown(threads_find_whole_keys, make, drop),
#ifndef __SANITIZE_THREAD__
      cmocka_unit_test(no_copy_remains),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
