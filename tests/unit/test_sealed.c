/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes, opens and lists files, and changes their text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/sealed.h"
#include "sealed.h"
#include "unit.h"

#define TEXT "# keys\n1;770A8A65DA156D24EE2A093277530142;cipher=aes-ctr;rotate=90d\n"

static void each_passphrase_opens_its_slot(void **state)
{
  (void)state;
  kh_secret *file = sealed_file(TEXT);
  sealed_expect(file, "first", 0, TEXT);
  sealed_expect(file, "second", 1, TEXT);
  static const char *const wrong[] = {"", "First", "firs", "first ", "first\n", "third"};
  for (size_t i = 0; i < COUNT(wrong); i++)
    assert_int_equal(sealed_open(kh_secret_bytes(file), wrong[i], NULL, NULL),
                     KH_E_WRONG_PASSPHRASE);
  kh_secret_free(&file);
}

static void texts_of_every_length_come_back(void **state)
{
  (void)state;
  char text[200] = "";
  for (size_t len = 0; len < sizeof text - 1; len++) {
    kh_secret *file = NULL;
    kh_sealed_entry entry = sealed_entry("one", &kh_sealed_argon2id, "x");
    assert_int_equal(sealed_make((kh_bytes){(uint8_t *)text, len}, &entry, 1, &file, NULL), KH_OK);
    sealed_expect(file, "x", 0, text);
    kh_secret_free(&file);
    text[len] = (char)('a' + len % 26);
  }
}

static void passphrases_and_texts_may_hold_any_byte(void **state)
{
  (void)state;
  uint8_t bytes[256];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)i;
  kh_bytes all = {bytes, sizeof bytes};
  for (size_t i = 0; kh_sealed_kind_at(i) != NULL; i++) {
    kh_sealed_entry entry = sealed_entry("one", kh_sealed_kind_at(i), "");
    kh_secret *file = NULL;
    kh_secret *text = NULL;
    entry.passphrase = all;
    assert_int_equal(sealed_make(all, &entry, 1, &file, NULL), KH_OK);
    assert_int_equal(sealed_open_with(kh_secret_bytes(file), all, &text, NULL, NULL), KH_OK);
    assert_int_equal(kh_secret_bytes(text).len, sizeof bytes);
    assert_memory_equal(kh_secret_bytes(text).data, bytes, sizeof bytes);
    kh_secret_free(&text);
    kh_secret_free(&file);
  }
}

/* no line shows a part of the text, and two files of the same text share nothing */
static void files_of_one_text_have_nothing_in_common(void **state)
{
  (void)state;
  kh_secret *a = sealed_file(TEXT);
  kh_secret *b = sealed_file(TEXT);
  kh_bytes file = kh_secret_bytes(a);
  assert_null(memmem(file.data, file.len, "770A8A65", 8));
  for (unsigned line = 2; line <= 6; line++) {
    kh_bytes in_a = sealed_line(file, line);
    kh_bytes in_b = sealed_line(kh_secret_bytes(b), line);
    assert_int_equal(in_a.len, in_b.len);
    size_t same = 0; /* at the end of the line, where its random bytes are */
    while (in_a.data[in_a.len - 2 - same] == in_b.data[in_b.len - 2 - same])
      same++;
    assert_in_range(same, 0, 15);
    const uint8_t *salt = memmem(in_a.data, in_a.len, " salt=", 6);
    if (salt != NULL)
      assert_null(memmem(in_b.data, in_b.len, salt, 6 + 32));
  }
  kh_secret_free(&a);
  kh_secret_free(&b);
}

static void slots_can_be_listed_without_a_passphrase(void **state)
{
  (void)state;
  kh_secret *file = sealed_file(TEXT);
  kh_sealed_slots slots;
  assert_int_equal(kh_sealed_list(SEALED_PATH, kh_secret_bytes(file), &slots, NULL), KH_OK);
  assert_int_equal(slots.count, 2);
  assert_string_equal(slots.at[0].label, "one");
  assert_ptr_equal(slots.at[0].kind, &kh_sealed_argon2id);
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "memory"), KH_ARGON2_MEMORY_MIN);
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "passes"), KH_ARGON2_PASSES_MIN);
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "iterations"), 0);
  assert_string_equal(slots.at[1].label, "two");
  assert_ptr_equal(slots.at[1].kind, &kh_sealed_pbkdf2_hmac_sha512);
  assert_int_equal(kh_sealed_slot_get(&slots.at[1], "iterations"), KH_PBKDF2_ITERATIONS_MIN);
  assert_int_equal(kh_sealed_slot_get(&slots.at[1], "memory"), 0);
  kh_secret_free(&file);
}

