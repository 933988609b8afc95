/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyhold/hex.h"
#include "keyhold/sha256.h"
#include "unit.h"

enum { END_LINE = 69, MARK = 12345 };

kh_sealed_entry sealed_entry(const char *label, const kh_sealed_kind *kind, const char *passphrase)
{
  kh_sealed_entry entry = {{.kind = kind}, bytes_of(passphrase)};
  snprintf(entry.slot.label, sizeof entry.slot.label, "%s", label);
  for (size_t i = 0; kind->parameters[i].name != NULL; i++)
    entry.slot.values[i] = kind->parameters[i].least;
  return entry;
}

kh_status sealed_make(kh_bytes text, const kh_sealed_entry *entries, size_t count,
                      kh_secret **ret_file, kh_fault *ret_fault)
{
  KH_AUTO_SEALED sealed = NULL;
  kh_status status = kh_sealed_new(SEALED_PATH, entries, count, &sealed, ret_fault);
  return status == KH_OK ? kh_sealed_write(sealed, text, ret_file, ret_fault) : status;
}

kh_status sealed_open_with(kh_bytes file, kh_bytes passphrase, kh_secret **ret_text,
                           size_t *ret_slot, kh_fault *ret_fault)
{
  KH_AUTO_SEALED sealed = NULL;
  kh_status status = kh_sealed_open(SEALED_PATH, file, passphrase, &sealed, ret_text, ret_fault);
  assert_int_equal(status == KH_OK, sealed != NULL);
  if (status == KH_OK && ret_slot != NULL)
    *ret_slot = kh_sealed_opened_slot(sealed);
  return status;
}

/* `entry` NULL: only the text is another one, unless that is NULL */
static kh_status change_file(kh_bytes file, kh_bytes passphrase, kh_slot_change change,
                             const kh_sealed_entry *entry, const kh_bytes *text,
                             kh_secret **ret_file, kh_fault *ret_fault)
{
  KH_AUTO_SEALED sealed = NULL;
  KH_AUTO_SECRET found = NULL;
  kh_status status = kh_sealed_open(SEALED_PATH, file, passphrase, &sealed, &found, ret_fault);
  if (status == KH_OK && entry != NULL)
    status = kh_sealed_change_slot(sealed, change, entry, ret_fault);
  return status == KH_OK ? kh_sealed_write(sealed, text != NULL ? *text : kh_secret_bytes(found),
                                           ret_file, ret_fault)
                         : status;
}

kh_status sealed_replace_text(kh_bytes file, kh_bytes passphrase, kh_bytes text,
                              kh_secret **ret_file, kh_fault *ret_fault)
{
  return change_file(file, passphrase, KH_SLOT_ADD, NULL, &text, ret_file, ret_fault);
}

kh_status sealed_add_slot(kh_bytes file, kh_bytes passphrase, const kh_sealed_entry *added,
                          kh_secret **ret_file, kh_fault *ret_fault)
{
  return change_file(file, passphrase, KH_SLOT_ADD, added, NULL, ret_file, ret_fault);
}

kh_status sealed_change_slot(kh_bytes file, kh_bytes passphrase, const kh_sealed_entry *changed,
                             kh_secret **ret_file, kh_fault *ret_fault)
{
  return change_file(file, passphrase, KH_SLOT_CHANGE, changed, NULL, ret_file, ret_fault);
}

kh_status sealed_remove_slot(kh_bytes file, kh_bytes passphrase, const char *label,
                             kh_secret **ret_file, kh_fault *ret_fault)
{
  kh_sealed_entry removed = {{.label = ""}, passphrase};
  snprintf(removed.slot.label, sizeof removed.slot.label, "%s", label);
  return change_file(file, passphrase, KH_SLOT_REMOVE, &removed, NULL, ret_file, ret_fault);
}

