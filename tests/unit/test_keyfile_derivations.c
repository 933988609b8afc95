/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_argon2id kh_kdf_pbkdf2 kh_kdf_openssl_enc kh_lockfile_take kh_lockfile_release
 * wraps: kh_file_replace */
/* slow: derives many keys */
/* How many keys the command and a server derive for each operation on an encrypted file, and
 * whether they derive under the lock, while others wait; also when another process changes the file
 * just before the lock is taken. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands/command.h"
#include "files.h"
#include "keyhold/argon2.h"
#include "keyhold/keyfile.h"
#include "keyhold/keyfile_openssl.h"
#include "keyhold/lockfile.h"
#include "rotation.h"
#include "sealed.h"
#include "unit.h"
#include "wrap.h"

#define A16  "770A8A65DA156D24EE2A093277530142"
#define TEXT "1;" A16 "\n1;3;" A16 "\n2;" A16 "\n"

static struct {
  unsigned made;
  unsigned under_lock;
} derivations;
static unsigned locks;

/* what another process does just before the lock is taken, and the file that it leaves */
static void (*meanwhile)(void);
static char left[8192];
static size_t left_len;

WRAPS(kh_argon2id);
WRAPS(kh_kdf_pbkdf2);
WRAPS(kh_kdf_openssl_enc);
WRAPS(kh_file_replace);
WRAPS(kh_lockfile_take);
WRAPS(kh_lockfile_release);

static void count_derivation(void)
{
  derivations.made++;
  derivations.under_lock += locks > 0;
}

kh_status __wrap_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived)
{
  count_derivation();
  return __real_kh_argon2id(passphrase, salt, cost, ret_derived);
}

kh_status __wrap_kh_kdf_pbkdf2(kh_bytes passphrase, kh_bytes salt, kh_digest digest,
                               uint32_t iterations, kh_secret *ret_derived)
{
  count_derivation();
  return __real_kh_kdf_pbkdf2(passphrase, salt, digest, iterations, ret_derived);
}

/* the derivation of this number gives a wrong key; 0: none */
static unsigned spoilt_derivation;

kh_status __wrap_kh_kdf_openssl_enc(kh_bytes passphrase, const uint8_t *salt, kh_digest digest,
                                    uint32_t iterations, kh_secret *ret_derived)
{
  count_derivation();
  kh_status status = __real_kh_kdf_openssl_enc(passphrase, salt, digest, iterations, ret_derived);
  if (status == KH_OK && derivations.made == spoilt_derivation)
    kh_secret_data(ret_derived)[0] ^= 1;
  return status;
}

/* the head of what was to be written last, and whether that fails */
static uint8_t written[16];
static bool disk_is_full;

kh_status __wrap_kh_file_replace(const char *path, const kh_file_stamp *expected, kh_bytes content,
                                 kh_file_stamp *ret_stamp, kh_fault *ret_fault)
{
  memcpy(written, content.data, content.len < sizeof written ? content.len : sizeof written);
  if (disk_is_full)
    return kh_fault_set(ret_fault, KH_E_FILE_WRITE, path, ENOSPC);
  return __real_kh_file_replace(path, expected, content, ret_stamp, ret_fault);
}

kh_status __wrap_kh_lockfile_take(const char *path, unsigned milliseconds, kh_lockfile **ret_lock,
                                  kh_fault *ret_fault)
{
  void (*before)(void) = meanwhile;
  meanwhile = NULL;
  if (before != NULL) {
    unsigned made = derivations.made;
    unsigned under_lock = derivations.under_lock;
    before();
    left_len = test_read_content(path, left, sizeof left);
    derivations.made = made;
    derivations.under_lock = under_lock;
  }
  kh_status status = __real_kh_lockfile_take(path, milliseconds, ret_lock, ret_fault);
  locks += status == KH_OK;
  return status;
}

void __wrap_kh_lockfile_release(kh_lockfile **lock)
{
  locks -= lock != NULL && *lock != NULL;
  __real_kh_lockfile_release(lock);
}

static void start_counting(void)
{
  derivations.made = derivations.under_lock = 0;
}