static void sealed_files_are_known_by_their_last_line_too(void **state)
{
  (void)state;
#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  assert_true(kh_sealed_knows(bytes_of("\xef\xbb\xbfkeyhold-sealed 1\nend " DIGITS "\n")));
  assert_true(kh_sealed_knows(bytes_of("\nend " DIGITS "\n")));
  assert_false(kh_sealed_knows(bytes_of("end " DIGITS "\n")));
  assert_false(kh_sealed_knows(bytes_of(" end " DIGITS "\n")));
  assert_false(kh_sealed_knows(bytes_of("\nend " DIGITS "0\n")));
  assert_false(kh_sealed_knows(bytes_of("\nEnd " DIGITS "\n")));
  assert_false(kh_sealed_knows(bytes_of("\nend " DIGITS)));
  assert_false(kh_sealed_knows(bytes_of("\nend " DIGITS "\n\n")));
}

static void sealed_files_are_known_by_their_first_bytes(void **state)
{
  (void)state;
  assert_true(kh_sealed_knows(bytes_of("keyhold-sealed ")));
  assert_true(kh_sealed_knows(bytes_of("keyhold-sealed 2\nwhatever")));
  assert_false(kh_sealed_knows(bytes_of("keyhold-sealed")));
  assert_false(kh_sealed_knows(bytes_of("Keyhold-sealed 1\n")));
  assert_false(kh_sealed_knows(bytes_of(" keyhold-sealed 1\n")));
  assert_false(kh_sealed_knows((kh_bytes){NULL, 0}));
}

static void kinds_have_names_and_default_parameters(void **state)
{
  (void)state;
  assert_null(kh_sealed_kind_by_name(bytes_of("argon2i")));
  assert_null(kh_sealed_kind_by_name(bytes_of("")));
  assert_string_equal(kh_sealed_argon2id.name, "argon2id");
  assert_string_equal(kh_sealed_pbkdf2_hmac_sha512.name, "pbkdf2-hmac-sha512");
  size_t count = 0;
  for (; kh_sealed_kind_at(count) != NULL; count++) {
    const kh_sealed_kind *kind = kh_sealed_kind_at(count);
    assert_ptr_equal(kh_sealed_kind_by_name(bytes_of(kind->name)), kind);
    assert_true(kind->needs_passphrase);
    assert_int_equal(kind->version, 1);
  }
  assert_int_equal(count, 2);
  kh_sealed_slot argon2id = kh_sealed_slot_default("main", &kh_sealed_argon2id);
  assert_string_equal(argon2id.label, "main");
  assert_int_equal(kh_sealed_slot_get(&argon2id, "memory"), 65536);
  assert_int_equal(kh_sealed_slot_get(&argon2id, "passes"), 3);
  assert_int_equal(kh_sealed_slot_get(&argon2id, "iterations"), 0);
  kh_sealed_slot pbkdf2 = kh_sealed_slot_default("main", &kh_sealed_pbkdf2_hmac_sha512);
  assert_int_equal(kh_sealed_slot_get(&pbkdf2, "iterations"), 600000);
  assert_int_equal(kh_sealed_slot_get(&pbkdf2, "memory"), 0);
  assert_false(kh_sealed_slot_set(&pbkdf2, "memory", 8));
  assert_true(kh_sealed_slot_set(&pbkdf2, "iterations", 1001));
  assert_int_equal(pbkdf2.values[0], 1001);
}

static void labels_have_a_length_and_an_alphabet(void **state)
{
  (void)state;
  static const char *const good[] = {
      "a", "Z", "0", "a.b_c-D9", "-", ".", "12345678901234567890123456789012"};
  static const char *const bad[] = {
      "", "a b", "a\n", "a=b", "a/b", "\xc3\xa4", "a:", "a@b", "123456789012345678901234567890123"};
  for (size_t i = 0; i < COUNT(good); i++) {
    kh_sealed_slot slot = kh_sealed_slot_default(good[i], &kh_sealed_argon2id);
    assert_int_equal(kh_sealed_slot_validate(&slot, NULL), KH_OK);
  }
  for (size_t i = 0; i < COUNT(bad); i++) {
    kh_fault fault;
    kh_sealed_slot slot = kh_sealed_slot_default(bad[i], &kh_sealed_argon2id);
    assert_int_equal(kh_sealed_slot_validate(&slot, &fault), KH_E_SLOT_LABEL);
    assert_int_equal(fault.status, KH_E_SLOT_LABEL);
    assert_string_equal(fault.name, ""); /* it may be a passphrase in the wrong argument */
  }
  kh_sealed_slot unended = kh_sealed_slot_default("a", &kh_sealed_argon2id);
  memset(unended.label, 'a', sizeof unended.label);
  assert_int_equal(kh_sealed_slot_validate(&unended, NULL), KH_E_SLOT_LABEL);
}

