/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_sealed_kind_at kh_sealed_kind_by_name kh_argon2id */
/* A kind of slot whose wrapping key is kept elsewhere, in the table of kinds for this test only: it
 * needs no passphrase, has a text and a long field, and belongs to version 2 of the format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keyfile/sealed_kind.h"
#include "files.h"
#include "keyhold/argon2.h"
#include "keyhold/keyfile.h"
#include "keyhold/keyfile_text.h"
#include "rotation.h"
#include "sealed.h"
#include "unit.h"

#define A16        "770A8A65DA156D24EE2A093277530142"
#define TEXT       "1;" A16 "\n"
#define KEY_NAME   "arn:aws:kms:eu-central-1:111122223333:key/a_b-c"
#define NO_SECRET  ((kh_bytes){NULL, 0})
#define SLOT_WORDS "slot away keeper key=" KEY_NAME " generation=7 blob="

enum { BLOB = 2000, HUGE_BLOB = 20000, MASK = 0x5a };

/* The holder of the key: what it answers, and how often it was asked. */
static struct {
  size_t blob_len;
  kh_status answer;
  unsigned unwrapped;
} holder;

static unsigned derivations;
static bool is_old_reader; /* which does not have the kind */

static uint64_t work_of_keeper(const kh_sealed_slot *slot)
{
  (void)slot;
  return 0;
}

static kh_status wrap_by_keeper(kh_sealed_line *line, kh_bytes passphrase,
                                const kh_secret *file_key)
{
  static uint8_t blob[HUGE_BLOB];
  assert_int_equal(passphrase.len, 0);
  assert_string_equal(kh_sealed_slot_get_text(&line->slot, "key"), KEY_NAME);
  for (size_t i = 0; i < holder.blob_len; i++)
    blob[i] = i < KH_SEALED_KEY_SIZE ? kh_secret_bytes(file_key).data[i] ^ MASK : (uint8_t)i;
  kh_sealed_line_put_field(line, "blob", (kh_bytes){blob, holder.blob_len});
  return KH_OK;
}

static kh_status unwrap_by_keeper(const kh_sealed_line *line, kh_bytes passphrase,
                                  kh_secret *ret_file_key)
{
  (void)passphrase;
  kh_bytes blob = kh_sealed_line_field(line, 0);
  holder.unwrapped++;
  if (holder.answer != KH_OK)
    return holder.answer;
  assert_int_equal(blob.len, holder.blob_len);
  for (size_t i = 0; i < blob.len; i++)
    if (i < KH_SEALED_KEY_SIZE)
      kh_secret_data(ret_file_key)[i] = blob.data[i] ^ MASK;
    else
      assert_int_equal(blob.data[i], i & 0xff);
  kh_secret_set_len(ret_file_key, KH_SEALED_KEY_SIZE);
  return KH_OK;
}

static const kh_sealed_field fields[] = {{"blob", KH_SEALED_KEY_SIZE, KH_SEALED_FIELD_MAX},
                                         {NULL, 0, 0}};
static const kh_sealed_kind_functions functions = {fields, work_of_keeper, wrap_by_keeper,
                                                   unwrap_by_keeper};
static const kh_sealed_kind keeper = {
    .name = "keeper",
    .version = 2,
    .needs_passphrase = false,
    .parameters = {{"key", "", 1, 0, KH_SEALED_TEXT_MAX, true}, {"generation", "", 1, 7, 9, false}},
    .functions = &functions,
};

const kh_sealed_kind *__real_kh_sealed_kind_at(size_t index);
const kh_sealed_kind *__wrap_kh_sealed_kind_at(size_t index);
const kh_sealed_kind *__real_kh_sealed_kind_by_name(kh_bytes name);
const kh_sealed_kind *__wrap_kh_sealed_kind_by_name(kh_bytes name);
kh_status __real_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived);
kh_status __wrap_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived);

const kh_sealed_kind *__wrap_kh_sealed_kind_at(size_t index)
{
  if (is_old_reader)
    return __real_kh_sealed_kind_at(index);
  return index == 0 ? &keeper : __real_kh_sealed_kind_at(index - 1);
}

const kh_sealed_kind *__wrap_kh_sealed_kind_by_name(kh_bytes name)
{
  bool is_keeper = name.len == strlen(keeper.name) && memcmp(name.data, keeper.name, name.len) == 0;
  return is_keeper && !is_old_reader ? &keeper : __real_kh_sealed_kind_by_name(name);
}

kh_status __wrap_kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                             kh_secret *ret_derived)
{
  derivations++;
  return __real_kh_argon2id(passphrase, salt, cost, ret_derived);
}

