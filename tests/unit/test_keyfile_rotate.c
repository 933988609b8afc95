/* SPDX-License-Identifier: GPL-2.0-only */
/* needs: openssl */
/* slow: writes files of the largest size */
/* wraps: kh_random_bytes kh_keyfile_add_lines kh_crypt_once fsync */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/random.h"
#include "rotation.h"
#include "unit.h"
#include "wrap.h"

#define A16 "770A8A65DA156D24EE2A093277530142"
#define B16 "66A7B45A35A0B8C0D4D2D0F9C9C0B1A2"
#define A24 "18420B5CBA31CCDFFE9716E91EB61374D05914F3ADE23E03"
#define A32 "966050D7777350B6FD5CCB3E5F648DA45C63BEFB6DEDDFA13443F156B7D35C84"

/* 2026-11-22T00:00:00Z */
#define NOW 1795305600u

/* returned instead of what kh_keyfile_add_lines() makes; whether encryption gives wrong bytes */
static const char *spoilt_text;
static bool spoil_ciphertext;
static bool same_random; /* the generator gives the same bytes each time */
static unsigned flushes; /* of files and folders */
static unsigned failing_flush;

WRAPS(fsync);
WRAPS(kh_random_bytes);

WRAPS(kh_keyfile_add_lines);
WRAPS(kh_crypt_once);

int __wrap_fsync(int fd)
{
  (void)fd;
  errno = EIO;
  return ++flushes == failing_flush ? -1 : 0;
}

void __wrap_kh_random_bytes(uint8_t *ret_data, size_t len)
{
  if (same_random)
    memset(ret_data, 0x5a, len);
  else
    __real_kh_random_bytes(ret_data, len);
}

kh_status __wrap_kh_keyfile_add_lines(kh_bytes text, const kh_keylist *parsed,
                                      const kh_keylist *added, kh_secret **ret_text)
{
  if (spoilt_text == NULL)
    return __real_kh_keyfile_add_lines(text, parsed, added, ret_text);
  kh_status status = kh_secret_new(strlen(spoilt_text), ret_text);
  memcpy(kh_secret_data(*ret_text), spoilt_text, strlen(spoilt_text));
  kh_secret_set_len(*ret_text, strlen(spoilt_text));
  return status;
}

kh_status __wrap_kh_crypt_once(const kh_crypt *crypt, kh_cipher cipher, unsigned flags,
                               const kh_crypt_key *key, kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  kh_status status = __real_kh_crypt_once(crypt, cipher, flags, key, src, dst, ret_len);
  if (spoil_ciphertext && (flags & KH_CRYPT_ENCRYPT) != 0)
    dst[0] ^= 1;
  return status;
}

/* one rotation of a text file at NOW; its path and the other fields of `it` do not change */
static kh_status rotate_text(rotation_run *it, const char *text, const char *known)
{
  it->path = test_text("keys", text, 0600);
  it->known = rotation_table_of(known);
  it->what.now = NOW;
  kh_status status = rotation_run_it(it);
  kh_keytable_free(&it->known);
  return status;
}

static void refuse(const char *text, const char *known, rotation_run *it, kh_status expected)
{
  assert_int_equal(rotate_text(it, text, known), expected);
  assert_int_equal(it->fault.status, expected);
  assert_string_equal(it->fault.path.text, it->path);
  assert_null(it->list);
  test_expect_content(it->path, text);
  assert_false(rotation_has_temporary(it->path));
}

static void all_keys_at_once_and_the_rest_stays(void **state)
{
  (void)state;
  static const char before[] =
      "# mine\r\n\r\n 7;5;" A24 ";bits=256 # long\r\n1;" A16 " old; x\n# end\n7;3;" A16 "\n9;" A32
      ";cipher=aes256-ctr;rotate=90d";
  rotation_run it = {.path = NULL};
  assert_int_equal(rotate_text(&it, before, before), KH_OK);
  assert_int_equal(it.rotated.made, 3);
  assert_int_equal(it.rotated.taken, 0);

  const kh_key *one = rotation_key(&it, 1, 3);
  const kh_key *seven = rotation_key(&it, 7, 7);
  const kh_key *nine = rotation_key(&it, 9, 3);
  char expected[2048];
  snprintf(expected, sizeof expected,
           "# mine\r\n\r\n 7;5;" A24 ";bits=256 # long\r\n1;" A16 " old; x\n"
           "1;3;%s;created=2026-11-22T00:00:00Z\n# end\n7;3;" A16
           "\n7;7;%s;created=2026-11-22T00:00:00Z;bits=256\n"
           "9;" A32 ";cipher=aes256-ctr;rotate=90d\n"
           "9;3;%s;cipher=aes256-ctr;created=2026-11-22T00:00:00Z;rotate=90d\n",
           rotation_hex(one).text, rotation_hex(seven).text, rotation_hex(nine).text);
  test_expect_content(it.path, expected);
  assert_int_equal(one->len, 16);
  assert_int_equal(seven->len, 32);
  assert_int_equal(nine->len, 32);
  assert_int_equal(kh_keylist_count(it.list), 7);
  rotation_free(&it);
}

