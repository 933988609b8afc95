/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_sealed_slot_wrap kh_lockfile_take kh_keyfile_retire_lines */
/* Changes of key files in each format: keys that are added, slots that are changed, versions that
 * are retired. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/keyfile/sealed_slot.h"
#include "files.h"
#include "keyfiles.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/lockfile.h"
#include "rotation.h"
#include "unit.h"
#include "wrap.h"

#define A16 KEYFILES_A16
#define A32 KEYFILES_A32
/* as they are written */
#define LOW16 "770a8a65da156d24ee2a093277530142"
#define LOW32 "966050d7777350b6fd5ccb3e5f648da45c63befb6deddfa13443f156b7d35c84"

static bool spoil_sealed;          /* a slot gets a wrong passphrase */
static const char *spoilt_retired; /* the text that is made instead of the right one */

WRAPS(kh_lockfile_take);

/* no waiting */
kh_status __wrap_kh_lockfile_take(const char *path, unsigned milliseconds, kh_lockfile **ret_lock,
                                  kh_fault *ret_fault)
{
  (void)milliseconds;
  return __real_kh_lockfile_take(path, 0, ret_lock, ret_fault);
}

WRAPS(kh_sealed_slot_wrap);

kh_status __wrap_kh_sealed_slot_wrap(const kh_sealed_entry *entry, const kh_secret *file_key,
                                     kh_sealed_line *ret_line)
{
  kh_sealed_entry spoilt = *entry;
  spoilt.passphrase.len -= spoil_sealed;
  return __real_kh_sealed_slot_wrap(&spoilt, file_key, ret_line);
}

WRAPS(kh_keyfile_retire_lines);

kh_status __wrap_kh_keyfile_retire_lines(kh_bytes text, const kh_keylist *parsed,
                                         const kh_keytable *retired, kh_secret **ret_text)
{
  if (spoilt_retired == NULL)
    return __real_kh_keyfile_retire_lines(text, parsed, retired, ret_text);
  *ret_text = keyfiles_secret(spoilt_retired);
  return KH_OK;
}

/* --- Keys --- */

static kh_status add(const char *path, const kh_keyfile_format *format,
                     kh_keyfile_addition addition, uint32_t *ret_id)
{
  kh_fault fault = {.status = KH_OK};
  KH_AUTO_KEYFILE file = keyfiles_open(path, format);
  kh_status status = kh_keyfile_add_key(file, &addition, ret_id, &fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, &fault);
  assert_int_equal(fault.status, status);
  return status;
}

static void keys_are_not_added_while_another_process_changes_the_file(void **state)
{
  (void)state;
  kh_lockfile *lock = NULL;
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  KH_AUTO_KEYFILE file = keyfiles_open(path, TEXT_FILE);
  kh_keyfile_addition addition = {.len = 16};
  uint32_t id;
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  test_expect_content(path, KEYFILES_TEXT);
}

static void a_new_key_in_each_format(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS; i++) {
    uint32_t id = 0;
    const char *path = test_text("keys", KEYFILES_TEXT, 0640);
    assert_int_equal(keyfiles_convert(path, TEXT_FILE, keyfiles_formats[i], NULL), KH_OK);
    KH_AUTO_KEYFILE before = keyfiles_open(path, keyfiles_formats[i]);
    kh_keyfile_addition addition = {.len = 24, .policy = {.rotate = 60, .created = 5}};
    assert_int_equal(add(path, keyfiles_formats[i], addition, &id), KH_OK);
    assert_int_equal(id, 8);
    KH_AUTO_KEYFILE after = keyfiles_open(path, keyfiles_formats[i]);
    size_t count = kh_keylist_count(kh_keyfile_keys(before));
    assert_int_equal(kh_keylist_count(kh_keyfile_keys(after)), count + 1);
    const kh_key *key = kh_keylist_at(kh_keyfile_keys(after), count);
    assert_int_equal(key->id, 8);
    assert_int_equal(key->version, 1);
    assert_int_equal(key->len, 24);
    keyfiles_expect_policy(&key->policy, &addition.policy);
    assert_int_equal(keyfiles_convert(path, keyfiles_formats[i], TEXT_FILE, NULL), KH_OK);
    char expected[1024];
    snprintf(expected, sizeof expected, "%s\n8;%s;created=1970-01-01T00:00:05Z;rotate=1m\n",
             KEYFILES_TEXT, rotation_hex(key).text);
    test_expect_content(path, expected);
  }
}