static int reset(void **state)
{
  (void)state;
  holder.blob_len = BLOB;
  holder.answer = KH_OK;
  holder.unwrapped = 0;
  derivations = 0;
  is_old_reader = false;
  return 0;
}

static kh_sealed_entry entry_of_keeper(const char *label)
{
  kh_sealed_entry entry = {kh_sealed_slot_default(label, &keeper), NO_SECRET};
  assert_true(kh_sealed_slot_set_text(&entry.slot, "key", KEY_NAME));
  return entry;
}

/* a file that opens without a passphrase, and by "second" if it has a second slot */
static kh_secret *make(bool has_second)
{
  kh_sealed_entry entries[] = {entry_of_keeper("away"),
                               sealed_entry("safe", &kh_sealed_argon2id, "second")};
  kh_secret *file = NULL;
  assert_int_equal(sealed_make(bytes_of(TEXT), entries, has_second ? 2 : 1, &file, NULL), KH_OK);
  return file;
}

static bool has_version(const kh_secret *file, const char *version)
{
  kh_bytes line = sealed_line(kh_secret_bytes(file), 1);
  char expected[32];
  int len = snprintf(expected, sizeof expected, "keyhold-sealed %s\n", version);
  return line.len == (size_t)len && memcmp(line.data, expected, line.len) == 0;
}

static kh_status list(kh_bytes file, kh_sealed_slots *ret_slots, kh_fault *ret_fault)
{
  return kh_sealed_list(SEALED_PATH, file, ret_slots, ret_fault);
}

static void it_is_made_and_opens_without_a_passphrase(void **state)
{
  (void)state;
  kh_secret *file = make(false);
  kh_bytes line = sealed_line(kh_secret_bytes(file), 2);
  assert_true(has_version(file, "2"));
  assert_int_equal(line.len, strlen(SLOT_WORDS) + (size_t)2 * BLOB + 1);
  assert_memory_equal(line.data, SLOT_WORDS, strlen(SLOT_WORDS));
  sealed_expect(file, "", 0, TEXT);
  sealed_expect(file, "of another slot", 0, TEXT);
  assert_int_equal(derivations, 0);
  kh_secret_free(&file);
}

static void it_is_listed_with_its_text(void **state)
{
  (void)state;
  kh_secret *file = make(true);
  kh_sealed_slots slots;
  assert_int_equal(list(kh_secret_bytes(file), &slots, NULL), KH_OK);
  assert_int_equal(slots.count, 2);
  assert_ptr_equal(slots.at[0].kind, &keeper);
  assert_string_equal(kh_sealed_slot_get_text(&slots.at[0], "key"), KEY_NAME);
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "generation"), 7);
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "key"), 0);
  assert_string_equal(kh_sealed_slot_get_text(&slots.at[0], "generation"), "");
  assert_string_equal(kh_sealed_slot_get_text(&slots.at[1], "memory"), "");
  assert_false(kh_sealed_needs_passphrase(&slots));
  kh_secret_free(&file);
}

static void a_reader_without_it_reports_a_newer_file(void **state)
{
  (void)state;
  kh_secret *file = make(true);
  kh_sealed_slots slots;
  kh_fault fault = {.status = KH_OK};
  is_old_reader = true;
  assert_int_equal(kh_sealed_newest_version(), 1);
  assert_int_equal(list(kh_secret_bytes(file), &slots, &fault), KH_E_SEALED_NEWER);
  assert_int_equal(fault.size, 2);
  assert_int_equal(fault.limit, 1);
  assert_int_equal(sealed_open(kh_secret_bytes(file), "second", NULL, NULL), KH_E_SEALED_NEWER);
  kh_secret_free(&file);
}

/* The first line of a file has another version. */
static kh_status list_as_version(const kh_secret *file, char version, kh_fault *ret_fault)
{
  kh_sealed_slots slots;
  uint8_t *copy = sealed_copy(kh_secret_bytes(file));
  copy[strlen("keyhold-sealed ")] = (uint8_t)version;
  size_t len = sealed_mend(copy, kh_secret_bytes(file).len);
  kh_status status = list((kh_bytes){copy, len}, &slots, ret_fault);
  free(copy);
  return status;
}

