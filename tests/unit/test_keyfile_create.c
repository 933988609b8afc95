/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_sealed_slot_wrap kh_lockfile_take kh_crypt_once kh_keyfile_add_lines
 * wraps: kh_keyfile_retire_lines */
/* Key files that are made, converted and given new keys. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/keyfile/sealed_slot.h"
#include "files.h"
#include "keyhold/keyfile.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/lockfile.h"
#include "rotation.h"
#include "unit.h"
#include "wrap.h"

#define A16 "770A8A65DA156D24EE2A093277530142"
#define A32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

/* everything that a text may have besides its keys */
#define TEXT                                                                                       \
  "# mine\r\n1;" A16 "  ignored\r\n\n1;3;" A32 ";cipher=aes256-ctr;created=2026-11-22\n"           \
  "7;" A16 ";rotate=90d;bits=256"

static const kh_keyfile_format *const formats[] = {
    &kh_keyfile_format_text, &kh_keyfile_format_openssl, &kh_keyfile_format_sealed};
#define TEXT_FILE   (&kh_keyfile_format_text)
#define SEALED_FILE (&kh_keyfile_format_sealed)
enum { FORMATS = 3, TEXT_FORMAT = 0, SEALED = 2 };

/* what goes wrong while a file is made */
static bool spoil_ciphertext;
static bool spoil_sealed; /* a slot gets a wrong passphrase */
static enum { NOTHING, ANOTHER_KEY, ANOTHER_ATTRIBUTE, ONE_MORE, ONE_LESS, WAYS } spoil_text;

WRAPS(kh_crypt_once);
WRAPS(kh_keyfile_add_lines);

WRAPS(kh_lockfile_take);

/* no waiting */
kh_status __wrap_kh_lockfile_take(const char *path, unsigned milliseconds, kh_lockfile **ret_lock,
                                  kh_fault *ret_fault)
{
  (void)milliseconds;
  return __real_kh_lockfile_take(path, 0, ret_lock, ret_fault);
}

kh_status __wrap_kh_crypt_once(const kh_crypt *crypt, kh_cipher cipher, unsigned flags,
                               const kh_crypt_key *key, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  kh_status status = __real_kh_crypt_once(crypt, cipher, flags, key, src, dst, ret_len);
  if (spoil_ciphertext && (flags & KH_CRYPT_ENCRYPT) != 0)
    dst[40] ^= 1;
  return status;
}

static kh_secret *secret_of(const char *text)
{
  kh_secret *secret = NULL;
  assert_int_equal(kh_secret_new(strlen(text), &secret), KH_OK);
  memcpy(kh_secret_data(secret), text, strlen(text));
  kh_secret_set_len(secret, strlen(text));
  return secret;
}

WRAPS(kh_sealed_slot_wrap);

kh_status __wrap_kh_sealed_slot_wrap(const kh_sealed_entry *entry, const kh_secret *file_key,
                                     kh_sealed_line *ret_line)
{
  kh_sealed_entry spoilt = *entry;
  spoilt.passphrase.len -= spoil_sealed;
  return __real_kh_sealed_slot_wrap(&spoilt, file_key, ret_line);
}

/* of the text of two_keys() */
static void spoil(char *text)
{
  switch (spoil_text) {
  case ANOTHER_KEY:
    text[2] = text[2] == '0' ? '1' : '0';
    break;
  case ANOTHER_ATTRIBUTE:
    *strstr(text, "1d") = '2';
    break;
  case ONE_MORE:
    strcat(text, "3;" A16 "\n");
    break;
  case ONE_LESS:
    strstr(text, "\n2;")[1] = '\0'; /* not the end of a key */
    break;
  default:
    break;
  }
}

kh_status __wrap_kh_keyfile_add_lines(kh_bytes text, const kh_keylist *parsed,
                                      const kh_keylist *added, kh_secret **ret_text)
{
  char made[1024] = "";
  kh_secret *real = NULL;
  kh_status status = __real_kh_keyfile_add_lines(text, parsed, added, &real);
  if (spoil_text == NOTHING || status != KH_OK) {
    *ret_text = real;
    return status;
  }
  memcpy(made, kh_secret_bytes(real).data, kh_secret_bytes(real).len);
  kh_secret_free(&real);
  spoil(made);
  *ret_text = secret_of(made);
  return KH_OK;
}