static void assert_derived(unsigned made)
{
  assert_int_equal(derivations.made, made);
  assert_int_equal(derivations.under_lock, 0);
  assert_int_equal(locks, 0);
}

/* slots "one" and "two", with the passphrases "first" and "second" */
static const char *write_sealed(void)
{
  KH_AUTO_SECRET file = sealed_file(TEXT);
  return test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

/* of the file that write_openssl() writes, and of one that a conversion makes */
#define OPENSSL_HAS "--digest=sha512 --pbkdf2-iterations=1000"
#define OPENSSL_NEW "--to=openssl --new-pbkdf2-iterations=1000"

static const char *write_openssl(void)
{
  KH_AUTO_SECRET file = NULL;
  kh_keyfile_options options = {
      .path = "keys", .digest = KH_DIGEST_SHA512, .pbkdf2_iterations = 1000};
  assert_int_equal(kh_keyfile_encrypt_openssl(&options, test_engines, bytes_of(TEXT),
                                              bytes_of("first"), &file, NULL),
                   KH_OK);
  return test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

/* `keyhold COMMAND FILE ARGUMENTS` */
struct invocation {
  int (*command)(int argc, char **argv);
  const char *arguments;
  const char *passphrase;
  unsigned derivations;
  int result;
};

static const struct invocation invocations[] = {
    {kh_cli_add, "", "first", 1, KH_CLI_WRITTEN},
    {kh_cli_add, "", "second", 2, KH_CLI_WRITTEN},
    {kh_cli_rotate, "--all", "first", 1, KH_CLI_WRITTEN},
    {kh_cli_rotate, "--all", "second", 2, KH_CLI_WRITTEN},
    {kh_cli_rotate, "--due", "first", 1, KH_CLI_DONE},
    {kh_cli_list, "", "first", 1, KH_CLI_DONE},
    {kh_cli_list, "", "second", 2, KH_CLI_DONE},
    {kh_cli_check, "", "first", 1, KH_CLI_NO},
    {kh_cli_export, "--yes-print-the-keys", "first", 1, KH_CLI_DONE},
    {kh_cli_slot_list, "", NULL, 0, KH_CLI_DONE},
    {kh_cli_slot_add, "three --memory=1 --passes=1", "first", 3, KH_CLI_WRITTEN},
    {kh_cli_slot_add, "three --memory=1 --passes=1", "second", 4, KH_CLI_WRITTEN},
    {kh_cli_slot_change, "one --memory=1 --passes=1", "first", 3, KH_CLI_WRITTEN},
    {kh_cli_slot_change, "two --memory=1 --passes=1", "second", 4, KH_CLI_WRITTEN},
    {kh_cli_slot_remove, "two", "first", 3, KH_CLI_WRITTEN},  /* one slot is left, and made anew */
    {kh_cli_slot_remove, "one", "second", 4, KH_CLI_WRITTEN}, /* likewise */
    {kh_cli_slot_remove, "two", "second", 2, KH_CLI_FAILED},  /* it is that slot's */
    {kh_cli_slot_remove, "one", "first", 2, KH_CLI_FAILED},
    {kh_cli_unseal, "", "first", 1, KH_CLI_WRITTEN},
    {kh_cli_convert, "--to=sealed --memory=1 --passes=1", "first", 3, KH_CLI_WRITTEN},
    {kh_cli_convert, "--to=sealed --memory=1 --passes=1", "second", 4, KH_CLI_WRITTEN},
    {kh_cli_convert, OPENSSL_NEW, "first", 3, KH_CLI_WRITTEN},
    {kh_cli_convert, OPENSSL_NEW, "second", 4, KH_CLI_WRITTEN},
    {kh_cli_add, "", "wrong", 2, KH_CLI_FAILED},
};

/* The same for a file of `openssl enc`, which has one passphrase: "first". */
static const struct invocation openssl_invocations[] = {
    {kh_cli_add, OPENSSL_HAS, "first", 3, KH_CLI_WRITTEN},
    {kh_cli_rotate, "--all " OPENSSL_HAS, "first", 3, KH_CLI_WRITTEN},
    {kh_cli_rotate, "--due " OPENSSL_HAS, "first", 1, KH_CLI_DONE},
    {kh_cli_list, OPENSSL_HAS, "first", 1, KH_CLI_DONE},
    {kh_cli_check, OPENSSL_HAS, "first", 1, KH_CLI_NO},
    {kh_cli_export, "--yes-print-the-keys " OPENSSL_HAS, "first", 1, KH_CLI_DONE},
    {kh_cli_unseal, OPENSSL_HAS, "first", 1, KH_CLI_WRITTEN},
    {kh_cli_convert, OPENSSL_NEW " " OPENSSL_HAS, "first", 3, KH_CLI_WRITTEN},
    {kh_cli_convert, "--to=sealed --memory=1 --passes=1 " OPENSSL_HAS, "first", 3, KH_CLI_WRITTEN},
    {kh_cli_add, OPENSSL_HAS, "wrong", 1, KH_CLI_FAILED},
};

static int invoke(const struct invocation *invocation, const char *path)
{
  char text[8192];
  char *argv[12] = {(char *)"keyhold", (char *)path};
  int argc = 2;
  char *rest = NULL;
  int len = snprintf(text, sizeof text, "%s", invocation->arguments);
  if (invocation->passphrase != NULL)
    len += snprintf(text + len, sizeof text - (size_t)len, " --passphrase-file=%s",
                    test_text("pass", invocation->passphrase, 0600));
  if (invocation->command == kh_cli_slot_add || invocation->command == kh_cli_slot_change ||
      invocation->command == kh_cli_convert || invocation->command == kh_cli_seal)
    snprintf(text + len, sizeof text - (size_t)len, " --new-passphrase-file=%s",
             test_text("new", "the new one", 0600));
  for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
    argv[argc++] = word;
  return invocation->command(argc, argv);
}

static void invoke_all(const struct invocation *all, size_t count, const char *(*write)(void))
{
  for (size_t i = 0; i < count; i++) {
    const char *path = write();
    start_counting();
    print_message("  %zu: %s %s\n", i, all[i].arguments, all[i].passphrase);
    assert_int_equal(invoke(&all[i], path), all[i].result);
    assert_derived(all[i].derivations);
  }
}

static void each_command_opens_the_file_once(void **state)
{
  (void)state;
  invoke_all(invocations, COUNT(invocations), write_sealed);
}

static void each_command_derives_once_for_each_salt(void **state)
{
  (void)state;
  invoke_all(openssl_invocations, COUNT(openssl_invocations), write_openssl);
}

static void a_file_is_created_and_sealed(void **state)
{
  (void)state;
  static const struct invocation create = {kh_cli_create, "--memory=1 --passes=1", "new one", 2,
                                           KH_CLI_WRITTEN};
  static const struct invocation seal = {kh_cli_seal, "--memory=1 --passes=1", NULL, 2,
                                         KH_CLI_WRITTEN};
  start_counting();
  assert_int_equal(invoke(&create, test_path("created")), KH_CLI_WRITTEN);
  assert_derived(create.derivations);
  static const struct invocation openssl = {
      kh_cli_create, "--format=openssl --pbkdf2-iterations=1000", "new one", 2, KH_CLI_WRITTEN};
  static const struct invocation convert = {kh_cli_convert, OPENSSL_NEW, NULL, 2, KH_CLI_WRITTEN};
  start_counting();
  assert_int_equal(invoke(&openssl, test_path("created of openssl")), KH_CLI_WRITTEN);
  assert_derived(openssl.derivations);
  start_counting();
  assert_int_equal(invoke(&convert, test_text("keys", TEXT, 0600)), KH_CLI_WRITTEN);
  assert_derived(convert.derivations);
  start_counting();
  assert_int_equal(invoke(&seal, test_text("keys", TEXT, 0600)), KH_CLI_WRITTEN);
  assert_derived(seal.derivations);
}

static kh_keyfile *open_with(const char *path, const char *passphrase)
{
  kh_keyfile *file = NULL;
  static kh_keyfile_options options;
  options = (kh_keyfile_options){.path = path, .filekey = passphrase};
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, NULL), KH_OK);
  return file;
}