static void a_file_has_no_kind_that_is_newer_than_it(void **state)
{
  (void)state;
  kh_secret *file = make(false);
  kh_secret *old = sealed_file(TEXT);
  kh_fault fault = {.status = KH_OK};
  assert_int_equal(list_as_version(file, '2', NULL), KH_OK);
  assert_int_equal(list_as_version(file, '1', &fault), KH_E_SEALED_DAMAGED);
  assert_int_equal(fault.line, 2);
  assert_int_equal(fault.column, strlen("slot away ") + 1);
  assert_int_equal(list_as_version(file, '3', NULL), KH_E_SEALED_NEWER);
  assert_true(has_version(old, "1"));
  assert_int_equal(list_as_version(old, '2', NULL), KH_OK);
  kh_secret_free(&old);
  kh_secret_free(&file);
}

static void slots_come_and_go(void **state)
{
  (void)state;
  kh_sealed_entry safe = sealed_entry("safe", &kh_sealed_argon2id, "second");
  kh_sealed_entry away = entry_of_keeper("safe");
  kh_secret *one = make(false);
  kh_secret *two = NULL;
  kh_secret *changed = NULL;
  kh_secret *old = NULL;
  assert_int_equal(sealed_add_slot(kh_secret_bytes(one), NO_SECRET, &safe, &two, NULL), KH_OK);
  assert_true(has_version(two, "2"));
  sealed_expect(two, "", 0, TEXT);
  assert_int_equal(sealed_change_slot(kh_secret_bytes(two), NO_SECRET, &away, &changed, NULL),
                   KH_OK);
  sealed_expect(changed, "", 0, TEXT);
  /* by the passphrase of the slot that stays, as before */
  assert_int_equal(sealed_remove_slot(kh_secret_bytes(two), NO_SECRET, "away", &old, NULL),
                   KH_E_WRONG_PASSPHRASE);
  assert_int_equal(sealed_remove_slot(kh_secret_bytes(two), bytes_of("second"), "away", &old, NULL),
                   KH_OK);
  assert_true(has_version(old, "1"));
  is_old_reader = true;
  sealed_expect(old, "second", 0, TEXT);
  kh_secret_free(&one);
  kh_secret_free(&two);
  kh_secret_free(&changed);
  kh_secret_free(&old);
}

static void a_holder_out_of_reach_leaves_the_other_slots(void **state)
{
  (void)state;
  kh_secret *file = make(true);
  kh_bytes bytes = kh_secret_bytes(file);
  holder.answer = KH_E_SOCKET;
  derivations = 0;
  assert_int_equal(sealed_open(bytes, "", NULL, NULL), KH_E_SOCKET);
  assert_int_equal(derivations, 0);
  assert_int_equal(sealed_open(bytes, "wrong", NULL, NULL), KH_E_SOCKET);
  sealed_expect(file, "second", 1, TEXT);
  holder.answer = KH_E_WRONG_PASSPHRASE;
  assert_int_equal(sealed_open(bytes, "", NULL, NULL), KH_E_WRONG_PASSPHRASE);
  sealed_expect(file, "second", 1, TEXT);
  kh_secret_free(&file);
}

static void slots_that_need_a_passphrase_are_skipped_without_one(void **state)
{
  (void)state;
  kh_sealed_entry entries[] = {sealed_entry("safe", &kh_sealed_argon2id, "second"),
                               entry_of_keeper("away")};
  kh_secret *file = NULL;
  assert_int_equal(sealed_make(bytes_of(TEXT), entries, 2, &file, NULL), KH_OK);
  derivations = 0;
  sealed_expect(file, "", 1, TEXT);
  assert_int_equal(derivations, 0);
  kh_secret_free(&file);
}

/* the size for which the memory of a line is made */
static void every_kind_keeps_the_limits_of_a_line(void **state)
{
  (void)state;
  const kh_sealed_kind *kind;
  for (size_t i = 0; (kind = kh_sealed_kind_at(i)) != NULL; i++) {
    size_t count = 0;
    size_t size = 0;
    assert_in_range(strlen(kind->name), 1, KH_SEALED_NAME_MAX);
    assert_in_range(kind->version, 1, kh_sealed_newest_version());
    for (const kh_sealed_parameter *it = kind->parameters; it->name != NULL; it++) {
      assert_in_range(strlen(it->name), 1, KH_SEALED_NAME_MAX);
      assert_in_range(it->least, 1, it->most);
      assert_true(!it->is_text || it->most <= KH_SEALED_TEXT_MAX);
    }
    for (const kh_sealed_field *it = kind->functions->fields; it->name != NULL; it++, count++) {
      assert_in_range(strlen(it->name), 1, KH_SEALED_NAME_MAX);
      assert_in_range(it->least, 1, it->most);
      assert_in_range(it->most, 1, KH_SEALED_FIELD_MAX);
      size += it->most;
    }
    assert_in_range(count, 1, KH_SEALED_FIELD_COUNT_MAX);
    assert_in_range(size, 1, KH_SEALED_FIELDS_MAX);
  }
}

