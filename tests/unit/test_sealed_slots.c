/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_sealed_payload_write */
#include <stdlib.h>
#include <string.h>

#include "core/keyfile/sealed_payload.h"
#include "sealed.h"
#include "unit.h"
#include "wrap.h"

#define TEXT "1;770A8A65DA156D24EE2A093277530142\n"

static uint8_t last_file_key[KH_SEALED_KEY_SIZE]; /* of the last file that was written */

WRAPS(kh_sealed_payload_write);
kh_status __wrap_kh_sealed_payload_write(const kh_sealed_lines *lines, const kh_secret *file_key,
                                         kh_bytes text, kh_secret **ret_file)
{
  assert_int_equal(kh_secret_bytes(file_key).len, sizeof last_file_key);
  memcpy(last_file_key, kh_secret_bytes(file_key).data, sizeof last_file_key);
  return __real_kh_sealed_payload_write(lines, file_key, text, ret_file);
}

/* a file of as many slots as there are passphrases, with the labels a, b, c ... */
static kh_secret *file_of(const char *const *passphrases, size_t count)
{
  kh_sealed_entry entries[KH_SEALED_SLOTS_MAX];
  kh_secret *file = NULL;
  for (size_t i = 0; i < count; i++)
    entries[i] = sealed_entry((char[]){(char)('a' + i), '\0'}, &kh_sealed_argon2id, passphrases[i]);
  assert_int_equal(sealed_make(bytes_of(TEXT), entries, count, &file, NULL), KH_OK);
  return file;
}

static const char *const passphrases[] = {"pa", "pb", "pc", "pd", "pe", "pf", "pg", "ph"};

/* One change of slots and its results. */
struct change {
  kh_status status;
  kh_secret *file; /* NULL after a failure */
  kh_fault fault;
};

static struct change checked(struct change change)
{
  assert_int_equal(change.fault.status, change.status);
  assert_int_equal(change.status == KH_OK, change.file != NULL);
  if (change.status != KH_OK)
    assert_string_equal(change.fault.path.text, SEALED_PATH);
  return change;
}

static struct change add(const kh_secret *file, const char *passphrase, kh_sealed_entry added)
{
  struct change change = {.status = KH_OK};
  change.status = sealed_add_slot(kh_secret_bytes(file), bytes_of(passphrase), &added, &change.file,
                                  &change.fault);
  return checked(change);
}

static struct change change_slot(const kh_secret *file, const char *passphrase,
                                 kh_sealed_entry changed)
{
  struct change change = {.status = KH_OK};
  change.status = sealed_change_slot(kh_secret_bytes(file), bytes_of(passphrase), &changed,
                                     &change.file, &change.fault);
  return checked(change);
}

static struct change remove_slot(const kh_secret *file, const char *passphrase, const char *label)
{
  struct change change = {.status = KH_OK};
  change.status = sealed_remove_slot(kh_secret_bytes(file), bytes_of(passphrase), label,
                                     &change.file, &change.fault);
  return checked(change);
}

static void expect_status(struct change change, kh_status status)
{
  assert_int_equal(change.status, status);
  kh_secret_free(&change.file);
}

static void expect_wrong(const kh_secret *file, const char *passphrase)
{
  assert_int_equal(sealed_open(kh_secret_bytes(file), passphrase, NULL, NULL),
                   KH_E_WRONG_PASSPHRASE);
}

static void expect_same_slot(const kh_secret *before, unsigned at_before, const kh_secret *after,
                             unsigned at_after)
{
  kh_bytes a = sealed_line(kh_secret_bytes(before), 2 + at_before);
  kh_bytes b = sealed_line(kh_secret_bytes(after), 2 + at_after);
  assert_int_equal(a.len, b.len);
  assert_memory_equal(a.data, b.data, a.len);
}

static void any_passphrase_can_add_a_slot(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 2);
  for (size_t i = 0; i < 2; i++) {
    struct change change =
        add(file, passphrases[i], sealed_entry("safe", &kh_sealed_pbkdf2_hmac_sha512, "new"));
    assert_int_equal(change.status, KH_OK);
    sealed_expect(change.file, "pa", 0, TEXT);
    sealed_expect(change.file, "pb", 1, TEXT);
    sealed_expect(change.file, "new", 2, TEXT);
    expect_same_slot(file, 0, change.file, 0);
    expect_same_slot(file, 1, change.file, 1);
    kh_secret_free(&change.file);
  }
  kh_secret_free(&file);
}

