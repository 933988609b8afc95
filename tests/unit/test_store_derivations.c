/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread that waits for changes to settle */
/* wraps: kh_argon2id kh_kdf_pbkdf2 kh_kdf_openssl_enc */
/* How many keys a server derives: a keeper over an encrypted key file, which it loads, reloads and
 * rotates. One for each slot that is tried, and one for each salt of `openssl enc`. */
#include <string.h>

#include "files.h"
#include "keepers.h"
#include "keyhold/argon2.h"
#include "keyhold/keyfile_openssl.h"
#include "recorder.h"
#include "rotation.h"
#include "sealed.h"
#include "tasks.h"
#include "unit.h"

#define TEXT "1;770A8A65DA156D24EE2A093277530142\n2;101112131415161718191A1B1C1D1E1F\n"

enum { ITERATIONS = 1000 };

static recorder said;
static unsigned derivations;

kh_status __real_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived);
kh_status __wrap_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived);
kh_status __real_kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest,
                               uint32_t iterations, kh_secret *ret_derived);
kh_status __wrap_kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest,
                               uint32_t iterations, kh_secret *ret_derived);
kh_status __real_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived);
kh_status __wrap_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived);

kh_status __wrap_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived)
{
  derivations++;
  return __real_kh_argon2id(passphrase, salt, cost, ret_derived);
}

kh_status __wrap_kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest,
                               uint32_t iterations, kh_secret *ret_derived)
{
  derivations++;
  return __real_kh_kdf_pbkdf2(passphrase, salt, digest, iterations, ret_derived);
}

kh_status __wrap_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived)
{
  derivations++;
  return __real_kh_kdf_openssl_enc(passphrase, salt, digest, iterations, ret_derived);
}

static uint32_t tell_time(void *user)
{
  (void)user;
  return 1000000000;
}

static const char *write_sealed(void)
{
  KH_AUTO_SECRET file = sealed_file(TEXT);
  return test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

static const char *write_openssl(void)
{
  KH_AUTO_SECRET file = NULL;
  kh_keyfile_options options = {
      .path = "keys", .digest = KH_DIGEST_SHA512, .pbkdf2_iterations = ITERATIONS};
  assert_int_equal(kh_keyfile_encrypt_openssl(&options, test_engines, bytes_of(TEXT),
                                              bytes_of("first"), &file, NULL),
                   KH_OK);
  return test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

static kh_keeper *start_keeper(const char *path, const char *passphrase)
{
  kh_keeper *keeper = NULL;
  kh_store store;
  kh_keeper_options options = {
      .default_cipher = KH_CIPHER_AES_CBC, .log = recorder_log(&said), .clock = {tell_time, NULL}};
  kh_keyfile_options keyfile = {.path = path,
                                .filekey = passphrase,
                                .digest = KH_DIGEST_SHA512,
                                .pbkdf2_iterations = ITERATIONS};
  assert_int_equal(kh_store_file_new(&keyfile, test_engines, &options.log, &store), KH_OK);
  assert_int_equal(kh_keeper_new(&options, &store, &keeper, NULL), KH_OK);
  return keeper;
}

static unsigned take_count(void)
{
  unsigned made = derivations;
  derivations = 0;
  return made;
}

static void reload(kh_keeper *keeper)
{
  kh_keeper_token token;
  assert_int_equal(kh_keeper_prepare_reload(keeper, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
}

/* id 0: all keys */
static void rotate(kh_keeper *keeper, uint32_t id)
{
  kh_keeper_token token;
  assert_int_equal(kh_keeper_prepare_rotation(keeper, id, &token, NULL), KH_OK);
  kh_keeper_commit(keeper, token);
}

static void each_change_opens_the_file_once(void **state)
{
  (void)state;
  static const struct {
    const char *(*write)(void);
    const char *passphrase;
    unsigned to_open;
    unsigned to_rotate;
  } cases[] = {
      {write_sealed, "first", 1, 1},
      {write_sealed, "second", 2, 2}, /* of the second slot */
      {write_openssl, "first", 1, 3}, /* a new salt, and its proof */
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    print_message("  %zu\n", i);
    const char *path = cases[i].write();
    derivations = 0;
    kh_keeper *keeper = start_keeper(path, cases[i].passphrase);
    assert_int_equal(take_count(), cases[i].to_open);
    reload(keeper);
    assert_int_equal(take_count(), cases[i].to_open);
    rotate(keeper, 2);
    assert_int_equal(take_count(), cases[i].to_rotate);
    assert_int_equal(keeper_latest(keeper, 2), 1 + KH_ROTATION_STEP);
    rotate(keeper, 0);
    assert_int_equal(take_count(), cases[i].to_rotate);
    assert_int_equal(keeper_latest(keeper, 1), 1 + KH_ROTATION_STEP);
    assert_int_equal(keeper_latest(keeper, 2), 1 + 2 * KH_ROTATION_STEP);
    reload(keeper);
    assert_int_equal(take_count(), cases[i].to_open);
    kh_keeper_free(&keeper);
    assert_int_equal(take_count(), 0);
  }
}

/* A look at a file that is in force, or was compared, derives nothing. */
static void a_check_opens_a_changed_file_once(void **state)
{
  (void)state;
  KH_AUTO_SECRET old = sealed_file("1;770A8A65DA156D24EE2A093277530142\n");
  KH_AUTO_SECRET whole = sealed_file(TEXT);
  const char *path =
      test_file("keys", kh_secret_bytes(whole).data, kh_secret_bytes(whole).len, 0600);
  derivations = 0;
  kh_keeper *keeper = start_keeper(path, "first");
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){.check_every = 20}),
                   KH_OK);
  test_pause(200);
  test_file("keys", kh_secret_bytes(old).data, kh_secret_bytes(old).len, 0600);
  recorder_await(&said, "Key id 2 version 1 is missing in");
  test_pause(200);
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 1);
  test_file("keys", kh_secret_bytes(whole).data, kh_secret_bytes(whole).len, 0600);
  recorder_await(&said, "has every key version in use again");
  test_pause(200);
  kh_keeper_free(&keeper);
  assert_int_equal(take_count(), 3); /* of the start, and of each change */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_change_opens_the_file_once),
      cmocka_unit_test(a_check_opens_a_changed_file_once),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