static kh_status validate_text(const char *text)
{
  kh_sealed_entry entry = entry_of_keeper("away");
  kh_fault fault = {.status = KH_OK};
  assert_true(kh_sealed_slot_set_text(&entry.slot, "key", text));
  kh_status status = kh_sealed_slot_validate(&entry.slot, &fault);
  assert_int_equal(fault.status, status);
  return status;
}

static void texts_have_a_length_and_an_alphabet(void **state)
{
  (void)state;
  static const char *const bad[] = {"",     "a b", "a\n",      "\"",   "\\",
                                    "$(a)", "a'",  "\xc3\xa4", "a\x7f"};
  char text[KH_SEALED_TEXT_MAX + 2] = "";
  memset(text, 'a', sizeof text - 1);
  kh_sealed_slot slot = entry_of_keeper("away").slot;
  assert_false(kh_sealed_slot_set_text(&slot, "key", text));
  assert_false(kh_sealed_slot_set_text(&slot, "generation", "1"));
  assert_false(kh_sealed_slot_set(&slot, "key", 1));
  memset(slot.texts[0], 'a', sizeof slot.texts[0]); /* does not end */
  assert_int_equal(kh_sealed_slot_validate(&slot, NULL), KH_E_SLOT_TEXT);
  text[KH_SEALED_TEXT_MAX] = '\0';
  assert_int_equal(validate_text(text), KH_OK);
  assert_int_equal(validate_text("pkcs11:token=a%20b;object=c?pin-source=d&e=*+,@~:/._-"), KH_OK);
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(validate_text(bad[i]), KH_E_SLOT_TEXT);
}

/* the slot's line between the first one and the payload */
static kh_status list_slot(const char *key, size_t digits)
{
  static char field[2 * KH_SEALED_FIELD_MAX + 16];
  kh_sealed_slots slots;
  size_t len = 0;
  memset(field, 'a', digits);
  field[digits] = '\0';
  uint8_t *file = sealed_print(&len,
                               "keyhold-sealed 2\nslot a keeper key=%s generation=1 blob=%s\n"
                               "payload 000102030405060708090a0b0c0d0e0f1011121314151617\n"
                               "AAECAwQFBgcICQoLDA0ODw==\n",
                               key, field);
  kh_status status = list((kh_bytes){file, len}, &slots, NULL);
  free(file);
  return status;
}

static void values_in_a_file_have_the_same_limits(void **state)
{
  (void)state;
  char text[KH_SEALED_TEXT_MAX + 2] = "";
  memset(text, 'a', sizeof text - 1);
  assert_int_equal(list_slot(text, 64), KH_E_SEALED_DAMAGED);
  text[KH_SEALED_TEXT_MAX] = '\0';
  assert_int_equal(list_slot(text, 64), KH_OK);
  assert_int_equal(list_slot(text, 2 * KH_SEALED_FIELD_MAX), KH_OK);
  assert_int_equal(list_slot(text, 2 * KH_SEALED_FIELD_MAX + 2), KH_E_SEALED_DAMAGED);
  assert_int_equal(list_slot("a=b", 66), KH_OK);
  assert_int_equal(list_slot("a", 65), KH_E_SEALED_DAMAGED);
  assert_int_equal(list_slot("a", 62), KH_E_SEALED_DAMAGED);
  assert_int_equal(list_slot("", 64), KH_E_SEALED_DAMAGED);
  assert_int_equal(list_slot("a\"", 64), KH_E_SEALED_DAMAGED);
}

/* at the limit, past it, and past the room of the line */
static void a_field_has_a_limit(void **state)
{
  (void)state;
  static const size_t lens[] = {KH_SEALED_FIELD_MAX, KH_SEALED_FIELD_MAX + 1, HUGE_BLOB};
  for (size_t i = 0; i < COUNT(lens); i++) {
    kh_sealed_entry entries[KH_SEALED_SLOTS_MAX];
    kh_secret *file = NULL;
    char label[2] = "a";
    holder.blob_len = lens[i];
    for (size_t k = 0; k < KH_SEALED_SLOTS_MAX; k++, label[0]++)
      entries[k] = entry_of_keeper(label);
    assert_int_equal(sealed_make(bytes_of(TEXT), entries, KH_SEALED_SLOTS_MAX, &file, NULL),
                     i == 0 ? KH_OK : KH_E_SEALED_DAMAGED);
    if (i == 0)
      sealed_expect(file, "", 0, TEXT);
    kh_secret_free(&file);
  }
}