static void the_new_versions_have_what_is_requested(void **state)
{
  (void)state;
  static const struct {
    kh_key_changes changes;
    const char *before, *attributes;
    uint32_t len;
  } cases[] = {
      {{.sets_cipher = true, .cipher = KH_CIPHER_AES256_XTS}, A32, "cipher=aes256-xts;%s", 32},
      {{.sets_cipher = true, .cipher = KH_CIPHER_AES256_XTS}, A16, "cipher=aes256-xts;%s", 32},
      {{.sets_cipher = true, .cipher = KH_CIPHER_AES256_XTS},
       A32 ";bits=128;cipher=aes-ctr;rotate=90d",
       "cipher=aes256-xts;%s;rotate=90d",
       32},
      {{.sets_cipher = true, .cipher = KH_CIPHER_AES_CTR, .len = 16},
       A32 ";cipher=aes256-xts;bits=256",
       "cipher=aes-ctr;%s",
       16},
      {{.sets_cipher = true}, A32 ";cipher=aes256-xts;bits=256", "%s;bits=256", 32},
      {{.len = 24}, A16 ";bits=128;rotate=1d", "%s;rotate=1d", 24},
      {{.sets_rotate = true, .rotate = 7 * 86400}, A16 ";bits=192", "%s;rotate=1w;bits=192", 24},
      {{.sets_rotate = true}, A16 ";rotate=90d;cipher=aes-cbc", "cipher=aes-cbc;%s", 16},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char before[256], attributes[128], expected[512];
    rotation_run it = {.what.changes = cases[i].changes};
    snprintf(before, sizeof before, "1;%s\n", cases[i].before);
    snprintf(attributes, sizeof attributes, cases[i].attributes, "created=2026-11-22T00:00:00Z");
    assert_int_equal(rotate_text(&it, before, before), KH_OK);
    const kh_key *made = rotation_key(&it, 1, 3);
    snprintf(expected, sizeof expected, "%s1;3;%s;%s\n", before, rotation_hex(made).text,
             attributes);
    test_expect_content(it.path, expected);
    assert_int_equal(made->len, cases[i].len);
    rotation_free(&it);
  }
}

static void a_length_that_the_cipher_does_not_take(void **state)
{
  (void)state;
  static const char text[] = "1;" A32 ";cipher=aes256-xts\n2;" A32 "\n";
  rotation_run it = {.what = {.id = 1, .changes = {.len = 16}}};
  refuse(text, text, &it, KH_E_CIPHER_LENGTH);
  assert_string_equal(it.fault.name, "aes256-xts");
  assert_int_equal(it.fault.key_id, 1);
  assert_int_equal(it.fault.size, 128);
  assert_int_equal(it.fault.limit, 256);
  rotation_run all = {.what = {.changes = {.len = 16}}};
  assert_int_equal(rotate_text(&all, text, text), KH_OK);
  assert_int_equal(all.rotated.made, 1);
  assert_int_equal(all.rotated.passed_over, 1);
  rotation_free(&all);
}

static void a_version_of_another_process_does_not_have_what_is_requested(void **state)
{
  (void)state;
  static const char text[] = "1;" A32 "\n1;3;" A32 "\n";
  rotation_run it = {.what.changes = {.sets_cipher = true, .cipher = KH_CIPHER_AES256_XTS}};
  assert_int_equal(rotate_text(&it, text, "1;" A32), KH_OK);
  assert_int_equal(it.rotated.made, 1);
  assert_int_equal(it.rotated.taken, 0);
  assert_int_equal(rotation_key(&it, 1, 5)->policy.cipher, KH_CIPHER_AES256_XTS);
  rotation_free(&it);
}

static bool is_stamp_of(const kh_keyfile *file, const kh_file_stamp *stamp)
{
  kh_file_stamp found = kh_keyfile_stamp(file);
  return kh_file_is_same(&found, stamp);
}

