/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: opens a sealed file for each byte of it */
/* Files that an attacker or a fault changed. None opens, with a right last line or without. Without
 * the right last line a change is damage; the others are found by the authentication. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sealed.h"
#include "unit.h"

enum { END_LINE = 69 };

/* for every change and every passphrase */
static void expect_refused(uint8_t *data, size_t len)
{
  kh_bytes file = {data, len};
  kh_status status = sealed_open(file, "first", NULL, NULL);
  assert_true(status == KH_E_SEALED_DAMAGED || status == KH_E_SEALED_NEWER ||
              status == KH_E_SEALED_COST || status == KH_E_WRONG_PASSPHRASE ||
              status == KH_E_SEALED_CHANGED);
  if (status == KH_E_WRONG_PASSPHRASE)
    status = sealed_open(file, "second", NULL, NULL);
  assert_int_not_equal(status, KH_OK);
}

static void expect_damaged(uint8_t *data, size_t len)
{
  assert_int_equal(sealed_open((kh_bytes){data, len}, "first", NULL, NULL), KH_E_SEALED_DAMAGED);
}

static void every_other_value_of_every_byte(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(sealed_original);
  uint8_t *data = sealed_copy(file);
  for (size_t at = 0; at < file.len; at++)
    for (unsigned change = 1; change < 256; change++) {
      data[at] ^= (uint8_t)change;
      expect_damaged(data, file.len);
      data[at] ^= (uint8_t)change;
    }
  assert_int_equal(sealed_open((kh_bytes){data, file.len}, "first", sealed_original_text, NULL),
                   KH_OK);
  free(data);
}