static kh_secret *passphrase;

static const char *spoilt_retired; /* the text that is made instead of the right one */

WRAPS(kh_keyfile_retire_lines);

kh_status __wrap_kh_keyfile_retire_lines(kh_bytes text, const kh_keylist *parsed,
                                         const kh_keytable *retired, kh_secret **ret_text)
{
  if (spoilt_retired == NULL)
    return __real_kh_keyfile_retire_lines(text, parsed, retired, ret_text);
  *ret_text = secret_of(spoilt_retired);
  return KH_OK;
}

static int prepare(void **state)
{
  passphrase = secret_of("the passphrase");
  return test_engines_open_openssl(state);
}

static int clean(void **state)
{
  kh_secret_free(&passphrase);
  return test_engines_close(state);
}

/* with the lowest costs */
static kh_keyfile_form form_of(const kh_keyfile_format *format)
{
  bool is_text = format == TEXT_FILE;
  kh_keyfile_form form = {.format = format,
                          .passphrase = is_text ? NULL : passphrase,
                          .digest = KH_DIGEST_SHA384,
                          .pbkdf2_iterations = 3,
                          .slot = kh_sealed_slot_default("mine", &kh_sealed_argon2id)};
  kh_sealed_slot_set(&form.slot, "memory", KH_ARGON2_MEMORY_MIN);
  kh_sealed_slot_set(&form.slot, "passes", KH_ARGON2_PASSES_MIN);
  return form;
}

static kh_keyfile_options options_of(const char *path, const kh_keyfile_format *format)
{
  kh_keyfile_form form = form_of(format);
  return (kh_keyfile_options){.path = path,
                              .passphrase = form.passphrase,
                              .digest = form.digest,
                              .pbkdf2_iterations = form.pbkdf2_iterations};
}

static kh_keyfile *open_file(const char *path, const kh_keyfile_format *format)
{
  kh_keyfile *file = NULL;
  kh_fault fault = {.status = KH_OK};
  kh_keyfile_options options = options_of(path, format);
  kh_status status = kh_keyfile_open(&options, test_engines, NULL, &file, &fault);
  if (status != KH_OK)
    print_message("%s\n", status_name(status));
  assert_int_equal(status, KH_OK);
  assert_ptr_equal(kh_keyfile_format_of(file), format);
  return file;
}

/* field by field: what is between them has no value */
static void assert_same_policy(const kh_policy *a, const kh_policy *b)
{
  assert_int_equal(a->created, b->created);
  assert_int_equal(a->rotate, b->rotate);
  assert_int_equal(a->bits, b->bits);
  assert_int_equal(a->cipher, b->cipher);
}

static void assert_same_keys(const kh_keylist *a, const kh_keylist *b)
{
  assert_int_equal(kh_keylist_count(a), kh_keylist_count(b));
  for (size_t i = 0; i < kh_keylist_count(a); i++) {
    const kh_key *x = kh_keylist_at(a, i);
    const kh_key *y = kh_keylist_at(b, i);
    assert_true(kh_key_is_same_version(x, y) && kh_key_is_same_secret(x, y));
    assert_same_policy(&x->policy, &y->policy);
  }
}

static void assert_same(const kh_keyfile *a, const kh_keyfile *b)
{
  assert_same_keys(kh_keyfile_keys(a), kh_keyfile_keys(b));
}

static const char *new_path(const char *name)
{
  const char *path = test_path(name);
  remove(path);
  return path;
}

/* key 1 and key 2, random */
static kh_keylist *two_keys(void)
{
  kh_keylist *list = NULL;
  kh_policy policy = {.created = 1795309555, .cipher = KH_CIPHER_AES_CTR};
  assert_int_equal(kh_keylist_new(2, &list), KH_OK);
  kh_keylist_add_random(list, 1, 1, 32, &policy);
  kh_keylist_add_random(list, 2, 1, 16, &(kh_policy){.rotate = 86400});
  return list;
}

