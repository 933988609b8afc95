/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: waits for a thread that waits for changes to settle */
/* wraps: kh_argon2id kh_kdf_pbkdf2 kh_kdf_openssl_enc */
/* How many keys a server derives: a keeper over an encrypted key file, which it loads, reloads and
 * rotates. One for each slot that is tried, and one for each salt of `openssl enc`. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
static bool is_quick; /* no cost takes time */

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
  static const kh_argon2_cost least = {KH_ARGON2_MEMORY_MIN, KH_ARGON2_PASSES_MIN};
  derivations++;
  return __real_kh_argon2id(passphrase, salt, is_quick ? &least : cost, ret_derived);
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

static const char *write_costly(uint32_t memory, uint32_t passes)
{
  KH_AUTO_SEALED sealed = NULL;
  KH_AUTO_SECRET file = NULL;
  kh_sealed_slot slot = kh_sealed_slot_default("main", &kh_sealed_argon2id);
  assert_true(kh_sealed_slot_set(&slot, "memory", memory));
  assert_true(kh_sealed_slot_set(&slot, "passes", passes));
  kh_sealed_entry entry = {slot, bytes_of("first")};
  assert_int_equal(kh_sealed_new("keys", &entry, 1, &sealed, NULL), KH_OK);
  assert_int_equal(kh_sealed_write(sealed, bytes_of(TEXT), &file, NULL), KH_OK);
  return test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

static kh_status load_file(const kh_store *store, kh_store_reason reason, kh_fault *ret_fault)
{
  kh_store_content content;
  kh_status status = store->ops->load(store->self, reason, &content, ret_fault);
  if (status == KH_OK)
    kh_store_content_free(&content);
  return status;
}

static void new_store(const char *path, uint32_t memory_max, kh_store *ret_store)
{
  kh_keyfile_options options = {.path = path, .filekey = "first", .argon2_memory_max = memory_max};
  kh_log log = recorder_log(&said);
  assert_int_equal(kh_store_file_new(&options, test_engines, &log, ret_store), KH_OK);
}

/* nothing is derived for a file that costs more than an automatic reload may, until a statement has
 * loaded it */
static void a_costly_file_is_not_loaded_automatically(void **state)
{
  (void)state;
  kh_store store;
  kh_fault fault;
  is_quick = true;
  new_store(write_costly(KH_ARGON2_MEMORY_DEFAULT, 24), 0, &store);
  assert_int_equal(load_file(&store, KH_STORE_CHANGED, &fault), KH_OK);
  (void)write_costly(KH_ARGON2_MEMORY_DEFAULT, 25);
  take_count();
  assert_int_equal(load_file(&store, KH_STORE_CHANGED, &fault), KH_E_SEALED_WORK);
  assert_int_equal(fault.size, 25 * KH_ARGON2_MEMORY_DEFAULT);
  assert_int_equal(fault.limit, KH_SEALED_WORK_AUTOMATIC);
  assert_int_equal(take_count(), 0);
  assert_int_equal(load_file(&store, KH_STORE_REQUESTED, &fault), KH_OK);
  assert_int_equal(load_file(&store, KH_STORE_CHANGED, &fault), KH_OK);
  (void)write_costly(KH_ARGON2_MEMORY_DEFAULT, 26);
  assert_int_equal(load_file(&store, KH_STORE_CHANGED, &fault), KH_E_SEALED_WORK);
  kh_store_free(&store);
}

/* as a statement rotates or saves */
static void rotate_file(const kh_store *store, const kh_keytable *known, bool due_only,
                        kh_status expected)
{
  kh_store_content content = {0};
  kh_store_rotated rotated;
  kh_store_mark loaded = {{0}};
  kh_store_rotation rotation = {.known = known,
                                .loaded = &loaded,
                                .due_only = due_only,
                                .now = 1000000000,
                                .default_cipher = KH_CIPHER_AES_CBC};
  assert_int_equal(kh_store_make_versions(store, &rotation, &content, &rotated, NULL), expected);
  kh_store_content_free(&content);
}

static void save_file(const kh_store *store, const kh_keytable *known)
{
  kh_store_content content = {0};
  kh_store_saved saved;
  kh_store_saving saving = {.known = known, .now = 1000000000, .default_cipher = KH_CIPHER_AES_CBC};
  assert_int_equal(kh_store_save(store, &saving, &content, &saved, NULL), KH_OK);
  kh_store_content_free(&content);
}

static void any_statement_accepts_the_cost_of_the_file(void **state)
{
  (void)state;
  kh_store store;
  kh_store_content content = {0};
  KH_AUTO_KEYTABLE known = NULL;
  is_quick = true;
  new_store(write_costly(KH_ARGON2_MEMORY_DEFAULT, 1), 0, &store);
  assert_int_equal(store.ops->load(store.self, KH_STORE_REQUESTED, &content, NULL), KH_OK);
  assert_int_equal(kh_keytable_new(content.list, &known), KH_OK);
  kh_store_content_free(&content);
  for (uint32_t passes = 25; passes < 27; passes++) {
    (void)write_costly(KH_ARGON2_MEMORY_DEFAULT, passes);
    assert_int_equal(load_file(&store, KH_STORE_COMPARED, NULL), KH_E_SEALED_WORK);
    rotate_file(&store, known, true, KH_E_SEALED_WORK);
    if (passes == 25)
      rotate_file(&store, known, false, KH_OK);
    else
      save_file(&store, known);
    assert_int_equal(load_file(&store, KH_STORE_COMPARED, NULL), KH_OK);
    rotate_file(&store, known, true, KH_OK);
  }
  kh_store_free(&store);
}

static void the_memory_of_a_slot_has_a_limit_of_ones_own(void **state)
{
  (void)state;
  kh_store store;
  kh_fault fault;
  is_quick = true;
  new_store(write_costly(65537, 1), 65536, &store);
  take_count();
  assert_int_equal(load_file(&store, KH_STORE_REQUESTED, &fault), KH_E_SEALED_MEMORY);
  assert_string_equal(fault.name, "main");
  assert_int_equal(fault.size, 65537);
  assert_int_equal(fault.limit, 65536);
  assert_int_equal(take_count(), 0);
  (void)write_costly(65536, 1);
  assert_int_equal(load_file(&store, KH_STORE_REQUESTED, &fault), KH_OK);
  kh_store_free(&store);
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

/* A FIFO that replaces the key file under a running server is for the next start. */
static void a_check_reads_no_fifo(void **state)
{
  (void)state;
  char content[sizeof TEXT] = "";
  const char *path = write_openssl();
  kh_keeper *keeper = start_keeper(path, "first");
  take_count();
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  int fd = open(path, O_RDWR | O_NONBLOCK);
  assert_int_equal(write(fd, TEXT, sizeof TEXT), sizeof TEXT);
  assert_int_equal(kh_keeper_set_background(keeper, (kh_keeper_background){.check_every = 20}),
                   KH_OK);
  recorder_await(&said, "is a FIFO, and reading it would take away what the next start needs");
  assert_int_equal(kh_keeper_get_stats(keeper).unsaved, 0);
  kh_keeper_free(&keeper);
  assert_int_equal(read(fd, content, sizeof content), sizeof TEXT);
  assert_string_equal(content, TEXT);
  close(fd);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_costly_file_is_not_loaded_automatically),
      cmocka_unit_test(any_statement_accepts_the_cost_of_the_file),
      cmocka_unit_test(the_memory_of_a_slot_has_a_limit_of_ones_own),
      cmocka_unit_test(each_change_opens_the_file_once),
      cmocka_unit_test(a_check_opens_a_changed_file_once),
      cmocka_unit_test(a_check_reads_no_fifo),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