static kh_status open_path(const char *path, kh_keyfile **ret_file)
{
  kh_keyfile_options options = {.path = path};
  return kh_keyfile_open(&options, test_engines, NULL, ret_file, NULL);
}

static bool needs_passphrase(const char *path)
{
  bool needs = false;
  assert_int_equal(kh_keyfile_needs_passphrase(path, &needs, NULL), KH_OK);
  return needs;
}

static const char *write_file(const char *name, kh_secret *file)
{
  const char *path = test_file(name, kh_secret_bytes(file).data, kh_secret_bytes(file).len, 0600);
  kh_secret_free(&file);
  return path;
}

static void a_key_file_shows_whether_it_needs_a_passphrase(void **state)
{
  (void)state;
  assert_false(needs_passphrase(write_file("a", make(true))));
  assert_true(needs_passphrase(write_file("b", sealed_file(TEXT))));
  assert_true(needs_passphrase(test_text("c", "keyhold-sealed 2\nslot", 0600)));
  assert_true(needs_passphrase(test_text("d", "Salted__12345678", 0600)));
  assert_false(needs_passphrase(test_text("e", TEXT, 0600)));
  is_old_reader = true;
  assert_true(needs_passphrase(test_path("a")));
}

static void a_key_file_is_made_changed_and_saved_without_one(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = NULL;
  KH_AUTO_KEYFILE file = NULL;
  KH_AUTO_KEYFILE again = NULL;
  const char *path = test_path("new");
  kh_keyfile_form form = {.format = &kh_keyfile_format_sealed,
                          .slot = entry_of_keeper("away").slot};
  kh_keyfile_addition addition = {.len = 32};
  kh_sealed_entry safe = sealed_entry("away", &kh_sealed_argon2id, "second");
  uint32_t id = 0;
  assert_int_equal(
      kh_keyfile_parse_text("x", bytes_of(TEXT), KH_REPEATS_REFUSED, NULL, &keys, NULL), KH_OK);
  assert_int_equal(kh_keyfile_create(path, &form, test_engines, keys, NULL), KH_OK);
  assert_int_equal(open_path(path, &file), KH_OK);
  assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_int_equal(open_path(path, &again), KH_OK);
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(again)), 2);
  assert_int_equal(derivations, 0);
  assert_int_equal(kh_keyfile_change_slot(file, KH_SLOT_CHANGE, &safe, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_true(needs_passphrase(path));
  safe = entry_of_keeper("away");
  assert_int_equal(kh_keyfile_change_slot(file, KH_SLOT_CHANGE, &safe, NULL), KH_OK);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  assert_false(needs_passphrase(path));
}

static void a_key_file_that_does_not_open_reports_why(void **state)
{
  (void)state;
  KH_AUTO_KEYFILE file = NULL;
  const char *path = write_file("both", make(true));
  holder.answer = KH_E_SOCKET;
  assert_int_equal(open_path(path, &file), KH_E_SOCKET);
  holder.answer = KH_E_WRONG_PASSPHRASE;
  assert_int_equal(open_path(path, &file), KH_E_NO_PASSPHRASE);
  holder.answer = KH_OK;
  assert_int_equal(open_path(path, &file), KH_OK);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(it_is_made_and_opens_without_a_passphrase, reset),
      cmocka_unit_test_setup(it_is_listed_with_its_text, reset),
      cmocka_unit_test_setup(a_reader_without_it_reports_a_newer_file, reset),
      cmocka_unit_test_setup(a_file_has_no_kind_that_is_newer_than_it, reset),
      cmocka_unit_test_setup(slots_come_and_go, reset),
      cmocka_unit_test_setup(a_holder_out_of_reach_leaves_the_other_slots, reset),
      cmocka_unit_test_setup(slots_that_need_a_passphrase_are_skipped_without_one, reset),
      cmocka_unit_test_setup(every_kind_keeps_the_limits_of_a_line, reset),
      cmocka_unit_test_setup(texts_have_a_length_and_an_alphabet, reset),
      cmocka_unit_test_setup(values_in_a_file_have_the_same_limits, reset),
      cmocka_unit_test_setup(a_field_has_a_limit, reset),
      cmocka_unit_test_setup(a_key_file_shows_whether_it_needs_a_passphrase, reset),
      cmocka_unit_test_setup(a_key_file_is_made_changed_and_saved_without_one, reset),
      cmocka_unit_test_setup(a_key_file_that_does_not_open_reports_why, reset),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