static void info_is_that_of_the_new_file(void **state)
{
  (void)state;
  kh_file_stamp stamp;
  rotation_run it = {.path = NULL};
  assert_int_equal(rotate_text(&it, "1;" A16, "1;" A16), KH_OK);
  assert_int_equal(kh_file_stamp_of(it.path, &stamp, NULL), KH_OK);
  assert_true(is_stamp_of(it.file, &stamp));
  assert_ptr_equal(kh_keyfile_format_of(it.file), &kh_keyfile_format_text);
  assert_true(kh_keyfile_ends_line(it.file));
  rotation_free(&it);
}

static void a_fault_may_be_null(void **state)
{
  (void)state;
  KH_AUTO_KEYFILE file = NULL;
  kh_keytable *known = rotation_table_of("1;" A16);
  kh_keyfile_options options = {.path = test_text("keys", "1;" A16 "\n", 0600)};
  kh_rotation what = {.known = known, .now = NOW};
  kh_rotated rotated;
  assert_int_equal(kh_keyfile_open(&options, test_engines, NULL, &file, NULL), KH_OK);
  assert_int_equal(kh_keyfile_rotate(file, &what, &rotated, NULL), KH_OK);
  assert_int_equal(rotated.made, 1);
  assert_int_equal(kh_keyfile_save(file, NULL), KH_OK);
  kh_keytable_free(&known);
}

static void new_keys_differ(void **state)
{
  (void)state;
  rotation_run a = {.path = NULL};
  rotation_run b = {.path = NULL};
  static const char text[] = "1;" A16 "\n2;" A16 "\n";
  assert_int_equal(rotate_text(&a, text, text), KH_OK);
  assert_int_equal(rotate_text(&b, text, text), KH_OK);
  const kh_key *keys[] = {rotation_key(&a, 1, 3), rotation_key(&a, 2, 3), rotation_key(&b, 1, 3),
                          rotation_key(&b, 2, 3), rotation_key(&a, 1, 1)};
  for (size_t i = 0; i < COUNT(keys); i++)
    for (size_t k = 0; k < i; k++)
      assert_false(kh_key_is_same_secret(keys[i], keys[k]));
  rotation_free(&a);
  rotation_free(&b);
}

static void one_key_alone(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n4294967295;" A16 "\n3;" A16 "\n";
  rotation_run it = {.what = {.id = KH_KEY_ID_MAX}};
  assert_int_equal(rotate_text(&it, text, text), KH_OK);
  assert_int_equal(it.rotated.made, 1);
  assert_int_equal(kh_keylist_count(it.list), 4);
  assert_int_equal(rotation_key(&it, KH_KEY_ID_MAX, 3)->line, 3);
  rotation_free(&it);
}

static void a_key_that_is_not_there(void **state)
{
  (void)state;
  rotation_run it = {.what = {.id = 5}};
  refuse("1;" A16 "\n", "1;" A16, &it, KH_E_KEY_NOT_FOUND);
  assert_int_equal(it.fault.key_id, 5);
}

/* rotates again and again, each time with the keys of the last rotation */
static void versions_step_by_two(void **state)
{
  (void)state;
  char text[4096] = "1;" A16 "\n";
  for (uint32_t version = 3; version < 21; version += KH_ROTATION_STEP) {
    rotation_run it = {.path = NULL};
    assert_int_equal(rotate_text(&it, text, text), KH_OK);
    assert_int_equal(it.rotated.made, 1);
    assert_non_null(rotation_key(&it, 1, version));
    test_read_content(it.path, text, sizeof text);
    rotation_free(&it);
  }
}

static void the_last_version_number(void **state)
{
  (void)state;
  static const char before_last[] = "1;4294967292;" A16 "\n";
  static const char last[] = "1;" A16 "\n2;4294967293;" A16 "\n";
  rotation_run it = {.path = NULL};
  assert_int_equal(rotate_text(&it, before_last, before_last), KH_OK);
  assert_non_null(rotation_key(&it, 1, KH_KEY_VERSION_MAX));
  rotation_free(&it);

  rotation_run too_far = {.what.id = 2};
  refuse(last, last, &too_far, KH_E_VERSION_LIMIT);
  assert_int_equal(too_far.fault.key_id, 2);
  assert_int_equal(too_far.fault.key_version, 4294967293u);
}

