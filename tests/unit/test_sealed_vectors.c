/* SPDX-License-Identifier: GPL-2.0-only */
/* needs: python:argon2.low_level python:Cryptodome.Cipher */
/* slow: runs a second program on what it makes */
/* wraps: kh_random_bytes */
/* The files that docs/format-sealed.md shows, byte for byte; and an independent program that opens
 * every file that is made here. Arguments: the folder of the vectors, Python, and that program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "keyhold/file.h"
#include "keyhold/random.h"
#include "sealed.h"
#include "unit.h"
#include "wrap.h"

static const char *folder;
static const char *program; /* a shell command */

/* 0, 1, 2 ... 255, 0 ... instead of random bytes */
static bool counts;
static uint8_t next;

WRAPS(kh_random_bytes);
void __wrap_kh_random_bytes(uint8_t *ret_data, size_t len)
{
  if (!counts)
    __real_kh_random_bytes(ret_data, len);
  for (size_t i = 0; i < len && counts; i++)
    ret_data[i] = next++;
}

static kh_secret *read_vector(const char *name)
{
  char path[4096];
  kh_secret *content = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(kh_file_read(path, 65536, KH_FILE_REGULAR, &content, NULL, NULL), KH_OK);
  return content;
}

static void expect_same(kh_bytes a, kh_bytes b)
{
  assert_int_equal(a.len, b.len);
  assert_memory_equal(a.data, b.data, a.len);
}

/* Makes a file of the vector's text, which must be the vector, and opens it. */
static void expect_vector(const char *name, const kh_sealed_entry *entries, size_t count)
{
  char text_name[64];
  char sealed_name[64];
  snprintf(text_name, sizeof text_name, "%s.text", name);
  snprintf(sealed_name, sizeof sealed_name, "%s.sealed", name);
  kh_secret *text = read_vector(text_name);
  kh_secret *expected = read_vector(sealed_name);
  kh_secret *file = NULL;
  counts = true;
  next = 0;
  assert_int_equal(sealed_make(kh_secret_bytes(text), entries, count, &file, NULL), KH_OK);
  counts = false;
  expect_same(kh_secret_bytes(file), kh_secret_bytes(expected));
  for (size_t i = 0; i < count; i++) {
    kh_secret *opened = NULL;
    size_t slot = count;
    assert_int_equal(
        sealed_open_with(kh_secret_bytes(expected), entries[i].passphrase, &opened, &slot, NULL),
        KH_OK);
    assert_int_equal(slot, i);
    expect_same(kh_secret_bytes(opened), kh_secret_bytes(text));
    kh_secret_free(&opened);
  }
  kh_secret_free(&file);
  kh_secret_free(&expected);
  kh_secret_free(&text);
}

static void a_file_with_the_default_costs(void **state)
{
  (void)state;
  kh_sealed_entry entry = {kh_sealed_slot_default("main", &kh_sealed_argon2id),
                           bytes_of("correct horse battery staple")};
  expect_vector("one_slot", &entry, 1);
}

static void a_file_with_two_slots(void **state)
{
  (void)state;
  kh_sealed_entry entries[] = {sealed_entry("server", &kh_sealed_argon2id, "of the server"),
                               sealed_entry("safe", &kh_sealed_pbkdf2_hmac_sha512,
                                            "in the s\xc3\xa4"
                                            "fe")};
  expect_vector("two_slots", entries, 2);
}

static void expect_program_opens(const kh_secret *file, const char *passphrase, const char *text)
{
  kh_bytes bytes = kh_secret_bytes(file);
  const char *expected = test_text("expected", text, 0600);
  const char *pass = test_text("pass", passphrase, 0600);
  const char *opened = test_path("opened");
  test_run("%s '%s' '%s' >'%s' && cmp '%s' '%s'", program,
           test_file("made", bytes.data, bytes.len, 0600), pass, opened, opened, expected);
}

static void another_program_opens_what_is_made(void **state)
{
  (void)state;
  char text[120] = "";
  for (size_t len = 0; len < sizeof text - 1; len++) {
    if (len % 16 <= 1 || len % 48 >= 30) { /* around the ends of lines */
      kh_secret *file = sealed_file(text);
      expect_program_opens(file, len % 2 != 0 ? "first" : "second", text);
      kh_secret_free(&file);
    }
    text[len] = (char)('a' + len % 26);
  }
}

static void another_program_opens_what_was_changed(void **state)
{
  (void)state;
  kh_secret *file = sealed_file("old");
  kh_secret *added = NULL;
  kh_secret *removed = NULL;
  kh_secret *replaced = NULL;
  kh_sealed_entry third = sealed_entry("three", &kh_sealed_argon2id, "third");
  assert_int_equal(sealed_add_slot(kh_secret_bytes(file), bytes_of("first"), &third, &added, NULL),
                   KH_OK);
  assert_int_equal(
      sealed_remove_slot(kh_secret_bytes(added), bytes_of("third"), "one", &removed, NULL), KH_OK);
  assert_int_equal(sealed_replace_text(kh_secret_bytes(removed), bytes_of("second"),
                                       bytes_of("new"), &replaced, NULL),
                   KH_OK);
  expect_program_opens(replaced, "second", "new");
  expect_program_opens(replaced, "third", "new");
  kh_secret_free(&replaced);
  kh_secret_free(&removed);
  kh_secret_free(&added);
  kh_secret_free(&file);
}

int main(int argc, char **argv)
{
  static char command[4096];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_with_the_default_costs),
      cmocka_unit_test(a_file_with_two_slots),
      cmocka_unit_test(another_program_opens_what_is_made),
      cmocka_unit_test(another_program_opens_what_was_changed),
  };
  if (argc != 4)
    return 2;
  folder = argv[1];
  snprintf(command, sizeof command, "'%s' '%s'", argv[2], argv[3]);
  program = command;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
