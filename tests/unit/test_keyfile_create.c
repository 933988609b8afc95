/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: kh_lockfile_take kh_crypt_once kh_keyfile_add_lines */
/* Key files that are made and converted. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "keyfiles.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/lockfile.h"
#include "rotation.h"
#include "unit.h"
#include "wrap.h"

#define A16 KEYFILES_A16
#define A32 KEYFILES_A32

/* what goes wrong while a file is made */
static bool spoil_ciphertext;
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
  *ret_text = keyfiles_secret(made);
  return KH_OK;
}

static void assert_same_keys(const kh_keylist *a, const kh_keylist *b)
{
  assert_int_equal(kh_keylist_count(a), kh_keylist_count(b));
  for (size_t i = 0; i < kh_keylist_count(a); i++) {
    const kh_key *x = kh_keylist_at(a, i);
    const kh_key *y = kh_keylist_at(b, i);
    assert_true(kh_key_is_same_version(x, y) && kh_key_is_same_secret(x, y));
    keyfiles_expect_policy(&x->policy, &y->policy);
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
    kh_keyfile_form form = keyfiles_form(keyfiles_formats[i]);
    const char *path = new_path("new");
    assert_int_equal(create(path, &form, keys), KH_OK);
    KH_AUTO_KEYFILE list = keyfiles_open(path, keyfiles_formats[i]);
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
  kh_keyfile_form form = keyfiles_form(TEXT_FILE);
  char expected[512];
  const char *path = new_path("new");
  assert_int_equal(create(path, &form, keys), KH_OK);
  snprintf(expected, sizeof expected,
           "1;%s;cipher=aes-ctr;created=2026-11-22T01:05:55Z\n2;%s;rotate=1d\n",
           rotation_hex(kh_keylist_at(keys, 0)).text, rotation_hex(kh_keylist_at(keys, 1)).text);
  test_expect_content(path, expected);
}

static void the_slot_that_is_asked_for(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  kh_keyfile_form form = keyfiles_form(SEALED_FILE);
  form.slot = kh_sealed_slot_default("safe", &kh_sealed_pbkdf2_hmac_sha512);
  kh_sealed_slot_set(&form.slot, "iterations", 1234);
  const char *path = new_path("new");
  assert_int_equal(create(path, &form, keys), KH_OK);
  kh_sealed_slots slots = keyfiles_slots(path);
  assert_int_equal(slots.count, 1);
  assert_string_equal(slots.at[0].label, "safe");
  assert_int_equal(kh_sealed_slot_get(&slots.at[0], "iterations"), 1234);
}

static void forms_that_cannot_be(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = two_keys();
  kh_secret *empty = keyfiles_secret("");
  const char *path = new_path("new");
  for (size_t i = 0; i < FORMATS; i++) {
    kh_keyfile_form form = keyfiles_form(keyfiles_formats[i]);
    form.passphrase = i == TEXT_FORMAT ? keyfiles_passphrase : NULL;
    kh_status expected = i == TEXT_FORMAT ? KH_E_NOT_ENCRYPTED : KH_E_NO_PASSPHRASE;
    assert_int_equal(create(path, &form, keys), expected);
    form.passphrase = empty;
    assert_int_equal(create(path, &form, keys), expected);
  }
  kh_keyfile_form form = keyfiles_form(SEALED_FILE);
  form.slot.label[0] = '\0';
  assert_int_equal(create(path, &form, keys), KH_E_SLOT_LABEL);
  assert_false(test_is_there(path));
  kh_secret_free(&empty);
}

static void keys_without_key_1(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST keys = NULL;
  kh_keyfile_form form = keyfiles_form(TEXT_FILE);
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
  kh_keyfile_form form = keyfiles_form(&kh_keyfile_format_openssl);
  spoil_ciphertext = true;
  assert_true(create(new_path("new"), &form, keys) != KH_OK);
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  KH_AUTO_KEYFILE file = keyfiles_open(path, TEXT_FILE);
  assert_int_equal(kh_keyfile_set_form(file, &form, NULL), KH_OK);
  assert_true(kh_keyfile_save(file, NULL) != KH_OK);
  assert_true(kh_keyfile_save_as(file, &form, new_path("new"), NULL) != KH_OK);
  spoil_ciphertext = false;
  test_expect_content(path, KEYFILES_TEXT);

  form = keyfiles_form(TEXT_FILE);
  for (spoil_text = ANOTHER_KEY; spoil_text < WAYS; spoil_text++) {
    kh_status status = create(new_path("new"), &form, keys);
    assert_int_equal(status, spoil_text == ONE_LESS ? KH_E_KEY_LOST : KH_E_KEY_CHANGED);
  }
  spoil_text = NOTHING;
  assert_false(test_is_there(test_path("new")));
}

static void from_each_format_to_each(void **state)
{
  (void)state;
  for (size_t i = 0; i < FORMATS * FORMATS; i++) {
    const kh_keyfile_format *first = keyfiles_formats[i / FORMATS];
    const kh_keyfile_format *second = keyfiles_formats[i % FORMATS];
    const char *path = test_text("keys", KEYFILES_TEXT, 0640);
    KH_AUTO_KEYFILE before = keyfiles_open(path, TEXT_FILE);
    assert_int_equal(keyfiles_convert(path, TEXT_FILE, first, NULL), KH_OK);
    assert_int_equal(keyfiles_convert(path, first, second, NULL), KH_OK);
    KH_AUTO_KEYFILE after = keyfiles_open(path, second);
    assert_same(before, after);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(keyfiles_convert(path, second, TEXT_FILE, NULL), KH_OK);
    test_expect_content(path, KEYFILES_TEXT);
  }
}

static void into_another_file(void **state)
{
  (void)state;
  const char *path = test_text("keys", KEYFILES_TEXT, 0640);
  const char *to = new_path("other");
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, to), KH_OK);
  test_expect_content(path, KEYFILES_TEXT);
  KH_AUTO_KEYFILE before = keyfiles_open(path, TEXT_FILE);
  KH_AUTO_KEYFILE after = keyfiles_open(to, SEALED_FILE);
  assert_same(before, after);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, to), KH_E_FILE_EXISTS);
}