static void a_key_at_its_last_version_holds_up_no_other(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n2;4294967293;" A16 ";rotate=1s\n3;" A16 ";rotate=1s\n";
  rotation_run all = {.path = NULL};
  assert_int_equal(rotate_text(&all, text, text), KH_OK);
  assert_int_equal(all.rotated.made, 2);
  assert_int_equal(all.rotated.passed_over, 1);
  assert_non_null(rotation_key(&all, 3, 3));
  rotation_free(&all);
  rotation_run due = {.what.due_only = true};
  assert_int_equal(rotate_text(&due, text, text), KH_OK);
  assert_int_equal(due.rotated.made, 1);
  assert_int_equal(due.rotated.passed_over, 1);
  rotation_free(&due);
}

/* the file is an old copy as far as key id 2 is concerned */
static uint32_t version_of_2(const void *version, uint32_t id)
{
  return id == 2 ? *(const uint32_t *)version : 0;
}

static void a_key_that_lacks_a_version_holds_up_no_other(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n2;3;" A16 ";rotate=1s\n";
  static const uint32_t needed = 5;
  static const uint32_t had = 3;
  rotation_run all = {.what.floor = {version_of_2, &needed}};
  assert_int_equal(rotate_text(&all, text, text), KH_OK);
  assert_int_equal(all.rotated.made, 1);
  assert_int_equal(all.rotated.passed_over, 1);
  assert_non_null(rotation_key(&all, 1, 3));
  rotation_free(&all);
  rotation_run one = {.what = {.id = 2, .floor = {version_of_2, &needed}}};
  refuse(text, text, &one, KH_E_VERSION_NEEDED);
  assert_int_equal(one.fault.key_id, 2);
  assert_int_equal(one.fault.key_version, 5);
  rotation_run due = {.what = {.due_only = true, .floor = {version_of_2, &needed}}};
  refuse(text, text, &due, KH_E_VERSION_NEEDED); /* no other key is due */
  rotation_run has = {.what = {.id = 2, .floor = {version_of_2, &had}}};
  assert_int_equal(rotate_text(&has, text, text), KH_OK);
  assert_non_null(rotation_key(&has, 2, 5));
  rotation_free(&has);
}

static void a_new_version_is_above_retired_ones(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n1;7;retired\n1;3;" A16 "\n1;5;" A16 "\n";
  rotation_run it = {.path = NULL};
  assert_int_equal(rotate_text(&it, text, text), KH_OK);
  assert_non_null(rotation_key(&it, 1, 9));
  rotation_free(&it);
  static const char last[] = "1;" A16 "\n1;4294967294;retired\n";
  rotation_run none = {.what.id = 1};
  refuse(last, last, &none, KH_E_VERSION_LIMIT);
}