static void versions_are_retired(void **state)
{
  (void)state;
  const char *path = write_sealed();
  kh_keytable *old = rotation_table_of("1;" A16 "\n");
  start_counting();
  KH_AUTO_KEYFILE file = open_with(path, "second");
  assert_int_equal(kh_keyfile_save_as(file, NULL, test_path("copy"), NULL), KH_OK);
  assert_int_equal(kh_keyfile_retire_versions(file, old, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  kh_keytable_free(&old);
  assert_derived(2);
}

/* One file stays open for several changes. */
static void a_file_that_stays_open(void **state)
{
  (void)state;
  kh_keyfile_addition addition = {.len = 16};
  kh_sealed_entry entry = sealed_entry("one", &kh_sealed_argon2id, "another");
  uint32_t id = 0;
  const char *path = write_sealed();
  start_counting();
  KH_AUTO_KEYFILE file = open_with(path, "first");
  for (uint32_t i = 3; i < 6; i++) {
    assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
    assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
    assert_int_equal(id, i);
  }
  assert_derived(1);
  assert_int_equal(kh_keyfile_change_slot(file, KH_SLOT_CHANGE, &entry, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_derived(3);
  KH_AUTO_KEYFILE again = open_with(path, "another");
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), 3 + 4);
}

/* A change that was not saved has no effect. */
static void a_change_that_is_dropped(void **state)
{
  (void)state;
  kh_keyfile_addition addition = {.len = 16};
  uint32_t id = 0;
  const char *path = write_sealed();
  KH_AUTO_KEYFILE file = open_with(path, "first");
  for (int i = 0; i < 2; i++) {
    assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
    assert_int_equal(id, 3);
    assert_int_equal(kh_keylist_count(kh_keyfile_keys(file)), 3);
  }
  assert_int_equal(locks, 1);
  kh_keyfile_free(&file);
  assert_int_equal(locks, 0);
  file = open_with(path, "first");
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(file)), 3);
}