static kh_status create(const char *path, const kh_keyfile_form *form, const kh_keylist *keys)
{
  kh_fault fault = {.status = KH_OK};
  kh_status status = kh_keyfile_create(path, form, test_engines, keys, &fault);
  assert_int_equal(fault.status, status);
  if (status != KH_OK)
    assert_string_equal(fault.path.text, path);
  return status;
}

static void a_file_of_each_format_is_made(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  for (size_t i = 0; i < FORMATS; i++) {
    kh_keyfile_form form = form_of(formats[i]);
    const char *path = new_path("new");
    assert_int_equal(create(path, &form, keys), KH_OK);
    KH_AUTO_KEYFILE list = open_file(path, formats[i]);
    assert_same_keys(keys, kh_keyfile_keys(list));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(create(path, &form, keys), KH_E_FILE_EXISTS);
  }
}

static void the_text_that_is_made(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  kh_keyfile_form form = form_of(TEXT_FILE);
  char expected[512];
  const char *path = new_path("new");
  assert_int_equal(create(path, &form, keys), KH_OK);
  snprintf(expected, sizeof expected,
           "1;%s;cipher=aes-ctr;created=2026-11-22T01:05:55Z\n2;%s;rotate=1d\n",
           rotation_hex(kh_keylist_at(keys, 0)).text, rotation_hex(kh_keylist_at(keys, 1)).text);
  test_expect_content(path, expected);
}

static kh_sealed_slots slots_of(const char *path)
{
  kh_secret *file = NULL;
  kh_sealed_slots slots;
  assert_int_equal(kh_file_read(path, 1 << 20, KH_FILE_REGULAR, &file, NULL, NULL), KH_OK);
  assert_int_equal(kh_sealed_list(path, kh_secret_bytes(file), &slots, NULL), KH_OK);
  kh_secret_free(&file);
  return slots;
}

static void the_slot_that_is_asked_for(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  kh_keyfile_form form = form_of(SEALED_FILE);
  form.slot = kh_sealed_slot_default("safe", &kh_sealed_pbkdf2_hmac_sha512);
  kh_sealed_slot_set(&form.slot, "iterations", 1234);
  const char *path = new_path("new");
  assert_int_equal(create(path, &form, keys), KH_OK);
  kh_sealed_slots slots = slots_of(path);
  assert_int_equal(slots.count, 1);
  assert_string_equal(slots.at[0].label, "safe");
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "iterations"), 1234);
}

static void forms_that_cannot_be(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  kh_secret *empty = secret_of("");
  const char *path = new_path("new");
  for (size_t i = 0; i < FORMATS; i++) {
    kh_keyfile_form form = form_of(formats[i]);
    form.passphrase = i == TEXT_FORMAT ? passphrase : NULL;
    kh_status expected = i == TEXT_FORMAT ? KH_E_NOT_ENCRYPTED : KH_E_NO_PASSPHRASE;
    assert_int_equal(create(path, &form, keys), expected);
    form.passphrase = empty;
    assert_int_equal(create(path, &form, keys), expected);
  }
  kh_keyfile_form form = form_of(SEALED_FILE);
  form.slot.label[0] = '\0';
  assert_int_equal(create(path, &form, keys), KH_E_SLOT_LABEL);
  assert_false(test_is_there(path));
  kh_secret_free(&empty);
}

static void keys_without_key_1(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = NULL;
  kh_keyfile_form form = form_of(TEXT_FILE);
  assert_int_equal(kh_keylist_new(1, &keys), KH_OK);
  kh_keylist_add_random(keys, 2, 1, 16, &(kh_policy){.rotate = 0});
  assert_int_equal(create(new_path("new"), &form, keys), KH_E_NO_SYSTEM_KEY);
  assert_false(test_is_there(test_path("new")));
}