static void another_servers_version_is_taken(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n1;3;" B16 "\n2;" A16 "\n5;" A16 ";rotate=1s\n";
  static const struct {
    const char *known;
    bool due_only;
    size_t made, taken;
  } cases[] = {
      {"1;" A16 "\n2;" A16 "\n5;" A16 "\n", false, 2, 1}, /* version 3 of key 1 is not in use yet */
      {"1;" A16 "\n1;3;" B16 "\n2;" A16 "\n", false, 2, 1}, /* key 5 is not in use at all */
      {"1;" A16 "\n", false, 0, 3},
      {"1;" A16 "\n2;" A16 "\n5;" A16 "\n", true, 1, 1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    rotation_run it = {.what = {.due_only = cases[i].due_only}};
    assert_int_equal(rotate_text(&it, text, cases[i].known), KH_OK);
    assert_int_equal(it.rotated.made, cases[i].made);
    assert_int_equal(it.rotated.taken, cases[i].taken);
    assert_int_equal(kh_keylist_count(it.list), 4 + cases[i].made);
    rotation_free(&it);
  }
}

/* Version 2 was written by hand, with the attributes for the next versions. With its default
 * settings InnoDB would not re-encrypt from version 1 to it. */
static void a_version_of_too_small_a_step_is_not_enough(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n1;2;" A32 ";cipher=aes256-ctr\n";
  rotation_run it = {.path = NULL};
  assert_int_equal(rotate_text(&it, text, "1;" A16), KH_OK);
  assert_int_equal(it.rotated.made, 1);
  assert_int_equal(it.rotated.taken, 0);
  assert_int_equal(rotation_key(&it, 1, 4)->policy.cipher, KH_CIPHER_AES256_CTR);
  rotation_free(&it);
}

static void a_rotation_of_nothing_does_not_change_the_file(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n1;3;" B16;
  rotation_run it = {.path = test_text("keys", text, 0400), .known = rotation_table_of("1;" A16)};
  kh_file_stamp before;
  kh_file_stamp after;
  assert_int_equal(kh_file_stamp_of(it.path, &before, NULL), KH_OK);
  assert_int_equal(rotation_run_it(&it), KH_OK);
  assert_int_equal(kh_file_stamp_of(it.path, &after, NULL), KH_OK);
  assert_true(kh_file_is_same(&before, &after));
  assert_true(is_stamp_of(it.file, &before));
  assert_false(kh_keyfile_ends_line(it.file));
  assert_int_equal(it.rotated.made, 0);
  assert_int_equal(it.rotated.taken, 1);
  assert_int_equal(kh_keylist_count(it.list), 2);
  kh_keytable_free(&it.known);
  rotation_free(&it);
}

/* its writer may have been killed before the folder was flushed, or is an editor that flushes
 * nothing */
static void what_is_taken_is_on_the_disk_first(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n1;3;" B16 "\n";
  rotation_run it = {.path = NULL};
  flushes = 0;
  assert_int_equal(rotate_text(&it, text, "1;" A16), KH_OK);
  assert_int_equal(it.rotated.taken, 1);
  assert_int_equal(flushes, 2); /* the file and its folder */
  rotation_free(&it);

  for (unsigned i = 1; i <= 2; i++) {
    flushes = 0;
    failing_flush = i;
    refuse(text, "1;" A16, &it, KH_E_FILE_FLUSH);
    failing_flush = 0;
  }
}

/* created NOW, a day's interval */
static const struct {
  const char *rest;
  uint32_t now;
  size_t made;
} due_cases[] = {
    {";created=2026-11-22;rotate=1d", NOW, 0},
    {";created=2026-11-22;rotate=1d", NOW + 86399, 0},
    {";created=2026-11-22;rotate=1d", NOW + 86400, 1},
    {";created=2026-11-22;rotate=1d", UINT32_MAX, 1},
    {";created=2106-02-07T06:28:15Z;rotate=1s", UINT32_MAX, 0},
    {";rotate=1d", NOW, 1},
    {";created=2026-11-22", UINT32_MAX, 0},
    {"", UINT32_MAX, 0},
};

static void only_keys_that_are_due(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(due_cases); i++) {
    char text[256];
    snprintf(text, sizeof text, "1;" A16 "\n2;7;" A16 "%s\n", due_cases[i].rest);
    rotation_run it = {.path = test_text("keys", text, 0600),
                       .known = rotation_table_of(text),
                       .what = {.due_only = true, .now = due_cases[i].now}};
    print_message("  %s at %u\n", due_cases[i].rest, due_cases[i].now);
    assert_int_equal(rotation_run_it(&it), KH_OK);
    assert_int_equal(it.rotated.made, due_cases[i].made);
    assert_int_equal(kh_keylist_count(it.list), 2 + due_cases[i].made);
    if (it.rotated.made == 1)
      assert_int_equal(rotation_key(&it, 2, 9)->policy.created, due_cases[i].now);
    kh_keytable_free(&it.known);
    rotation_free(&it);
  }
}

/* the older version is due, the latest is not */
static void the_latest_version_decides_when(void **state)
{
  (void)state;
  static const char text[] = "1;3;" B16 ";created=2026-11-21T12:00:00Z;rotate=1d\n1;" A16
                             ";created=2020-01-01;rotate=1d\n";
  rotation_run it = {.what = {.due_only = true}};
  assert_int_equal(rotate_text(&it, text, text), KH_OK);
  assert_int_equal(it.rotated.made, 0);
  rotation_free(&it);
}

static void files_that_may_not_follow(void **state)
{
  (void)state;
  static const struct {
    const char *text, *known;
    kh_status status;
  } cases[] = {
      {"1;" A16 "\n", "1;" A16 "\n1;3;" B16 "\n", KH_E_KEY_LOST},
      {"1;" A16 "\n", "1;" A16 "\n2;" B16 "\n", KH_E_KEY_LOST},
      {"1;" A16 "\n", "1;" B16 "\n", KH_E_KEY_CHANGED},
      {"1;" A16 ";cipher=aes-ctr\n", "1;" A16 "\n", KH_E_CIPHER_CHANGED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    rotation_run it = {.what = {.default_cipher = KH_CIPHER_AES_CBC}};
    refuse(cases[i].text, cases[i].known, &it, cases[i].status);
  }
}

static void files_that_cannot_be_loaded(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    kh_status status;
  } cases[] = {
      {"1;" A16 "\n1;" B16 "\n", KH_E_KEY_DUPLICATE},
      {"1;" A16 ";bits=128\n1;" A16 "\n", KH_E_KEY_DUPLICATE},
      {"1;" A16 ";bits=129\n", KH_E_ATTRIBUTE_VALUE},
      {"1;" A16 "\nx\n", KH_E_SYNTAX},
      {"", KH_E_NO_SYSTEM_KEY},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    rotation_run it = {.path = NULL};
    refuse(cases[i].text, "1;" A16, &it, cases[i].status);
  }
  rotation_run it = {.path = NULL};
  refuse("1;" A16 "\n#\n1;" B16 "\n", "1;" B16, &it, KH_E_KEY_DUPLICATE);
  assert_int_equal(it.fault.line, 3);
  assert_int_equal(it.fault.other_line, 1);
}