/* --- Missing keys --- */

static kh_keytable *table_of_text(const char *text)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  kh_bytes bytes = {(const uint8_t *)text, strlen(text)};
  assert_int_equal(kh_keyfile_parse_text("k", bytes, KH_REPEATS_REFUSED, NULL, &list, NULL), KH_OK);
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  return table;
}

static kh_status add_missing(const char *path, const kh_keyfile_format *format, const char *keys,
                             size_t *ret_added, kh_fault *ret_fault)
{
  KH_AUTO_KEYTABLE table = table_of_text(keys);
  KH_AUTO_KEYFILE file = keyfiles_open(path, format);
  kh_status status = kh_keyfile_add_missing(file, table, KH_CIPHER_AES_CBC, ret_added, ret_fault);
  return status == KH_OK ? kh_keyfile_save(file, ret_fault) : status;
}

static void what_is_missing_is_added_in_each_format(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS; i++) {
    size_t added = 0;
    kh_fault fault;
    const char *path = test_text("keys", "# mine\r\n1;" A16 "\r\n7;3;" A16 " seven", 0640);
    assert_int_equal(keyfiles_convert(path, TEXT_FILE, keyfiles_formats[i], NULL), KH_OK);
    assert_int_equal(add_missing(path, keyfiles_formats[i],
                                 "1;3;" A32 ";cipher=aes256-ctr\n1;5;" A16 "\n1;" A16 "\n7;" A32
                                 "\n7;3;" A16 "\n9;2;" A16 ";created=2026-11-22\n",
                                 &added, &fault),
                     KH_OK);
    assert_int_equal(added, 4);
    assert_int_equal(keyfiles_convert(path, keyfiles_formats[i], TEXT_FILE, NULL), KH_OK);
    test_expect_content(path, "# mine\r\n1;" A16 "\r\n1;3;" LOW32 ";cipher=aes256-ctr\r\n1;5;" LOW16
                              "\r\n7;3;" A16 " seven\r\n7;" LOW32 "\r\n9;2;" LOW16
                              ";created=2026-11-22T00:00:00Z\r\n");
  }
}

static void nothing_is_added_beside_another_key(void **state)
{
  (void)state;
  static const struct {
    const char *keys;
    kh_status status;
  } cases[] = {
      {"1;" A32 "\n3;" A16 "\n", KH_E_KEY_CHANGED},
      {"1;" A16 ";cipher=aes-ctr\n3;" A16 "\n", KH_E_CIPHER_CHANGED},
  };
  const char *text = "\n1;" A16 "\n";
  const char *path = test_text("keys", text, 0600);
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t added = 77;
    kh_fault fault;
    assert_int_equal(add_missing(path, TEXT_FILE, cases[i].keys, &added, &fault), cases[i].status);
    assert_int_equal(added, 77);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.key_id, 1);
    assert_string_equal(fault.path.text, path);
    test_expect_content(path, text);
  }
}

static void what_is_retired_or_there_is_not_added(void **state)
{
  (void)state;
  size_t added = 77;
  kh_fault fault;
  const char *text = "1;1;retired\n1;3;" A16 "\n";
  const char *path = test_text("keys", text, 0600);
  assert_int_equal(add_missing(path, TEXT_FILE, "1;" A32 "\n1;3;" A16 "\n", &added, &fault), KH_OK);
  assert_int_equal(added, 0);
  test_expect_content(path, text);
}

static void the_id_of_a_new_key(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    uint32_t wanted;
    kh_status status;
    uint32_t id;
  } cases[] = {
      {"1;" A16 "\n", 0, KH_OK, 3},
      {"1;" A16 "\n2;" A16 "\n", 0, KH_OK, 3},
      {"4294967294;" A16 "\n1;" A16 "\n", 0, KH_OK, 4294967295u},
      {"4294967295;" A16 "\n1;" A16 "\n", 0, KH_E_NO_KEY_ID, 0},
      {"4294967295;" A16 "\n1;" A16 "\n", 2, KH_OK, 2},
      {"1;" A16 "\n", 4294967295u, KH_OK, 4294967295u},
      {"1;" A16 "\n7;3;" A16 "\n", 7, KH_E_KEY_EXISTS, 0},
      {"1;" A16 "\n1;" A32 "\n", 0, KH_E_KEY_DUPLICATE, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint32_t id = 0;
    const char *path = test_text("keys", cases[i].text, 0600);
    kh_keyfile_addition addition = {.id = cases[i].wanted, .len = 16};
    assert_int_equal(add(path, TEXT_FILE, addition, &id), cases[i].status);
    assert_int_equal(id, cases[i].id);
    if (cases[i].status != KH_OK)
      test_expect_content(path, cases[i].text);
  }
}