/* a wrong file is noticed before it is on the disk */
static void what_is_read_back_is_wrong(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  kh_keyfile_form form = form_of(&kh_keyfile_format_openssl);
  spoil_ciphertext = true;
  assert_true(create(new_path("new"), &form, keys) != KH_OK);
  const char *path = test_text("keys", TEXT, 0600);
  KH_AUTO_KEYFILE file = open_file(path, TEXT_FILE);
  assert_int_equal(kh_keyfile_set_form(file, &form, NULL), KH_OK);
  assert_true(kh_keyfile_save(file, NULL) != KH_OK);
  assert_true(kh_keyfile_save_as(file, &form, new_path("new"), NULL) != KH_OK);
  spoil_ciphertext = false;
  test_expect_content(path, TEXT);

  form = form_of(TEXT_FILE);
  for (spoil_text = ANOTHER_KEY; spoil_text < WAYS; spoil_text++) {
    kh_status status = create(new_path("new"), &form, keys);
    assert_int_equal(status, spoil_text == ONE_LESS ? KH_E_KEY_LOST : KH_E_KEY_CHANGED);
  }
  spoil_text = NOTHING;
  assert_false(test_is_there(test_path("new")));
}

static kh_status convert(const char *path, const kh_keyfile_format *from,
                         const kh_keyfile_format *format, const char *to)
{
  kh_fault fault = {.status = KH_OK};
  KH_AUTO_KEYFILE file = open_file(path, from);
  kh_keyfile_form form = form_of(format);
  kh_status status = to != NULL ? kh_keyfile_save_as(file, &form, to, &fault)
                                : kh_keyfile_set_form(file, &form, &fault);
  if (status == KH_OK && to == NULL)
    status = kh_keyfile_save(file, &fault);
  assert_int_equal(fault.status, status);
  assert_ptr_equal(kh_keyfile_format_of(file), status == KH_OK && to == NULL ? format : from);
  return status;
}

static void from_each_format_to_each(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS * FORMATS; i++) {
    const kh_keyfile_format *first = formats[i / FORMATS];
    const kh_keyfile_format *second = formats[i % FORMATS];
    const char *path = test_text("keys", TEXT, 0640);
    KH_AUTO_KEYFILE before = open_file(path, TEXT_FILE);
    assert_int_equal(convert(path, TEXT_FILE, first, NULL), KH_OK);
    assert_int_equal(convert(path, first, second, NULL), KH_OK);
    KH_AUTO_KEYFILE after = open_file(path, second);
    assert_same(before, after);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(convert(path, second, TEXT_FILE, NULL), KH_OK);
    test_expect_content(path, TEXT);
  }
}

static void into_another_file(void **state)
{
  (void)state;
  const char *path = test_text("keys", TEXT, 0640);
  const char *to = new_path("other");
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, to), KH_OK);
  test_expect_content(path, TEXT);
  KH_AUTO_KEYFILE before = open_file(path, TEXT_FILE);
  KH_AUTO_KEYFILE after = open_file(to, SEALED_FILE);
  assert_same(before, after);
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, to), KH_E_FILE_EXISTS);
}

/* as in the server's own plugin: the last one counts */
static void a_file_with_repeats(void **state)
{
  (void)state;
  const char *path = test_text("keys", "1;" A16 "\n1;" A32 "\n", 0600);
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  KH_AUTO_KEYFILE after = open_file(path, SEALED_FILE);
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(after)), 2);
}

static void nobody_else_may_be_changing_it(void **state)
{
  (void)state;
  kh_lockfile *lock = NULL;
  const char *path = test_text("keys", TEXT, 0600);
  KH_AUTO_KEYFILE file = open_file(path, TEXT_FILE);
  kh_keyfile_addition addition = {.len = 16};
  uint32_t id;
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_E_FILE_LOCKED);
  assert_int_equal(kh_keyfile_add_key(file, &addition, &id, NULL), KH_E_FILE_LOCKED);
  assert_int_equal(convert(path, TEXT_FILE, TEXT_FILE, test_path("another")),
                   KH_OK); /* it is only read */
  kh_lockfile_release(&lock);
  test_expect_content(path, TEXT);
}

static kh_status add(const char *path, const kh_keyfile_format *format,
                     kh_keyfile_addition addition, uint32_t *ret_id)
{
  kh_fault fault = {.status = KH_OK};
  KH_AUTO_KEYFILE file = open_file(path, format);
  kh_status status = kh_keyfile_add_key(file, &addition, ret_id, &fault);
  if (status == KH_OK)
    status = kh_keyfile_save(file, &fault);
  assert_int_equal(fault.status, status);
  return status;
}