static rotation_run server(const char *path, const char *filekey)
{
  return (rotation_run){
      .path = path, .filekey = filekey, .known = rotation_table_of(TEXT), .what = {.now = 1}};
}

static void end_server(rotation_run *run)
{
  rotation_free(run);
  kh_keytable_free(&run->known);
}

static void a_server_rotates(void **state)
{
  (void)state;
  rotation_run run = server(write_sealed(), "first");
  start_counting();
  assert_int_equal(rotation_run_it(&run), KH_OK);
  assert_int_equal(run.rotated.made, 2);
  assert_derived(1);
  rotation_free(&run);
  start_counting();
  assert_int_equal(rotation_run_it(&run), KH_OK); /* and takes the version that is already there */
  assert_int_equal(run.rotated.taken, 2);
  assert_derived(1);
  end_server(&run);
}

/* A file of `openssl enc`. */

static kh_keyfile *open_openssl_with(const char *path, const char *passphrase)
{
  kh_keyfile *file = NULL;
  static kh_keyfile_options options;
  options = (kh_keyfile_options){
      .path = path, .filekey = passphrase, .digest = KH_DIGEST_SHA512, .pbkdf2_iterations = 1000};
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, NULL), KH_OK);
  return file;
}

static rotation_run openssl_server(const char *path)
{
  rotation_run run = server(path, "first");
  run.iterations = 1000;
  return run;
}

/* A salt is used for one file only, even if that could not be written. */
static void a_salt_is_used_once(void **state)
{
  (void)state;
  kh_keyfile_addition addition = {.len = 16};
  uint32_t id = 0;
  uint8_t seen[4][sizeof written] = {{0}};
  const char *path = write_openssl();
  start_counting();
  KH_AUTO_KEYFILE file = open_openssl_with(path, "first");
  for (unsigned i = 0; i < COUNT(seen); i++) {
    disk_is_full = i == 1;
    assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
    assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK); /* anew */
    assert_int_equal(kh_keyfile_save(file, NULL), disk_is_full ? KH_E_FILE_WRITE : KH_OK);
    memcpy(seen[i], written, sizeof written);
    for (unsigned j = 0; j < i; j++)
      assert_memory_not_equal(seen[i], seen[j], sizeof written);
    assert_derived(1 + 2 * (i + 1));
    KH_AUTO_KEYFILE again = open_openssl_with(path, "first");
    assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), 3 + i + (i == 0));
    derivations.made--;
  }
}