/* --- Slots --- */

static void the_slots_stay(void **state)
{
  (void)state;
  uint32_t id;
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  assert_int_equal(add(path, SEALED_FILE, (kh_keyfile_addition){.len = 16}, &id), KH_OK);
  assert_string_equal(keyfiles_slots(path).at[0].label, "mine");
}

static kh_status change_slot(const char *path, kh_slot_change change, const char *label,
                             const kh_secret *opens, const kh_secret *added)
{
  kh_fault fault = {.status = KH_OK};
  KH_AUTO_KEYFILE file = NULL;
  kh_keyfile_options options = {.path = path, .passphrase = opens};
  kh_sealed_entry entry = {keyfiles_form(SEALED_FILE).slot, kh_secret_bytes(added)};
  snprintf(entry.slot.label, sizeof entry.slot.label, "%s", label);
  kh_status status = kh_keyfile_open(&options, test_engines, NULL, &file, &fault);
  if (status == KH_OK)
    status = kh_keyfile_change_slot(file, change, &entry, &fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, &fault);
  assert_int_equal(fault.status, status);
  return status;
}

static bool opens_with(const char *path, const kh_secret *secret)
{
  KH_AUTO_KEYFILE file = NULL;
  kh_keyfile_options options = {.path = path, .passphrase = secret};
  kh_status status = kh_keyfile_open(&options, test_engines, NULL, &file, NULL);
  if (status == KH_OK) {
    assert_int_equal(kh_keyfile_text(file).len, strlen(KEYFILES_TEXT));
    assert_memory_equal(kh_keyfile_text(file).data, KEYFILES_TEXT, strlen(KEYFILES_TEXT));
  }
  return status == KH_OK;
}

static void slots_are_changed(void **state)
{
  (void)state;
  kh_secret *second = keyfiles_secret("the second");
  kh_secret *third = keyfiles_secret("the third");
  const char *path = test_text("keys", KEYFILES_TEXT, 0640);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "second", keyfiles_passphrase, second), KH_OK);
  assert_true(opens_with(path, keyfiles_passphrase) && opens_with(path, second));
  assert_int_equal(change_slot(path, KH_SLOT_CHANGE, "mine", second, third), KH_OK);
  assert_true(opens_with(path, third) && !opens_with(path, keyfiles_passphrase));
  assert_int_equal(change_slot(path, KH_SLOT_REMOVE, "second", third, NULL), KH_OK);
  assert_true(opens_with(path, third) && !opens_with(path, second));
  assert_int_equal(keyfiles_slots(path).count, 1);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0640);
  kh_secret_free(&second);
  kh_secret_free(&third);
}

static void slots_that_cannot_be_changed(void **state)
{
  (void)state;
  kh_secret *second = keyfiles_secret("the second");
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  KH_AUTO_KEYFILE plain = keyfiles_open(path, TEXT_FILE);
  kh_sealed_entry entry = {keyfiles_form(SEALED_FILE).slot, kh_secret_bytes(second)};
  assert_int_equal(kh_keyfile_change_slot(plain, KH_SLOT_ADD, &entry, NULL), KH_E_SEALED_DAMAGED);
  test_expect_content(path, KEYFILES_TEXT);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "mine", keyfiles_passphrase, second),
                   KH_E_SLOT_EXISTS);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "new", second, second), KH_E_WRONG_PASSPHRASE);
  assert_int_equal(change_slot(path, KH_SLOT_CHANGE, "new", keyfiles_passphrase, second),
                   KH_E_SLOT_NOT_FOUND);
  assert_int_equal(change_slot(path, KH_SLOT_REMOVE, "mine", keyfiles_passphrase, NULL),
                   KH_E_SLOT_LAST);
  kh_lockfile *lock = NULL;
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "new", keyfiles_passphrase, second),
                   KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  spoil_sealed = true;
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "new", keyfiles_passphrase, second),
                   KH_E_WRONG_PASSPHRASE);
  spoil_sealed = false;
  assert_true(opens_with(path, keyfiles_passphrase));
  assert_int_equal(keyfiles_slots(path).count, 1);
  kh_secret_free(&second);
}