static kh_status validate_argon2id(uint32_t memory, uint32_t passes, kh_fault *ret_fault)
{
  kh_sealed_slot slot = {.label = "a", .kind = &kh_sealed_argon2id, .values = {memory, passes}};
  return kh_sealed_slot_validate(&slot, ret_fault);
}

static kh_status validate_pbkdf2(uint32_t iterations)
{
  kh_sealed_slot slot = {
      .label = "a", .kind = &kh_sealed_pbkdf2_hmac_sha512, .values = {iterations}};
  return kh_sealed_slot_validate(&slot, NULL);
}

static void costs_have_limits(void **state)
{
  (void)state;
  kh_fault fault;
  assert_int_equal(validate_argon2id(8, 1, NULL), KH_OK);
  assert_int_equal(validate_argon2id(7, 1, &fault), KH_E_SLOT_COST);
  assert_int_equal(fault.size, 7);
  assert_int_equal(fault.limit, 8);
  assert_int_equal(validate_argon2id(8, 0, NULL), KH_E_SLOT_COST);
  assert_int_equal(validate_argon2id(8, 64, NULL), KH_OK);
  assert_int_equal(validate_argon2id(8, 65, &fault), KH_E_SLOT_COST);
  assert_int_equal(fault.size, 65);
  assert_int_equal(fault.limit, 64);
  assert_string_equal(fault.name, "a");
  assert_int_equal(validate_argon2id(1048576, 8, NULL), KH_OK);
  assert_int_equal(validate_argon2id(1048577, 1, NULL), KH_E_SLOT_COST);
  assert_int_equal(validate_argon2id(1048576, 9, &fault), KH_E_SLOT_COST);
  assert_int_equal(fault.size, 9 * 1048576);
  assert_int_equal(fault.limit, KH_SEALED_WORK_MAX);
  assert_int_equal(validate_pbkdf2(999), KH_E_SLOT_COST);
  assert_int_equal(validate_pbkdf2(1000), KH_OK);
  assert_int_equal(validate_pbkdf2(8388608), KH_OK);
  assert_int_equal(validate_pbkdf2(8388609), KH_E_SLOT_COST);
}

/* asserts what kh_sealed_new() returns, and the slot in the fault; outputs stay untouched */
static kh_status make(const kh_sealed_entry *entries, size_t count, kh_fault *ret_fault)
{
  kh_secret *file = NULL;
  *ret_fault = (kh_fault){.status = KH_OK};
  kh_status status = sealed_make(bytes_of(TEXT), entries, count, &file, ret_fault);
  assert_int_equal(status, ret_fault->status);
  assert_int_equal(status == KH_OK, file != NULL);
  kh_secret_free(&file);
  return status;
}

static void the_number_of_slots_has_limits(void **state)
{
  (void)state;
  kh_sealed_entry entries[KH_SEALED_SLOTS_MAX + 1];
  kh_fault fault;
  for (size_t i = 0; i < COUNT(entries); i++)
    entries[i] = sealed_entry((char[]){(char)('a' + i), '\0'}, &kh_sealed_argon2id, "x");
  assert_int_equal(make(entries, 0, &fault), KH_E_SLOT_COUNT);
  assert_int_equal(make(entries, KH_SEALED_SLOTS_MAX, &fault), KH_OK);
  assert_int_equal(make(entries, KH_SEALED_SLOTS_MAX + 1, &fault), KH_E_SLOT_COUNT);
  assert_int_equal(fault.limit, KH_SEALED_SLOTS_MAX);
  assert_string_equal(fault.path.text, SEALED_PATH);
}

static void bad_entries_are_refused(void **state)
{
  (void)state;
  kh_sealed_entry entries[] = {sealed_entry("one", &kh_sealed_argon2id, "x"),
                               sealed_entry("two", &kh_sealed_argon2id, "y"),
                               sealed_entry("one", &kh_sealed_argon2id, "z")};
  kh_fault fault;
  assert_int_equal(make(entries, 3, &fault), KH_E_SLOT_EXISTS);
  assert_string_equal(fault.name, "one");
  entries[1].passphrase.len = 0;
  assert_int_equal(make(entries, 2, &fault), KH_E_NO_PASSPHRASE);
  assert_string_equal(fault.name, "two");
  entries[1] = sealed_entry("t o", &kh_sealed_argon2id, "y");
  assert_int_equal(make(entries, 2, &fault), KH_E_SLOT_LABEL);
  entries[1] = sealed_entry("two", &kh_sealed_argon2id, "y");
  kh_sealed_slot_set(&entries[1].slot, "passes", 0);
  assert_int_equal(make(entries, 2, &fault), KH_E_SLOT_COST);
}