/* A file that is encrypted with a key that its passphrase does not derive would be lost. */
static void a_key_that_is_not_derived_again_is_not_used(void **state)
{
  (void)state;
  kh_keyfile_addition addition = {.len = 16};
  uint32_t id = 0;
  const char *path = write_openssl();
  start_counting();
  KH_AUTO_KEYFILE file = open_openssl_with(path, "first");
  for (spoilt_derivation = 2; spoilt_derivation <= 5; spoilt_derivation += 3)
    assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_E_CRYPTO);
  spoilt_derivation = 0;
  KH_AUTO_KEYFILE again = open_openssl_with(path, "first");
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), 3);
  assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
}

static void a_server_rotates_a_file_of_openssl(void **state)
{
  (void)state;
  rotation_run run = openssl_server(write_openssl());
  start_counting();
  assert_int_equal(rotation_run_it(&run), KH_OK);
  assert_int_equal(run.rotated.made, 2);
  assert_derived(3);
  rotation_free(&run);
  start_counting();
  assert_int_equal(rotation_run_it(&run), KH_OK); /* no version is made, and no salt is needed */
  assert_int_equal(run.rotated.taken, 2);
  assert_derived(1);
  end_server(&run);
}

/* Another process. */

static void rotate_openssl_meanwhile(void)
{
  rotation_run run = openssl_server(test_path("keys"));
  assert_int_equal(rotation_run_it(&run), KH_OK);
  assert_int_equal(run.rotated.made, 2);
  end_server(&run);
}

static void seal_meanwhile(void)
{
  (void)write_sealed();
}

static void other_openssl_meanwhile(void)
{
  (void)write_openssl();
}

static void rotate_meanwhile(void)
{
  rotation_run run = server(test_path("keys"), "second");
  assert_int_equal(rotation_run_it(&run), KH_OK);
  assert_int_equal(run.rotated.made, 2);
  end_server(&run);
}