static void a_file_that_is_not_there(void **state)
{
  (void)state;
  rotation_run it = {.path = test_path("missing"), .known = rotation_table_of("1;" A16)};
  assert_int_equal(rotation_run_it(&it), KH_E_FILE_NOT_FOUND);
  assert_string_equal(it.fault.path.text, it.path);
  kh_keytable_free(&it.known);
}

static void a_repeated_line_goes_with_its_key(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n1;" A16 "\n2;" A16 "\n";
  rotation_run it = {.what = {.id = 1}};
  assert_int_equal(rotate_text(&it, text, text), KH_OK);
  assert_int_equal(rotation_key(&it, 1, 3)->line, 3);
  rotation_free(&it);
}

static void a_text_that_lost_something_is_not_written(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n2;" A16 "\n";
  static const struct {
    const char *text;
    kh_status status;
  } cases[] = {
      {"1;" A16 "\n1;3;" A16 "\n2;3;" B16 "\n", KH_E_KEY_LOST},               /* an old key */
      {"1;" B16 "\n2;" A16 "\n1;3;" A16 "\n2;3;" B16 "\n", KH_E_KEY_CHANGED}, /* likewise */
      {"1;" A16 "\n2;" A16 "\n1;3;" A16 ";created=2026-11-22\n2;3;" A16 ";created=2026-11-22\n",
       KH_E_KEY_CHANGED},                                     /* a new key */
      {"1;" A16 "\n2;" A16 "\n", KH_E_KEY_LOST},              /* likewise */
      {"1;" A16 "\n2;" A16 ";rotate=1d\n", KH_E_KEY_CHANGED}, /* an old key's attribute */
      {"1;" A16 "\n1;" B16 "\n", KH_E_KEY_DUPLICATE},
      {"1:", KH_E_SYNTAX},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    rotation_run it = {.what = {.default_cipher = KH_CIPHER_AES_CBC}};
    spoilt_text = cases[i].text;
    print_message("%s", spoilt_text);
    assert_int_equal(rotate_text(&it, text, text), cases[i].status);
    spoilt_text = NULL;
    assert_int_equal(it.fault.status, cases[i].status);
    assert_string_equal(it.fault.path.text, it.path);
    test_expect_content(it.path, text);
  }
}

/* a rotation that works, with the random bytes that expect_noticed() uses */
static rotation_run rotate_as_expected(const char *text, const char *known)
{
  rotation_run it = {.path = NULL};
  same_random = true;
  assert_int_equal(rotate_text(&it, text, known), KH_OK);
  return it;
}

/* rotates with the same random bytes as the rotation before, and notices that a wrong text was made
 */
static void expect_noticed(const char *text, const char *spoilt)
{
  rotation_run it = {.path = NULL};
  spoilt_text = spoilt;
  assert_int_equal(rotate_text(&it, text, text), KH_E_KEY_CHANGED);
  spoilt_text = NULL;
  same_random = false;
  test_expect_content(it.path, text);
}

/* the new keys as they were made, and one more that was not made */
static void a_text_with_a_version_more_is_not_written(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n";
  rotation_run first = rotate_as_expected(text, text);
  char spoilt[256];
  size_t len = test_read_content(first.path, spoilt, sizeof spoilt);
  snprintf(spoilt + len, sizeof spoilt - len, "1;4;" B16 "\n");
  rotation_free(&first);
  expect_noticed(text, spoilt);
}

/* the new key as it was made, but with other attributes */
static void a_text_with_other_attributes_is_not_written(void **state)
{
  (void)state;
  static const char text[] = "1;" A16 "\n";
  rotation_run first = rotate_as_expected(text, text);
  char spoilt[256];
  snprintf(spoilt, sizeof spoilt, "1;" A16 "\n1;3;%s\n",
           rotation_hex(rotation_key(&first, 1, 3)).text);
  rotation_free(&first);
  expect_noticed(text, spoilt);
}