static void slots_are_added_up_to_the_limit(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 7);
  struct change eight = add(file, "pg", sealed_entry("h", &kh_sealed_argon2id, "ph"));
  assert_int_equal(eight.status, KH_OK);
  for (size_t i = 0; i < COUNT(passphrases); i++)
    sealed_expect(eight.file, passphrases[i], i, TEXT);
  struct change nine = add(eight.file, "pa", sealed_entry("i", &kh_sealed_argon2id, "x"));
  assert_int_equal(nine.status, KH_E_SLOT_COUNT);
  assert_int_equal(nine.fault.limit, KH_SEALED_SLOTS_MAX);
  kh_secret_free(&eight.file);
  kh_secret_free(&file);
}

static void bad_slots_are_not_added(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 2);
  kh_sealed_entry dear = sealed_entry("c", &kh_sealed_pbkdf2_hmac_sha512, "x");
  struct change twice = add(file, "pa", sealed_entry("b", &kh_sealed_argon2id, "x"));
  expect_status(twice, KH_E_SLOT_EXISTS);
  assert_string_equal(twice.fault.name, "b");
  expect_status(add(file, "pa", sealed_entry("c c", &kh_sealed_argon2id, "x")), KH_E_SLOT_LABEL);
  expect_status(add(file, "pa", sealed_entry("c", &kh_sealed_argon2id, "")), KH_E_NO_PASSPHRASE);
  expect_status(add(file, "px", sealed_entry("c", &kh_sealed_argon2id, "x")),
                KH_E_WRONG_PASSPHRASE);
  kh_sealed_slot_set(&dear.slot, "iterations", KH_SEALED_WORK_MAX - 15);
  struct change costly = add(file, "pa", dear);
  expect_status(costly, KH_E_SLOT_COST);
  assert_int_equal(costly.fault.size, KH_SEALED_WORK_MAX + 1);
  assert_string_equal(costly.fault.name, "c");
  kh_secret_free(&file);
}

static void any_passphrase_can_change_a_slot(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 3);
  for (size_t i = 0; i < 3; i++) {
    struct change change =
        change_slot(file, passphrases[i], sealed_entry("b", &kh_sealed_pbkdf2_hmac_sha512, "new"));
    assert_int_equal(change.status, KH_OK);
    sealed_expect(change.file, "pa", 0, TEXT);
    sealed_expect(change.file, "new", 1, TEXT);
    sealed_expect(change.file, "pc", 2, TEXT);
    expect_wrong(change.file, "pb");
    expect_same_slot(file, 0, change.file, 0);
    expect_same_slot(file, 2, change.file, 2);
    kh_sealed_slots slots;
    assert_int_equal(kh_sealed_list(SEALED_PATH, kh_secret_bytes(change.file), &slots, NULL),
                     KH_OK);
    assert_int_equal(slots.count, 3);
    assert_string_equal(slots.at[1].label, "b");
    assert_ptr_equal(slots.at[1].kind, &kh_sealed_pbkdf2_hmac_sha512);
    kh_secret_free(&change.file);
  }
  kh_secret_free(&file);
}

static void bad_changes_are_refused(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 2);
  kh_sealed_entry cheap = sealed_entry("a", &kh_sealed_argon2id, "x");
  kh_sealed_slot_set(&cheap.slot, "memory", 0);
  struct change none = change_slot(file, "pa", sealed_entry("c", &kh_sealed_argon2id, "x"));
  expect_status(none, KH_E_SLOT_NOT_FOUND);
  assert_string_equal(none.fault.name, "c");
  expect_status(change_slot(file, "pa", cheap), KH_E_SLOT_COST);
  expect_status(change_slot(file, "pa", sealed_entry("a", &kh_sealed_argon2id, "")),
                KH_E_NO_PASSPHRASE);
  expect_status(change_slot(file, "px", sealed_entry("a", &kh_sealed_argon2id, "x")),
                KH_E_WRONG_PASSPHRASE);
  struct change secret = change_slot(file, "pa", sealed_entry("pa pa", &kh_sealed_argon2id, "x"));
  expect_status(secret, KH_E_SLOT_LABEL);
  assert_string_equal(secret.fault.name, "");
  kh_secret_free(&file);
}

static void a_slot_is_removed_by_one_that_stays(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 3);
  expect_status(remove_slot(file, "pb", "b"), KH_E_WRONG_PASSPHRASE);
  struct change change = remove_slot(file, "pc", "b");
  assert_int_equal(change.status, KH_OK);
  sealed_expect(change.file, "pa", 0, TEXT);
  sealed_expect(change.file, "pc", 1, TEXT);
  expect_wrong(change.file, "pb");
  expect_same_slot(file, 0, change.file, 0);
  expect_same_slot(file, 2, change.file, 1);
  kh_secret_free(&change.file);
  kh_secret_free(&file);
}