static void change_slots_meanwhile(kh_slot_change change, const char *label, const char *passphrase)
{
  KH_AUTO_KEYFILE file = NULL;
  kh_keyfile_options options = {.path = test_path("keys"), .filekey = "second"};
  kh_sealed_entry entry = sealed_entry(label, &kh_sealed_argon2id, passphrase);
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, NULL), KH_OK);
  assert_int_equal(kh_keyfile_change_slot(file, change, &entry, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
}

static void add_a_slot_meanwhile(void)
{
  change_slots_meanwhile(KH_SLOT_ADD, "three", "third");
}

static void take_the_slot_meanwhile(void)
{
  change_slots_meanwhile(KH_SLOT_CHANGE, "one", "not first any more");
}

static void renew_the_slot_meanwhile(void)
{
  change_slots_meanwhile(KH_SLOT_CHANGE, "one", "first");
}

static void unseal_meanwhile(void)
{
  test_text("keys", TEXT, 0600);
}

static void spoil_meanwhile(void)
{
  test_text("keys", "keyhold-sealed 1\nslot", 0600);
}

static void copy_meanwhile(void)
{
  char content[8192];
  size_t len = test_read_content(test_path("keys"), content, sizeof content);
  test_file("keys", content, len, 0600);
}

static void what_another_process_did_meanwhile(void **state)
{
  (void)state;
  static const struct {
    void (*meanwhile)(void);
    kh_status status;
    unsigned under_lock; /* derivations */
    size_t made;
  } cases[] = {
      {copy_meanwhile, KH_OK, 0, 2},
      {rotate_meanwhile, KH_OK, 0, 0}, /* its versions are taken */
      {add_a_slot_meanwhile, KH_OK, 0, 2},
      {renew_the_slot_meanwhile, KH_OK, 1, 2},
      {take_the_slot_meanwhile, KH_E_WRONG_PASSPHRASE, 2, 0},
      {unseal_meanwhile, KH_E_NOT_ENCRYPTED, 0, 0},
      {spoil_meanwhile, KH_E_SEALED_DAMAGED, 0, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char content[8192];
    rotation_run run = server(write_sealed(), "first");
    start_counting();
    meanwhile = cases[i].meanwhile;
    print_message("  %zu\n", i);
    assert_int_equal(rotation_run_it(&run), cases[i].status);
    assert_int_equal(derivations.made, 1 + cases[i].under_lock);
    assert_int_equal(derivations.under_lock, cases[i].under_lock);
    assert_int_equal(locks, 0);
    assert_false(rotation_has_temporary(run.path));
    size_t len = test_read_content(run.path, content, sizeof content);
    if (cases[i].status == KH_OK) {
      assert_int_equal(run.rotated.made, cases[i].made);
      assert_int_equal(kh_keylist_count(run.list), 5);
    } else {
      assert_int_equal(len, left_len);
      assert_memory_equal(content, left, len);
    }
    if (cases[i].meanwhile == add_a_slot_meanwhile)
      assert_int_equal(sealed_open(bytes_of(content), "third", NULL, NULL), KH_OK);
    end_server(&run);
  }
}

/* The key for the new salt also fits the file that another process wrote; its content must be
 * opened anew. */
static void what_another_process_did_to_a_file_of_openssl(void **state)
{
  (void)state;
  static const struct {
    const char *(*write)(void);
    void (*meanwhile)(void);
    kh_status status;
    unsigned before; /* the lock */
    unsigned under_lock;
    size_t keys;
  } cases[] = {
      {write_openssl, copy_meanwhile, KH_OK, 3, 0, 4},
      {write_openssl, rotate_openssl_meanwhile, KH_OK, 3, 1, 6},
      {write_openssl, other_openssl_meanwhile, KH_OK, 3, 1, 4},
      {write_openssl, seal_meanwhile, KH_OK, 3, 1, 4},
      {write_openssl, unseal_meanwhile, KH_E_NOT_ENCRYPTED, 3, 0, 3},
      {write_sealed, other_openssl_meanwhile, KH_OK, 1, 3, 4},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    kh_keyfile_addition addition = {.len = 16};
    uint32_t id = 0;
    const char *path = cases[i].write();
    print_message("  %zu\n", i);
    start_counting();
    KH_AUTO_KEYFILE file = open_openssl_with(path, "first");
    meanwhile = cases[i].meanwhile;
    kh_status status = kh_keyfile_add_key(file, &addition, &id, NULL);
    if (status == KH_OK)
      status = kh_keyfile_save(file, NULL);
    assert_int_equal(status, cases[i].status);
    assert_int_equal(derivations.made, cases[i].before + cases[i].under_lock);
    assert_int_equal(derivations.under_lock, cases[i].under_lock);
    if (status != KH_OK)
      continue;
    KH_AUTO_KEYFILE again = open_openssl_with(path, "first");
    assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), cases[i].keys);
  }
}