static void every_bit_with_a_last_line_that_fits(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(sealed_original);
  uint8_t *data = sealed_copy(file);
  for (size_t bit = 0; bit < 8 * (file.len - END_LINE); bit++) {
    data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(sealed_mend(data, file.len), file.len);
    expect_refused(data, file.len);
    data[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  sealed_mend(data, file.len);
  assert_int_equal(sealed_open((kh_bytes){data, file.len}, "first", sealed_original_text, NULL),
                   KH_OK);
  free(data);
}

/* where a byte can be replaced by another one that its place allows: digits, letters */
static void every_likely_byte_with_a_last_line_that_fits(void **state)
{
  (void)state;
  static const char likely[] = "0123456789abcdefzAZ+/= \n";
  kh_bytes file = kh_secret_bytes(sealed_original);
  uint8_t *data = sealed_copy(file);
  for (size_t at = 0; at < file.len - END_LINE; at++)
    for (size_t i = 0; i < sizeof likely; i++) {
      if (file.data[at] == (uint8_t)likely[i])
        continue;
      data[at] = (uint8_t)likely[i];
      sealed_mend(data, file.len);
      expect_refused(data, file.len);
      data[at] = file.data[at];
    }
  free(data);
}

static void truncated_at_every_length(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(sealed_original);
  for (size_t len = 0; len < file.len; len++) {
    uint8_t *data = sealed_copy(file);
    expect_damaged(data, len);
    if (len < file.len - END_LINE) {
      size_t mended = sealed_mend(data, len);
      expect_refused(data, mended);
    }
    free(data);
  }
}

static void every_byte_taken_out(void **state)
{
  (void)state;
  kh_bytes file = kh_secret_bytes(sealed_original);
  for (size_t at = 0; at < file.len; at++) {
    uint8_t *data = sealed_copy(file);
    memmove(data + at, data + at + 1, file.len - at - 1);
    expect_damaged(data, file.len - 1);
    if (at < file.len - END_LINE) {
      assert_int_equal(sealed_mend(data, file.len - 1), file.len - 1);
      expect_refused(data, file.len - 1);
    }
    free(data);
  }
}

static void a_byte_put_in_everywhere(void **state)
{
  (void)state;
  static const char likely[] = "0af=A \n\r\t";
  kh_bytes file = kh_secret_bytes(sealed_original);
  for (size_t at = 0; at <= file.len; at++)
    for (size_t i = 0; i < sizeof likely; i++) { /* the NUL too */
      uint8_t *data = sealed_copy(file);
      memmove(data + at + 1, data + at, file.len - at);
      data[at] = (uint8_t)likely[i];
      expect_damaged(data, file.len + 1);
      if (at <= file.len - END_LINE) {
        assert_int_equal(sealed_mend(data, file.len + 1), file.len + 1);
        expect_refused(data, file.len + 1);
      }
      free(data);
    }
}

/* Makes a file of lines of other files, with the right last line. */
struct patchwork {
  uint8_t data[4096];
  size_t len;
};

static void add(struct patchwork *patchwork, const kh_secret *file, unsigned line)
{
  kh_bytes bytes = sealed_line(kh_secret_bytes(file), line);
  memcpy(patchwork->data + patchwork->len, bytes.data, bytes.len);
  patchwork->len += bytes.len;
}

static kh_status open_patchwork(struct patchwork *patchwork, const char *passphrase)
{
  patchwork->len = sealed_mend(patchwork->data, patchwork->len);
  return sealed_open((kh_bytes){patchwork->data, patchwork->len}, passphrase, sealed_original_text,
                     NULL);
}

enum { FIRST = 1, SLOT_1, SLOT_2, PAYLOAD, BASE64_1, BASE64_2 };

static void unchanged_lines_open(void **state)
{
  (void)state;
  struct patchwork patchwork = {.len = 0};
  for (unsigned line = FIRST; line <= BASE64_2; line++)
    add(&patchwork, sealed_original, line);
  assert_int_equal(open_patchwork(&patchwork, "first"), KH_OK);
}

static void lines_in_another_order(void **state)
{
  (void)state;
  for (unsigned a = FIRST; a < BASE64_2; a++)
    for (unsigned b = a + 1; b <= BASE64_2; b++) {
      struct patchwork patchwork = {.len = 0};
      for (unsigned line = FIRST; line <= BASE64_2; line++)
        add(&patchwork, sealed_original, line == a ? b : line == b ? a : line);
      kh_status expected = a == SLOT_1 && b == SLOT_2 ? KH_E_SEALED_CHANGED : KH_E_SEALED_DAMAGED;
      assert_int_equal(open_patchwork(&patchwork, "first"), expected);
    }
}

static void lines_left_out(void **state)
{
  (void)state;
  for (unsigned left_out = FIRST; left_out <= BASE64_2; left_out++) {
    struct patchwork patchwork = {.len = 0};
    for (unsigned line = FIRST; line <= BASE64_2; line++)
      if (line != left_out)
        add(&patchwork, sealed_original, line);
    bool is_form = left_out == SLOT_1 || left_out == SLOT_2 || left_out >= BASE64_1;
    assert_int_equal(open_patchwork(&patchwork, left_out == SLOT_1 ? "second" : "first"),
                     is_form ? KH_E_SEALED_CHANGED : KH_E_SEALED_DAMAGED);
  }
}

static void lines_twice(void **state)
{
  (void)state;
  for (unsigned twice = FIRST; twice <= BASE64_2; twice++) {
    struct patchwork patchwork = {.len = 0};
    for (unsigned line = FIRST; line <= BASE64_2; line++) {
      add(&patchwork, sealed_original, line);
      if (line == twice)
        add(&patchwork, sealed_original, line);
    }
    assert_int_equal(open_patchwork(&patchwork, "first"),
                     twice == BASE64_1 ? KH_E_SEALED_CHANGED : KH_E_SEALED_DAMAGED);
  }
}

/* each line from another file with the same passphrases and the same text */
static void lines_of_another_file(void **state)
{
  (void)state;
  kh_secret *other = sealed_file(sealed_original_text);
  for (unsigned foreign = SLOT_1; foreign <= BASE64_2; foreign++) {
    struct patchwork patchwork = {.len = 0};
    for (unsigned line = FIRST; line <= BASE64_2; line++)
      add(&patchwork, line == foreign ? other : sealed_original, line);
    assert_int_equal(open_patchwork(&patchwork, "first"), KH_E_SEALED_CHANGED);
    assert_int_equal(open_patchwork(&patchwork, "second"), KH_E_SEALED_CHANGED);
  }
  kh_secret_free(&other);
}

/* a slot whose passphrase the attacker knows, next to slots whose passphrases he does not know */
static void a_slot_of_another_file_added(void **state)
{
  (void)state;
  kh_sealed_entry mine = sealed_entry("mine", &kh_sealed_argon2id, "known");
  kh_secret *other = NULL;
  assert_int_equal(sealed_make(bytes_of(sealed_original_text), &mine, 1, &other, NULL), KH_OK);
  struct patchwork patchwork = {.len = 0};
  add(&patchwork, sealed_original, FIRST);
  add(&patchwork, other, SLOT_1);
  for (unsigned line = SLOT_1; line <= BASE64_2; line++)
    add(&patchwork, sealed_original, line);
  assert_int_equal(open_patchwork(&patchwork, "known"), KH_E_SEALED_CHANGED);
  assert_int_equal(open_patchwork(&patchwork, "first"), KH_E_SEALED_CHANGED);
  assert_int_equal(open_patchwork(&patchwork, "third"), KH_E_WRONG_PASSPHRASE);
  kh_secret_free(&other);
}

/* an older payload with the present slots, and the reverse */
static void a_payload_of_an_older_version(void **state)
{
  (void)state;
  kh_sealed_entry third = sealed_entry("three", &kh_sealed_argon2id, "third");
  kh_secret *newer = NULL;
  assert_int_equal(
      sealed_add_slot(kh_secret_bytes(sealed_original), bytes_of("first"), &third, &newer, NULL),
      KH_OK);
  struct patchwork patchwork = {.len = 0};
  for (unsigned line = FIRST; line <= SLOT_2; line++)
    add(&patchwork, newer, line);
  for (unsigned line = PAYLOAD; line <= BASE64_2; line++)
    add(&patchwork, newer, line + 1);
  assert_int_equal(open_patchwork(&patchwork, "first"), KH_E_SEALED_CHANGED);
  patchwork.len = 0;
  for (unsigned line = FIRST; line <= SLOT_2 + 1; line++)
    add(&patchwork, newer, line);
  for (unsigned line = PAYLOAD; line <= BASE64_2; line++)
    add(&patchwork, sealed_original, line);
  assert_int_equal(open_patchwork(&patchwork, "third"), KH_E_SEALED_CHANGED);
  kh_secret_free(&newer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_other_value_of_every_byte),
      cmocka_unit_test(every_bit_with_a_last_line_that_fits),
      cmocka_unit_test(every_likely_byte_with_a_last_line_that_fits),
      cmocka_unit_test(truncated_at_every_length),
      cmocka_unit_test(every_byte_taken_out),
      cmocka_unit_test(a_byte_put_in_everywhere),
      cmocka_unit_test(unchanged_lines_open),
      cmocka_unit_test(lines_in_another_order),
      cmocka_unit_test(lines_left_out),
      cmocka_unit_test(lines_twice),
      cmocka_unit_test(lines_of_another_file),
      cmocka_unit_test(a_slot_of_another_file_added),
      cmocka_unit_test(a_payload_of_an_older_version),
  };
  return cmocka_run_group_tests(tests, sealed_make_original, sealed_free_original);
}