/* The same passphrase opens what another process made of the file: it is not damaged. */
static void a_file_that_was_converted_meanwhile_is_a_changed_one(void **state)
{
  (void)state;
  kh_fault fault;
  kh_secret *second = keyfiles_secret("the second");
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  KH_AUTO_KEYFILE file = keyfiles_open(path, SEALED_FILE);
  kh_sealed_entry entry = {keyfiles_form(SEALED_FILE).slot, kh_secret_bytes(second)};
  snprintf(entry.slot.label, sizeof entry.slot.label, "second");
  assert_int_equal(keyfiles_convert(path, SEALED_FILE, &kh_keyfile_format_openssl, NULL), KH_OK);
  assert_int_equal(kh_keyfile_change_slot(file, KH_SLOT_ADD, &entry, &fault), KH_E_FILE_CHANGED);
  assert_string_equal(fault.path.text, path);
  kh_secret_free(&second);
}

static kh_status check_slot(const kh_sealed_slots *slots, kh_slot_change change, const char *label,
                            uint32_t memory, uint32_t passes)
{
  kh_fault fault = {.status = KH_OK};
  kh_sealed_slot slot = kh_sealed_slot_default(label, &kh_sealed_argon2id);
  kh_sealed_slot_set(&slot, "memory", memory);
  kh_sealed_slot_set(&slot, "passes", passes);
  kh_status status = kh_sealed_check_change("the file", slots, change, &slot, &fault);
  assert_int_equal(kh_sealed_check_change("the file", slots, change, &slot, NULL), status);
  assert_int_equal(fault.status, status);
  if (status != KH_OK)
    assert_string_equal(fault.path.text, "the file");
  return status;
}

static kh_sealed_slots slots_named(const char *labels)
{
  kh_sealed_slots slots = {.count = 0};
  for (; labels[slots.count] != '\0'; slots.count++) {
    char label[] = {labels[slots.count], '\0'};
    slots.at[slots.count] = kh_sealed_slot_default(label, &kh_sealed_argon2id);
    kh_sealed_slot_set(&slots.at[slots.count], "memory", KH_ARGON2_MEMORY_MIN);
    kh_sealed_slot_set(&slots.at[slots.count], "passes", KH_ARGON2_PASSES_MIN);
  }
  return slots;
}

static void changes_of_slots_are_judged(void **state)
{
  (void)state;
  enum { MOST = KH_SEALED_WORK_MAX / KH_ARGON2_MEMORY_MAX };
  kh_sealed_slots one = slots_named("a");
  kh_sealed_slots two = slots_named("ab");
  kh_sealed_slots most = slots_named("abcdefgh");
  assert_int_equal(most.count, KH_SEALED_SLOTS_MAX);
  assert_int_equal(check_slot(&one, KH_SLOT_ADD, "b", 8, 1), KH_OK);
  assert_int_equal(check_slot(&one, KH_SLOT_ADD, "a", 8, 1), KH_E_SLOT_EXISTS);
  assert_int_equal(check_slot(&one, KH_SLOT_ADD, "a b", 8, 1), KH_E_SLOT_LABEL);
  assert_int_equal(check_slot(&one, KH_SLOT_ADD, "b", 7, 1), KH_E_SLOT_COST);
  assert_int_equal(check_slot(&one, KH_SLOT_ADD, "b", KH_ARGON2_MEMORY_MAX, MOST), KH_E_SLOT_COST);
  assert_int_equal(check_slot(&most, KH_SLOT_ADD, "i", 8, 1), KH_E_SLOT_COUNT);
  assert_int_equal(check_slot(&one, KH_SLOT_CHANGE, "a", KH_ARGON2_MEMORY_MAX, MOST), KH_OK);
  assert_int_equal(check_slot(&two, KH_SLOT_CHANGE, "a", KH_ARGON2_MEMORY_MAX, MOST),
                   KH_E_SLOT_COST);
  assert_int_equal(check_slot(&most, KH_SLOT_CHANGE, "h", 16, 2), KH_OK);
  assert_int_equal(check_slot(&most, KH_SLOT_CHANGE, "i", 8, 1), KH_E_SLOT_NOT_FOUND);
  assert_int_equal(check_slot(&two, KH_SLOT_REMOVE, "c", 8, 1), KH_E_SLOT_NOT_FOUND);
  assert_int_equal(check_slot(&two, KH_SLOT_REMOVE, "", 8, 1), KH_E_SLOT_LABEL);
  assert_int_equal(check_slot(&two, KH_SLOT_REMOVE, "b", 0, 0), KH_OK);
  assert_int_equal(check_slot(&one, KH_SLOT_REMOVE, "a", 8, 1), KH_E_SLOT_LAST);
}