static void what_is_retired_stays_so(void **state)
{
  (void)state;
  static const char known[] = "1;" A16 "\n1;3;" B16 "\n";
  static const char text[] = "1;1;retired # in 2026\n1;3;" B16 "\n";
  rotation_run first = rotate_as_expected(text, known);
  char rotated[512];
  char spoilt[256];
  rotation_digits digits = rotation_hex(rotation_key(&first, 1, 5));
  snprintf(spoilt, sizeof spoilt, "1;3;" B16 "\n1;5;%s;created=2026-11-22T00:00:00Z\n",
           digits.text);
  snprintf(rotated, sizeof rotated, "1;1;retired # in 2026\n%s", spoilt);
  test_expect_content(first.path, rotated);
  rotation_free(&first);
  expect_noticed(text, spoilt);
}

static void the_size_limit(void **state)
{
  (void)state;
  static const char line[] = "1;" A16 "\n";
  enum { ADDED = sizeof("1;3;" A16 ";created=2026-11-22T00:00:00Z\n") - 1 };
  for (size_t over = 0; over < 2; over++) {
    size_t len = KH_KEYFILE_MAX - ADDED + over;
    char *text = malloc(len + 1);
    memset(text, '#', len); /* a long comment after the key */
    memcpy(text, line, sizeof line - 1);
    memcpy(text + len - 1, "\n", 2);
    rotation_run it = {.path = NULL};
    kh_status status = rotate_text(&it, text, line);
    struct stat st;
    assert_int_equal(stat(it.path, &st), 0);
    assert_int_equal(status, over == 0 ? KH_OK : KH_E_FILE_TOO_LARGE);
    assert_int_equal(st.st_size, over == 0 ? KH_KEYFILE_MAX : len);
    if (over == 1) {
      assert_int_equal(it.fault.size, KH_KEYFILE_MAX + 1);
      assert_int_equal(it.fault.limit, KH_KEYFILE_MAX);
    }
    rotation_free(&it);
    free(text);
  }
}

static void read_salt(const char *path, char *salt)
{
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(salt, 1, 16, file), 16);
  fclose(file);
  assert_memory_equal(salt, "Salted__", 8);
}

#define FILEKEY "some p4ssphrase"

static rotation_run openssl_run(const char *text, uint32_t iterations)
{
  char pbkdf2[32] = "";
  if (iterations != 0)
    snprintf(pbkdf2, sizeof pbkdf2, "-pbkdf2 -iter %u", iterations);
  rotation_run it = {.path = test_path("enc"),
                     .filekey = FILEKEY,
                     .iterations = iterations,
                     .known = rotation_table_of(text),
                     .what = {.now = NOW}};
  test_run("openssl enc -aes-256-cbc -md sha512 %s -pass 'pass:%s' -in '%s' -out '%s' 2>/dev/null "
           "&& chmod 640 '%s'",
           pbkdf2, it.filekey, test_text("text", text, 0600), it.path, it.path);
  return it;
}