/* as in the server's own plugin: the last one counts */
static void a_file_with_repeats(void **state)
{
  (void)state;
  const char *path = test_text("keys", "1;" A16 "\n1;" A32 "\n", 0600);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_OK);
  KH_AUTO_KEYFILE after = keyfiles_open(path, SEALED_FILE);
  assert_int_equal(kh_keylist_count(kh_keyfile_keys(after)), 2);
}

static void what_another_process_changes_is_not_converted(void **state)
{
  (void)state;
  kh_lockfile *lock = NULL;
  const char *path = test_text("keys", KEYFILES_TEXT, 0600);
  assert_int_equal(kh_lockfile_take(path, 0, &lock, NULL), KH_OK);
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, SEALED_FILE, NULL), KH_E_FILE_LOCKED);
  /* this only reads it */
  assert_int_equal(keyfiles_convert(path, TEXT_FILE, TEXT_FILE, new_path("another")), KH_OK);
  kh_lockfile_release(&lock);
  test_expect_content(path, KEYFILES_TEXT);
}

static void formats_have_names(void **state)
{
  (void)state;
  static const char *const names[] = {"text", "openssl", "sealed"};
  size_t count = 0;
  for (size_t i = 0; i < FORMATS; i++) {
    const kh_keyfile_format *format = kh_keyfile_format_by_name(names[i]);
    assert_ptr_equal(format, keyfiles_formats[i]);
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
      cmocka_unit_test(what_another_process_changes_is_not_converted),
      cmocka_unit_test(formats_have_names),
  };
  return cmocka_run_group_tests(tests, keyfiles_prepare, keyfiles_clean);
}