kh_secret *sealed_file(const char *text)
{
  kh_sealed_entry entries[] = {sealed_entry("one", &kh_sealed_argon2id, "first"),
                               sealed_entry("two", &kh_sealed_pbkdf2_hmac_sha512, "second")};
  kh_secret *file = NULL;
  assert_int_equal(sealed_make(bytes_of(text), entries, 2, &file, NULL), KH_OK);
  return file;
}

kh_secret *sealed_original;
const char sealed_original_text[] = "# the keys\n1;770A8A65DA156D24EE2A093277530142;rotate=90d\n";

int sealed_make_original(void **state)
{
  (void)state;
  sealed_original = sealed_file(sealed_original_text);
  return 0;
}

int sealed_free_original(void **state)
{
  (void)state;
  kh_secret_free(&sealed_original);
  return 0;
}

kh_status sealed_open(kh_bytes file, const char *passphrase, const char *expected,
                      kh_fault *ret_fault)
{
  kh_secret *text = NULL;
  size_t slot = MARK;
  kh_fault fault = {.status = KH_OK};
  kh_status status = sealed_open_with(file, bytes_of(passphrase), &text, &slot, &fault);
  assert_int_equal(fault.status, status);
  assert_int_equal(status != KH_OK, text == NULL);
  assert_int_equal(status != KH_OK, slot == MARK);
  if (status == KH_OK && expected != NULL) {
    assert_int_equal(kh_secret_bytes(text).len, strlen(expected));
    assert_memory_equal(kh_secret_bytes(text).data, expected, strlen(expected));
  }
  kh_secret_free(&text);
  if (ret_fault != NULL)
    *ret_fault = fault;
  return status;
}

void sealed_expect(const kh_secret *file, const char *passphrase, size_t slot, const char *text)
{
  kh_secret *found = NULL;
  size_t opened = MARK;
  assert_int_equal(
      sealed_open_with(kh_secret_bytes(file), bytes_of(passphrase), &found, &opened, NULL), KH_OK);
  assert_int_equal(opened, slot);
  assert_int_equal(kh_secret_bytes(found).len, strlen(text));
  assert_memory_equal(kh_secret_bytes(found).data, text, strlen(text));
  kh_secret_free(&found);
}

uint8_t *sealed_copy(kh_bytes file)
{
  uint8_t *copy = malloc(2 * file.len + END_LINE + 1);
  assert_non_null(copy);
  memcpy(copy, file.data, file.len);
  return copy;
}

size_t sealed_mend(uint8_t *data, size_t len)
{
  uint8_t digest[KH_SHA256_SIZE];
  uint8_t digits[2 * sizeof digest + 1];
  if (len >= END_LINE && memcmp(data + len - END_LINE, "end ", 4) == 0)
    len -= END_LINE;
  kh_sha256((kh_bytes){data, len}, digest);
  kh_hex_encode((kh_bytes){digest, sizeof digest}, digits);
  memcpy(data + len, "end ", 4);
  memcpy(data + len + 4, digits, sizeof digits - 1);
  data[len + END_LINE - 1] = '\n';
  return len + END_LINE;
}

uint8_t *sealed_print(size_t *ret_len, const char *format, ...)
{
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int len = vasprintf(&text, format, arguments);
  va_end(arguments);
  assert_true(len >= 0);
  uint8_t *data = malloc((size_t)len + END_LINE + 1);
  assert_non_null(data);
  memcpy(data, text, (size_t)len);
  free(text);
  *ret_len = sealed_mend(data, (size_t)len);
  return data;
}

kh_bytes sealed_line(kh_bytes file, unsigned line)
{
  const uint8_t *start = file.data;
  const uint8_t *end = file.data + file.len;
  for (; line > 1; line--)
    start = (const uint8_t *)memchr(start, '\n', (size_t)(end - start)) + 1;
  const uint8_t *stop = (const uint8_t *)memchr(start, '\n', (size_t)(end - start)) + 1;
  return (kh_bytes){start, (size_t)(stop - start)};
}