static void the_last_slot_stays(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 1);
  struct change last = remove_slot(file, "pa", "a");
  expect_status(last, KH_E_SLOT_LAST);
  assert_string_equal(last.fault.name, "a");
  expect_status(remove_slot(file, "pa", "b"), KH_E_SLOT_NOT_FOUND);
  expect_status(remove_slot(file, "pa", ""), KH_E_SLOT_LABEL);
  kh_secret_free(&file);
}

/* With other slots, their passphrases would be needed to wrap a new file key. */
static void the_file_key_stays_with_other_slots(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 3);
  uint8_t key[KH_SEALED_KEY_SIZE];
  memcpy(key, last_file_key, sizeof key);
  expect_status(add(file, "pa", sealed_entry("d", &kh_sealed_argon2id, "x")), KH_OK);
  assert_memory_equal(last_file_key, key, sizeof key);
  expect_status(change_slot(file, "pa", sealed_entry("a", &kh_sealed_argon2id, "x")), KH_OK);
  assert_memory_equal(last_file_key, key, sizeof key);
  expect_status(remove_slot(file, "pa", "b"), KH_OK);
  assert_memory_equal(last_file_key, key, sizeof key);
  kh_secret_free(&file);
}

/* After that, an old copy of the file helps to open nothing of the new one. */
static void the_file_key_changes_with_the_only_slot(void **state)
{
  (void)state;
  kh_secret *two = file_of(passphrases, 2);
  uint8_t key[KH_SEALED_KEY_SIZE];
  memcpy(key, last_file_key, sizeof key);
  struct change one = remove_slot(two, "pa", "b");
  sealed_expect(one.file, "pa", 0, TEXT);
  assert_memory_not_equal(last_file_key, key, sizeof key);
  memcpy(key, last_file_key, sizeof key);
  struct change changed =
      change_slot(one.file, "pa", sealed_entry("a", &kh_sealed_argon2id, "new"));
  sealed_expect(changed.file, "new", 0, TEXT);
  expect_wrong(changed.file, "pa");
  assert_memory_not_equal(last_file_key, key, sizeof key);
  kh_secret_free(&changed.file);
  kh_secret_free(&one.file);
  kh_secret_free(&two);
}

static void the_slot_that_is_left_keeps_its_label_and_costs(void **state)
{
  (void)state;
  kh_sealed_entry entries[] = {sealed_entry("gone", &kh_sealed_argon2id, "x"),
                               sealed_entry("kept", &kh_sealed_pbkdf2_hmac_sha512, "y")};
  kh_secret *file = NULL;
  kh_sealed_slots slots;
  kh_sealed_slot_set(&entries[1].slot, "iterations", 1234);
  assert_int_equal(sealed_make(bytes_of(TEXT), entries, 2, &file, NULL), KH_OK);
  struct change change = remove_slot(file, "y", "gone");
  assert_int_equal(kh_sealed_list(SEALED_PATH, kh_secret_bytes(change.file), &slots, NULL), KH_OK);
  assert_int_equal(slots.count, 1);
  assert_string_equal(slots.at[0].label, entries[1].slot.label);
  assert_ptr_equal(slots.at[0].kind, entries[1].slot.kind);
  assert_memory_equal(slots.at[0].values, entries[1].slot.values, sizeof slots.at[0].values);
  kh_secret_free(&change.file);
  kh_secret_free(&file);
}

static void damaged_files_are_not_changed(void **state)
{
  (void)state;
  kh_secret *file = file_of(passphrases, 2);
  kh_secret_data(file)[30] ^= 1;
  expect_status(add(file, "pa", sealed_entry("c", &kh_sealed_argon2id, "x")), KH_E_SEALED_DAMAGED);
  expect_status(change_slot(file, "pa", sealed_entry("a", &kh_sealed_argon2id, "x")),
                KH_E_SEALED_DAMAGED);
  expect_status(remove_slot(file, "pa", "b"), KH_E_SEALED_DAMAGED);
  kh_secret_free(&file);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_passphrase_can_add_a_slot),
      cmocka_unit_test(slots_are_added_up_to_the_limit),
      cmocka_unit_test(bad_slots_are_not_added),
      cmocka_unit_test(any_passphrase_can_change_a_slot),
      cmocka_unit_test(bad_changes_are_refused),
      cmocka_unit_test(a_slot_is_removed_by_one_that_stays),
      cmocka_unit_test(the_last_slot_stays),
      cmocka_unit_test(the_file_key_stays_with_other_slots),
      cmocka_unit_test(the_file_key_changes_with_the_only_slot),
      cmocka_unit_test(the_slot_that_is_left_keeps_its_label_and_costs),
      cmocka_unit_test(damaged_files_are_not_changed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