/* --- Versions --- */

static kh_status retire_in(kh_keyfile *file, const char *retired)
{
  kh_fault fault = {.status = KH_OK};
  kh_keytable *table = rotation_table_of(retired);
  kh_status status = kh_keyfile_retire_versions(file, table, &fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, &fault);
  kh_keytable_free(&table);
  assert_int_equal(fault.status, status);
  return status;
}

static kh_status retire_versions(const char *path, const kh_keyfile_format *format,
                                 const char *retired)
{
  KH_AUTO_KEYFILE file = keyfiles_open(path, format);
  return retire_in(file, retired);
}

static void old_versions_are_retired(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS; i++) {
    const char *path = test_text("keys", KEYFILES_TEXT, 0640);
    assert_int_equal(keyfiles_convert(path, TEXT_FILE, keyfiles_formats[i], NULL), KH_OK);
    assert_int_equal(retire_versions(path, keyfiles_formats[i], "1;" A16 "\n"), KH_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(keyfiles_convert(path, keyfiles_formats[i], TEXT_FILE, NULL), KH_OK);
    test_expect_content(path, "# mine\r\n1;1;retired\r\n\n1;3;" A32
                              ";cipher=aes256-ctr;created=2026-11-22\n"
                              "7;" A16 ";rotate=90d;bits=256");
  }
}

static void versions_that_cannot_be_retired(void **state)
{
  (void)state;
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;3;" A32 "\n"), KH_E_KEY_LATEST);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;" A16 "\n7;" A16), KH_E_KEY_LATEST);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;2;" A16), KH_E_KEY_NOT_FOUND);
  kh_lockfile *lock = NULL;
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;" A16), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  KH_AUTO_KEYFILE file = keyfiles_open(path, TEXT_FILE);
  test_text("keys", KEYFILES_TEXT,
            0600); /* the same bytes, but the file may have been another one in between */
  assert_int_equal(retire_in(file, "1;" A16), KH_E_FILE_CHANGED);
  assert_int_equal(retire_in(file, "1;" A16), KH_E_FILE_CHANGED);
  test_expect_content(path, KEYFILES_TEXT);
}

static void what_is_retired_and_read_back_wrong(void **state)
{
  (void)state;
  static const char *const spoilt[] = {
      "1;3;" A32 "\n",                                           /* lost without a reason */
      "1;1;retired\n1;2;retired\n1;3;" A32 "\n",                 /* one more */
      "1;2;retired\n1;3;" A32 "\n",                              /* another one */
      "1;1;retired\n1;3;" A32 ";cipher=aes256-ctr\n2;" A16 "\n", /* a new key */
      "1;1;retired\n1;3;" A32 ";cipher=aes256-ctr\n",            /* another attribute */
  };
  static const char text[] = "1;" A16 "\n1;3;" A32 "\n";
  for (size_t i = 0; i < COUNT(spoilt); i++) {
    const char *path = test_text("keys", text, 0600);
    spoilt_retired = spoilt[i];
    kh_status status = retire_versions(path, TEXT_FILE, "1;" A16 "\n");
    spoilt_retired = NULL;
    assert_int_equal(status, KH_E_KEY_CHANGED);
    test_expect_content(path, text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_are_not_added_while_another_process_changes_the_file),
      cmocka_unit_test(a_new_key_in_each_format),
      cmocka_unit_test(what_is_missing_is_added_in_each_format),
      cmocka_unit_test(nothing_is_added_beside_another_key),
      cmocka_unit_test(what_is_retired_or_there_is_not_added),
      cmocka_unit_test(the_id_of_a_new_key),
      cmocka_unit_test(the_slots_stay),
      cmocka_unit_test(slots_are_changed),
      cmocka_unit_test(slots_that_cannot_be_changed),
      cmocka_unit_test(a_file_that_was_converted_meanwhile_is_a_changed_one),
      cmocka_unit_test(changes_of_slots_are_judged),
      cmocka_unit_test(old_versions_are_retired),
      cmocka_unit_test(versions_that_cannot_be_retired),
      cmocka_unit_test(what_is_retired_and_read_back_wrong),
  };
  return cmocka_run_group_tests(tests, keyfiles_prepare, keyfiles_clean);
}