static void an_encrypted_file_is_encrypted_again(void **state)
{
  (void)state;
  static const uint32_t iterations[] = {0, 1000};
  static const char text[] = "# c\r\n2;" A32 ";cipher=aes256-ctr\r\n1;" A16;
  for (size_t i = 0; i < COUNT(iterations); i++) {
    char before[16];
    char after[16];
    char expected[1024];
    rotation_run it = openssl_run(text, iterations[i]);
    read_salt(it.path, before);
    assert_int_equal(rotation_run_it(&it), KH_OK);
    assert_ptr_equal(kh_keyfile_format_of(it.file), &kh_keyfile_format_openssl);
    assert_true(kh_keyfile_ends_line(it.file));
    read_salt(it.path, after);
    assert_memory_not_equal(before, after, sizeof before);

    test_run("openssl enc -d -aes-256-cbc -md sha512 %s -pass 'pass:%s' -in '%s' -out '%s' "
             "2>/dev/null",
             i == 0 ? "" : "-pbkdf2 -iter 1000", it.filekey, it.path, test_path("decrypted"));
    snprintf(expected, sizeof expected,
             "# c\r\n2;" A32 ";cipher=aes256-ctr\r\n2;3;%s;cipher=aes256-ctr;"
             "created=2026-11-22T00:00:00Z\r\n1;" A16 "\r\n1;3;%s;created=2026-11-22T00:00:00Z\r\n",
             rotation_hex(rotation_key(&it, 2, 3)).text,
             rotation_hex(rotation_key(&it, 1, 3)).text);
    test_expect_content(test_path("decrypted"), expected);
    struct stat st;
    assert_int_equal(stat(it.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    kh_keytable_free(&it.known);
    rotation_free(&it);
  }
}

/* a rotation of an encrypted file fails, and the file is unchanged; returns the status */
static kh_status fail_with_filekey(const char *filekey)
{
  rotation_run it = openssl_run("1;" A16 "\n", 0);
  char before[16];
  char after[16];
  read_salt(it.path, before);
  it.filekey = filekey;
  kh_status status = rotation_run_it(&it);
  assert_int_not_equal(status, KH_OK);
  assert_null(it.list);
  read_salt(it.path, after);
  assert_memory_equal(before, after, sizeof before);
  kh_keytable_free(&it.known);
  return status;
}

static void a_wrong_passphrase_changes_nothing(void **state)
{
  (void)state;
  assert_int_equal(fail_with_filekey("wrong"), KH_E_WRONG_PASSPHRASE);
}

static void a_ciphertext_that_does_not_open_is_not_written(void **state)
{
  (void)state;
  spoil_ciphertext = true;
  (void)fail_with_filekey(FILEKEY);
  spoil_ciphertext = false;
}

/* the engines do not cache the passphrase or the keys that were derived from it */
static void the_key_of_the_file_is_not_kept(void **state)
{
  (void)state;
  rotation_run it = openssl_run("1;" A16 "\n", 0);
  assert_int_equal(rotation_run_it(&it), KH_OK);
  assert_int_equal(kh_crypt_thread_count(test_engines), 0);
  kh_keytable_free(&it.known);
  rotation_free(&it);
}

static void ten_thousand_keys(void **state)
{
  (void)state;
  enum { KEYS = 10000, LINE = 128 };
  char *text = malloc(KEYS * LINE);
  size_t len = 0;
  for (uint32_t id = 1; id <= KEYS; id++)
    len += (size_t)snprintf(text + len, LINE, "%u;" A16 ";rotate=30d\n", id);
  rotation_run it = {.path = NULL};
  assert_int_equal(rotate_text(&it, text, text), KH_OK);
  assert_int_equal(it.rotated.made, KEYS);
  assert_int_equal(kh_keylist_count(it.list), 2 * KEYS);
  rotation_free(&it);
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_keys_at_once_and_the_rest_stays),
      cmocka_unit_test(the_new_versions_have_what_is_requested),
      cmocka_unit_test(a_length_that_the_cipher_does_not_take),
      cmocka_unit_test(a_version_of_another_process_does_not_have_what_is_requested),
      cmocka_unit_test(info_is_that_of_the_new_file),
      cmocka_unit_test(a_fault_may_be_null),
      cmocka_unit_test(new_keys_differ),
      cmocka_unit_test(one_key_alone),
      cmocka_unit_test(a_key_that_is_not_there),
      cmocka_unit_test(versions_step_by_two),
      cmocka_unit_test(the_last_version_number),
      cmocka_unit_test(a_key_at_its_last_version_holds_up_no_other),
      cmocka_unit_test(a_key_that_lacks_a_version_holds_up_no_other),
      cmocka_unit_test(a_new_version_is_above_retired_ones),
      cmocka_unit_test(another_servers_version_is_taken),
      cmocka_unit_test(a_version_of_too_small_a_step_is_not_enough),
      cmocka_unit_test(a_rotation_of_nothing_does_not_change_the_file),
      cmocka_unit_test(what_is_taken_is_on_the_disk_first),
      cmocka_unit_test(only_keys_that_are_due),
      cmocka_unit_test(the_latest_version_decides_when),
      cmocka_unit_test(files_that_may_not_follow),
      cmocka_unit_test(files_that_cannot_be_loaded),
      cmocka_unit_test(a_file_that_is_not_there),
      cmocka_unit_test(a_repeated_line_goes_with_its_key),
      cmocka_unit_test(a_text_that_lost_something_is_not_written),
      cmocka_unit_test(a_text_with_a_version_more_is_not_written),
      cmocka_unit_test(a_text_with_other_attributes_is_not_written),
      cmocka_unit_test(what_is_retired_stays_so),
      cmocka_unit_test(the_size_limit),
      cmocka_unit_test(an_encrypted_file_is_encrypted_again),
      cmocka_unit_test(a_wrong_passphrase_changes_nothing),
      cmocka_unit_test(a_ciphertext_that_does_not_open_is_not_written),
      cmocka_unit_test(the_key_of_the_file_is_not_kept),
      cmocka_unit_test(ten_thousand_keys),
  };
  return cmocka_run_group_tests(tests, test_engines_open_openssl, test_engines_close);
}