static void a_new_key_in_each_format(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS; i++) {
    uint32_t id = 0;
    const char *path = test_text("keys", TEXT, 0640);
    assert_int_equal(convert(path, TEXT_FILE, formats[i], NULL), KH_OK);
    KH_AUTO_KEYFILE before = open_file(path, formats[i]);
    kh_keyfile_addition addition = {.len = 24, .policy = {.rotate = 60, .created = 5}};
    assert_int_equal(add(path, formats[i], addition, &id), KH_OK);
    assert_int_equal(id, 8);
    KH_AUTO_KEYFILE after = open_file(path, formats[i]);
    size_t count = kh_keylist_count(kh_keyfile_keys(before));
    assert_int_equal(kh_keylist_count(kh_keyfile_keys(after)), count + 1);
    const kh_key *key = kh_keylist_at(kh_keyfile_keys(after), count);
    assert_int_equal(key->id, 8);
    assert_int_equal(key->version, 1);
    assert_int_equal(key->len, 24);
    assert_same_policy(&key->policy, &addition.policy);
    assert_int_equal(convert(path, formats[i], TEXT_FILE, NULL), KH_OK);
    char expected[1024];
    snprintf(expected, sizeof expected, "%s\n8;%s;created=1970-01-01T00:00:05Z;rotate=1m\n", TEXT,
             rotation_hex(key).text);
    test_expect_content(path, expected);
  }
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

static void the_slots_stay(void **state)
{
  (void)state;
  uint32_t id;
  const char *path = test_text("keys", TEXT, 0600);
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  assert_int_equal(add(path, SEALED_FILE, (kh_keyfile_addition){.len = 16}, &id), KH_OK);
  assert_string_equal(slots_of(path).at[0].label, "mine");
}

static kh_status change_slot(const char *path, kh_slot_change change, const char *label,
                             const kh_secret *opens, const kh_secret *added)
{
  kh_fault fault = {.status = KH_OK};
  KH_AUTO_KEYFILE file = NULL;
  kh_keyfile_options options = {.path = path, .passphrase = opens};
  kh_sealed_entry entry = {form_of(SEALED_FILE).slot, kh_secret_bytes(added)};
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
    assert_int_equal(kh_keyfile_text(file).len, strlen(TEXT));
    assert_memory_equal(kh_keyfile_text(file).data, TEXT, strlen(TEXT));
  }
  return status == KH_OK;
}

static void slots_are_changed(void **state)
{
  (void)state;
  kh_secret *second = secret_of("the second");
  kh_secret *third = secret_of("the third");
  const char *path = test_text("keys", TEXT, 0640);
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "second", passphrase, second), KH_OK);
  assert_true(opens_with(path, passphrase) && opens_with(path, second));
  assert_int_equal(change_slot(path, KH_SLOT_CHANGE, "mine", second, third), KH_OK);
  assert_true(opens_with(path, third) && !opens_with(path, passphrase));
  assert_int_equal(change_slot(path, KH_SLOT_REMOVE, "second", third, NULL), KH_OK);
  assert_true(opens_with(path, third) && !opens_with(path, second));
  assert_int_equal(slots_of(path).count, 1);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0640);
  kh_secret_free(&second);
  kh_secret_free(&third);
}

static void slots_that_cannot_be_changed(void **state)
{
  (void)state;
  kh_secret *second = secret_of("the second");
  const char *path = test_text("keys", TEXT, 0600);
  KH_AUTO_KEYFILE plain = open_file(path, TEXT_FILE);
  kh_sealed_entry entry = {form_of(SEALED_FILE).slot, kh_secret_bytes(second)};
  assert_int_equal(kh_keyfile_change_slot(plain, KH_SLOT_ADD, &entry, NULL), KH_E_SEALED_DAMAGED);
  test_expect_content(path, TEXT);
  assert_int_equal(convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "mine", passphrase, second), KH_E_SLOT_EXISTS);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "new", second, second), KH_E_WRONG_PASSPHRASE);
  assert_int_equal(change_slot(path, KH_SLOT_CHANGE, "new", passphrase, second),
                   KH_E_SLOT_NOT_FOUND);
  assert_int_equal(change_slot(path, KH_SLOT_REMOVE, "mine", passphrase, NULL), KH_E_SLOT_LAST);
  kh_lockfile *lock = NULL;
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "new", passphrase, second), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  spoil_sealed = true;
  assert_int_equal(change_slot(path, KH_SLOT_ADD, "new", passphrase, second),
                   KH_E_WRONG_PASSPHRASE);
  spoil_sealed = false;
  assert_true(opens_with(path, passphrase));
  assert_int_equal(slots_of(path).count, 1);
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
  KH_AUTO_KEYFILE file = open_file(path, format);
  return retire_in(file, retired);
}