static void swap_openssl_meanwhile(void)
{
  KH_AUTO_SECRET file = NULL;
  kh_keyfile_options options = {
      .path = "keys", .digest = KH_DIGEST_SHA1, .pbkdf2_iterations = 2000};
  assert_int_equal(kh_keyfile_encrypt_openssl(&options, test_engines, bytes_of(TEXT),
                                              bytes_of("new"), &file, NULL),
                   KH_OK);
  test_file("keys", kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
}

/* A file that got another form and stays open is opened anew by that form. */
static void a_form_of_openssl_that_stays_open(void **state)
{
  (void)state;
  KH_AUTO_SECRET passphrase = NULL;
  kh_keyfile_addition addition = {.len = 16};
  uint32_t id = 0;
  assert_int_equal(kh_secret_new(3, &passphrase), KH_OK);
  memcpy(kh_secret_data(passphrase), "new", 3);
  kh_secret_set_len(passphrase, 3);
  kh_keyfile_form form = {.format = &kh_keyfile_format_openssl,
                          .passphrase = passphrase,
                          .digest = KH_DIGEST_SHA1,
                          .pbkdf2_iterations = 2000};
  const char *path = write_openssl();
  start_counting();
  KH_AUTO_KEYFILE file = open_openssl_with(path, "first");
  assert_int_equal(kh_keyfile_set_form(file, &form, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_derived(3);
  meanwhile = swap_openssl_meanwhile;
  assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_int_equal(derivations.made, 3 + 3);
  assert_int_equal(derivations.under_lock, 1);
}

/* A change of slots keeps what the other process wrote. */
static void slots_that_two_change_at_once(void **state)
{
  (void)state;
  static const struct {
    void (*meanwhile)(void);
    unsigned made;
    unsigned under_lock;
    size_t slots;
    size_t keys;
  } cases[] = {
      {rotate_meanwhile, 3, 0, 3, 5},         /* the slot that was made still fits */
      {add_a_slot_meanwhile, 3 + 2, 2, 4, 3}, /* it is made again */
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *path = write_sealed();
    kh_sealed_entry entry = sealed_entry("four", &kh_sealed_argon2id, "fourth");
    KH_AUTO_KEYFILE file = NULL;
    start_counting();
    file = open_with(path, "first");
    meanwhile = cases[i].meanwhile;
    assert_int_equal(kh_keyfile_change_slot(file, KH_SLOT_ADD, &entry, NULL), KH_OK);
    assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
    assert_int_equal(derivations.made, cases[i].made);
    assert_int_equal(derivations.under_lock, cases[i].under_lock);
    assert_int_equal(kh_keyfile_slots(file).count, cases[i].slots);
    KH_AUTO_KEYFILE again = open_with(path, "fourth");
    assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), cases[i].keys);
  }
}

static void a_form_that_changes_after_a_rotation(void **state)
{
  (void)state;
  KH_AUTO_SECRET passphrase = NULL;
  const char *path = write_sealed();
  assert_int_equal(kh_secret_new(3, &passphrase), KH_OK);
  memcpy(kh_secret_data(passphrase), "new", 3);
  kh_secret_set_len(passphrase, 3);
  kh_keyfile_form form = {.format = &kh_keyfile_format_sealed,
                          .passphrase = passphrase,
                          .slot = sealed_entry("main", &kh_sealed_argon2id, "").slot};
  start_counting();
  KH_AUTO_KEYFILE file = open_with(path, "first");
  meanwhile = rotate_meanwhile;
  assert_int_equal(kh_keyfile_set_form(file, &form, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_derived(3);
  KH_AUTO_KEYFILE again = open_with(path, "new");
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), 5);
}

/* A decision about another file is not carried out. */
static void versions_of_a_file_that_changed(void **state)
{
  (void)state;
  kh_keytable *old = rotation_table_of("1;" A16 "\n");
  const char *path = write_sealed();
  KH_AUTO_KEYFILE file = open_with(path, "first");
  meanwhile = rotate_meanwhile;
  assert_int_equal(kh_keyfile_retire_versions(file, old, NULL), KH_E_FILE_CHANGED);
  kh_keytable_free(&old);
  kh_keyfile_free(&file);
  file = open_with(path, "first");
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(file)), 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_command_opens_the_file_once),
      cmocka_unit_test(each_command_derives_once_for_each_salt),
      cmocka_unit_test(a_file_is_created_and_sealed),
      cmocka_unit_test(versions_are_retired),
      cmocka_unit_test(a_file_that_stays_open),
      cmocka_unit_test(a_change_that_is_dropped),
      cmocka_unit_test(a_server_rotates),
      cmocka_unit_test(a_salt_is_used_once),
      cmocka_unit_test(a_key_that_is_not_derived_again_is_not_used),
      cmocka_unit_test(a_server_rotates_a_file_of_openssl),
      cmocka_unit_test(what_another_process_did_meanwhile),
      cmocka_unit_test(what_another_process_did_to_a_file_of_openssl),
      cmocka_unit_test(a_form_of_openssl_that_stays_open),
      cmocka_unit_test(slots_that_two_change_at_once),
      cmocka_unit_test(a_form_that_changes_after_a_rotation),
      cmocka_unit_test(versions_of_a_file_that_changed),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