static void all_slots_together_have_a_limit(void **state)
{
  (void)state;
  kh_sealed_entry entries[] = {sealed_entry("one", &kh_sealed_pbkdf2_hmac_sha512, "x"),
                               sealed_entry("two", &kh_sealed_pbkdf2_hmac_sha512, "y")};
  kh_fault fault;
  kh_sealed_slot_set(&entries[0].slot, "iterations", KH_SEALED_WORK_MAX - 999);
  assert_int_equal(make(entries, 2, &fault), KH_E_SLOT_COST);
  assert_string_equal(fault.name, "two");
  assert_int_equal(fault.size, KH_SEALED_WORK_MAX + 1);
  assert_int_equal(fault.limit, KH_SEALED_WORK_MAX);
}

static void passphrases_have_a_length(void **state)
{
  (void)state;
  char *long_one = malloc(KH_SECRET_LITERAL_MAX + 1);
  memset(long_one, 'p', KH_SECRET_LITERAL_MAX + 1);
  for (size_t i = 0; kh_sealed_kind_at(i) != NULL; i++) {
    kh_sealed_entry entry = sealed_entry("one", kh_sealed_kind_at(i), "");
    kh_fault fault;
    entry.passphrase = (kh_bytes){(uint8_t *)long_one, KH_SECRET_LITERAL_MAX};
    assert_int_equal(make(&entry, 1, &fault), KH_OK);
    entry.passphrase.len++;
    assert_int_equal(make(&entry, 1, &fault), KH_E_SECRET_TOO_LONG);
    assert_int_equal(fault.limit, KH_SECRET_LITERAL_MAX);
  }
  free(long_one);
}

static void a_text_is_replaced_and_the_slots_stay(void **state)
{
  (void)state;
  static const char *const passphrases[] = {"first", "second"};
  for (size_t i = 0; i < COUNT(passphrases); i++) {
    kh_secret *old = sealed_file(TEXT);
    kh_secret *new = NULL;
    assert_int_equal(sealed_replace_text(kh_secret_bytes(old), bytes_of(passphrases[i]),
                                         bytes_of("other"), &new, NULL),
                     KH_OK);
    for (unsigned line = 1; line <= 3; line++) {
      kh_bytes before = sealed_line(kh_secret_bytes(old), line);
      kh_bytes after = sealed_line(kh_secret_bytes(new), line);
      assert_int_equal(before.len, after.len);
      assert_memory_equal(before.data, after.data, after.len);
    }
    kh_bytes before = sealed_line(kh_secret_bytes(old), 4);
    assert_memory_not_equal(before.data, sealed_line(kh_secret_bytes(new), 4).data, before.len);
    sealed_expect(new, "first", 0, "other");
    sealed_expect(new, "second", 1, "other");
    kh_secret_free(&new);
    kh_secret_free(&old);
  }
}

static void a_text_is_replaced_only_by_who_can_open_it(void **state)
{
  (void)state;
  kh_secret *old = sealed_file(TEXT);
  kh_secret *new = NULL;
  kh_fault fault;
  assert_int_equal(
      sealed_replace_text(kh_secret_bytes(old), bytes_of("x"), bytes_of("other"), &new, &fault),
      KH_E_WRONG_PASSPHRASE);
  assert_int_equal(fault.status, KH_E_WRONG_PASSPHRASE);
  assert_null(new);
  kh_secret_free(&old);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_passphrase_opens_its_slot),
      cmocka_unit_test(texts_of_every_length_come_back),
      cmocka_unit_test(passphrases_and_texts_may_hold_any_byte),
      cmocka_unit_test(files_of_one_text_have_nothing_in_common),
      cmocka_unit_test(slots_can_be_listed_without_a_passphrase),
      cmocka_unit_test(sealed_files_are_known_by_their_first_bytes),
      cmocka_unit_test(sealed_files_are_known_by_their_last_line_too),
      cmocka_unit_test(kinds_have_names_and_default_parameters),
      cmocka_unit_test(labels_have_a_length_and_an_alphabet),
      cmocka_unit_test(costs_have_limits),
      cmocka_unit_test(the_number_of_slots_has_limits),
      cmocka_unit_test(bad_entries_are_refused),
      cmocka_unit_test(all_slots_together_have_a_limit),
      cmocka_unit_test(passphrases_have_a_length),
      cmocka_unit_test(a_text_is_replaced_and_the_slots_stay),
      cmocka_unit_test(a_text_is_replaced_only_by_who_can_open_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