static void old_versions_are_retired(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS; i++) {
    const char *path = test_text("keys", TEXT, 0640);
    assert_int_equal(convert(path, TEXT_FILE, formats[i], NULL), KH_OK);
    assert_int_equal(retire_versions(path, formats[i], "1;" A16 "\n"), KH_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(convert(path, formats[i], TEXT_FILE, NULL), KH_OK);
    test_expect_content(path, "# mine\r\n1;1;retired\r\n\n1;3;" A32
                              ";cipher=aes256-ctr;created=2026-11-22\n"
                              "7;" A16 ";rotate=90d;bits=256");
  }
}

static void versions_that_cannot_be_retired(void **state)
{
  (void)state;
  const char *path = test_text("keys", TEXT, 0600);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;3;" A32 "\n"), KH_E_KEY_LATEST);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;" A16 "\n7;" A16), KH_E_KEY_LATEST);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;2;" A16), KH_E_KEY_NOT_FOUND);
  kh_lockfile *lock = NULL;
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(retire_versions(path, TEXT_FILE, "1;" A16), KH_E_FILE_LOCKED);
  kh_lockfile_release(&lock);
  KH_AUTO_KEYFILE file = open_file(path, TEXT_FILE);
  test_text("keys", TEXT,
            0600); /* the same bytes, but the file may have been another one in between */
  assert_int_equal(retire_in(file, "1;" A16), KH_E_FILE_CHANGED);
  assert_int_equal(retire_in(file, "1;" A16), KH_E_FILE_CHANGED);
  test_expect_content(path, TEXT);
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

static void formats_have_names(void **state)
{
  (void)state;
  static const char *const names[] = {"text", "openssl", "sealed"};
  size_t count = 0;
  for (size_t i = 0; i < FORMATS; i++) {
    const kh_keyfile_format *format = kh_keyfile_format_by_name(names[i]);
    assert_ptr_equal(format, formats[i]);
    assert_string_equal(format->name, names[i]);
    assert_int_equal(format->is_encrypted, i != TEXT_FORMAT);
    assert_int_equal(format->has_slots, i == SEALED);
  }
  assert_null(kh_keyfile_format_by_name("Sealed"));
  while (kh_keyfile_format_at(count) != NULL)
    count++;
  assert_int_equal(count, FORMATS);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_of_each_format_is_made),
      cmocka_unit_test(the_text_that_is_made),
      cmocka_unit_test(the_slot_that_is_asked_for),
      cmocka_unit_test(forms_that_cannot_be),
      cmocka_unit_test(keys_without_key_1),
      cmocka_unit_test(what_is_read_back_is_wrong),
      cmocka_unit_test(from_each_format_to_each),
      cmocka_unit_test(into_another_file),
      cmocka_unit_test(a_file_with_repeats),
      cmocka_unit_test(nobody_else_may_be_changing_it),
      cmocka_unit_test(a_new_key_in_each_format),
      cmocka_unit_test(the_id_of_a_new_key),
      cmocka_unit_test(the_slots_stay),
      cmocka_unit_test(slots_are_changed),
      cmocka_unit_test(slots_that_cannot_be_changed),
      cmocka_unit_test(changes_of_slots_are_judged),
      cmocka_unit_test(old_versions_are_retired),
      cmocka_unit_test(versions_that_cannot_be_retired),
      cmocka_unit_test(what_is_retired_and_read_back_wrong),
      cmocka_unit_test(formats_have_names),
  };
  return cmocka_run_group_tests(tests, prepare, clean);
}
