/* SPDX-License-Identifier: GPL-2.0-only */
/* The form of a file, checked without a passphrase. All files here have the right last line, except
 * where the last line is tested. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sealed.h"
#include "unit.h"

#define SALT    "salt=000102030405060708090a0b0c0d0e0f"
#define NONCE   "000102030405060708090a0b0c0d0e0f1011121314151617"
#define HALF    "000102030405060708090a0b0c0d0e0f1011121314151617"
#define WRAPPED HALF HALF
#define REST    " " SALT " nonce=" NONCE " key=" WRAPPED "\n"
#define FIRST   "keyhold-sealed 1\n"
#define SLOT    "slot a argon2id memory=8 passes=1" REST
#define PAYLOAD "payload " NONCE "\n"
#define B64_16  "AAECAwQFBgcICQoLDA0ODw==\n"
#define B64_48  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
#define GOOD    FIRST SLOT PAYLOAD B64_16

static kh_status list(const char *text, kh_sealed_slots *ret_slots, kh_fault *ret_fault)
{
  size_t len = 0;
  uint8_t *file = sealed_print(&len, "%s", text);
  *ret_fault = (kh_fault){.status = KH_OK};
  kh_status status = kh_sealed_list(SEALED_PATH, (kh_bytes){file, len}, ret_slots, ret_fault);
  assert_int_equal(ret_fault->status, status);
  free(file);
  return status;
}

static void expect_good(const char *text, size_t count)
{
  kh_sealed_slots slots = {.count = 99};
  kh_fault fault;
  if (list(text, &slots, &fault) != KH_OK)
    fail_msg("line %u, column %zu of\n%s", fault.line, fault.column, text);
  assert_int_equal(slots.count, count);
}

static void expect_damaged(const char *text, unsigned line, size_t column)
{
  kh_sealed_slots slots = {.count = 99};
  kh_fault fault;
  if (list(text, &slots, &fault) != KH_E_SEALED_DAMAGED || fault.line != line ||
      fault.column != column)
    fail_msg("status %d, line %u, column %zu, not line %u, column %zu, of\n%s", fault.status,
             fault.line, fault.column, line, column, text);
  assert_int_equal(slots.count, 99);
}

static void good_forms(void **state)
{
  (void)state;
  expect_good(GOOD, 1);
  expect_good(FIRST "slot a pbkdf2-hmac-sha512 iterations=1000" REST PAYLOAD B64_16, 1);
  expect_good(FIRST SLOT PAYLOAD B64_48, 1);
  expect_good(FIRST SLOT PAYLOAD B64_48 B64_16, 1);
  expect_good(FIRST SLOT PAYLOAD B64_48 "AA==\n", 1);
  expect_good(FIRST SLOT PAYLOAD B64_48 B64_48 "AAAA\n", 1);
}

static void first_lines_that_are_none(void **state)
{
  (void)state;
  expect_damaged("", 1, 1);
  expect_damaged("keyhold-sealed 1", 1, 17);
  expect_damaged("keyhold-sealed 1\r\n" SLOT PAYLOAD B64_16, 1, 17);
  expect_damaged("keyhold-sealed  1\n" SLOT PAYLOAD B64_16, 1, 16);
  expect_damaged("keyhold-sealed 01\n" SLOT PAYLOAD B64_16, 1, 16);
  expect_damaged("keyhold-sealed 0\n" SLOT PAYLOAD B64_16, 1, 16);
  expect_damaged("keyhold-sealed x\n" SLOT PAYLOAD B64_16, 1, 16);
  expect_damaged("keyhold-sealed 1 \n" SLOT PAYLOAD B64_16, 1, 17);
  expect_damaged("keyhold-sealed 12345678901\n" SLOT PAYLOAD B64_16, 1, 16);
  expect_damaged("keyhold_sealed 1\n" SLOT PAYLOAD B64_16, 1, 8);
}

static void slots_that_are_none(void **state)
{
  (void)state;
  expect_damaged(FIRST PAYLOAD B64_16, 2, 1);
  expect_damaged(FIRST "Slot a argon2id memory=8 passes=1" REST PAYLOAD B64_16, 2, 1);
  expect_damaged(FIRST "slot  argon2id memory=8 passes=1" REST PAYLOAD B64_16, 2, 6);
  expect_damaged(FIRST "slot a\xe4 argon2id memory=8 passes=1" REST PAYLOAD B64_16, 2, 7);
  expect_damaged(FIRST "slot a  argon2id memory=8 passes=1" REST PAYLOAD B64_16, 2, 8);
  expect_damaged(FIRST "slot a argon2i memory=8 passes=1" REST PAYLOAD B64_16, 2, 8);
  expect_damaged(FIRST "slot a ARGON2ID memory=8 passes=1" REST PAYLOAD B64_16, 2, 8);
  expect_damaged(FIRST "slot a argon2id passes=1 memory=8" REST PAYLOAD B64_16, 2, 17);
  expect_damaged(FIRST "slot a argon2id memory=8" REST PAYLOAD B64_16, 2, 26);
  expect_damaged(FIRST "slot a argon2id memory=08 passes=1" REST PAYLOAD B64_16, 2, 24);
  expect_damaged(FIRST "slot a argon2id memory=+8 passes=1" REST PAYLOAD B64_16, 2, 24);
  expect_damaged(FIRST "slot a argon2id memory= passes=1" REST PAYLOAD B64_16, 2, 24);
  expect_damaged(FIRST "slot a argon2id memory=12345678901 passes=1" REST PAYLOAD B64_16, 2, 24);
  expect_damaged(FIRST "slot a argon2id memory=8 passes=1 lanes=1" REST PAYLOAD B64_16, 2, 35);
  expect_damaged(FIRST "slot a argon2id memory=8 iterations=1" REST PAYLOAD B64_16, 2, 26);
  expect_damaged(FIRST SLOT "\n" PAYLOAD B64_16, 3, 1);
  expect_damaged(FIRST SLOT "# comment\n" PAYLOAD B64_16, 3, 1);
}

static void slots_with_bad_hexadecimal_digits(void **state)
{
  (void)state;
#define ARGON "slot a argon2id memory=8 passes=1 "
  expect_damaged(FIRST ARGON "salt=00010203040506070809\n", 2, 60);
  expect_damaged(
      FIRST ARGON "salt=000102030405060708090A0b0c0d0e0f nonce=" NONCE " key=" WRAPPED "\n", 2, 61);
  expect_damaged(FIRST ARGON SALT "00 nonce=" NONCE " key=" WRAPPED "\n", 2, 72);
  expect_damaged(FIRST ARGON SALT " nonce=" NONCE "0 key=" WRAPPED "\n", 2, 127);
  expect_damaged(FIRST ARGON SALT " nonce=" NONCE " key=" WRAPPED "00\n", 2, 228);
  expect_damaged(FIRST ARGON SALT " nonce=" NONCE " key=" HALF "\n", 2, 180);
  expect_damaged(FIRST ARGON SALT " nonce=" NONCE " key=" WRAPPED " \n", 2, 228);
  expect_damaged(FIRST ARGON SALT " nonce=" NONCE " key=" WRAPPED "\r\n", 2, 228);
  expect_damaged(FIRST ARGON SALT " nonce=" NONCE " key=" WRAPPED, 2, 228);
}

static void payloads_that_are_none(void **state)
{
  (void)state;
  expect_damaged(FIRST SLOT, 3, 1);
  expect_damaged(FIRST SLOT B64_16, 3, 1);
  expect_damaged(FIRST SLOT "payload " HALF "00\n" B64_16, 3, 57);
  expect_damaged(FIRST SLOT PAYLOAD, 4, 1);
  expect_damaged(FIRST SLOT PAYLOAD "\n" B64_16, 4, 1);
  expect_damaged(FIRST SLOT PAYLOAD B64_16 "\n", 5, 1);
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0O\n", 5, 1);     /* 15 bytes */
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0ODx==\n", 4, 1); /* bits left over */
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0ODw=\n", 4, 1);  /* no padding */
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0ODw\n", 4, 1);
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0ODw== \n", 4, 25);
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0ODw==\r\n", 4, 25);
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0-Dw==\n", 4, 1);
  expect_damaged(FIRST SLOT PAYLOAD B64_16 B64_48, 5, 1); /* a short line before the last */
  expect_damaged(FIRST SLOT PAYLOAD "AAECAwQFBgcICQoLDA0O\n" B64_16, 5, 1);
  expect_damaged(FIRST SLOT PAYLOAD
                 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vAAAA\n",
                 4, 1); /* longer than 64 */
  expect_damaged(FIRST SLOT PAYLOAD B64_48 PAYLOAD B64_16, 5, 1);
}

/* the last line as the file has it, not corrected */
static void expect_end(const char *format, const char *digest, unsigned line, size_t column)
{
  kh_sealed_slots slots;
  kh_fault fault = {.status = KH_OK};
  char text[4096];
  size_t good = strlen(GOOD);
  memcpy(text, GOOD, good);
  size_t len = good + (size_t)snprintf(text + good, sizeof text - good, format, digest);
  assert_int_equal(kh_sealed_list(SEALED_PATH, (kh_bytes){(uint8_t *)text, len}, &slots, &fault),
                   KH_E_SEALED_DAMAGED);
  assert_int_equal(fault.line, line);
  assert_int_equal(fault.column, column);
}

static void last_lines_that_are_none(void **state)
{
  (void)state;
  size_t len = 0;
  char digest[65] = "", upper[65] = "";
  uint8_t *file = sealed_print(&len, "%s", GOOD);
  memcpy(digest, file + len - 65, 64);
  for (size_t i = 0; i < 64; i++)
    upper[i] = (char)(digest[i] >= 'a' ? digest[i] - 'a' + 'A' : digest[i]);
  free(file);
  expect_end("end %s", digest, 5, 69);
  expect_end("end %s\r\n", digest, 5, 69);
  expect_end("end %s\n\n", digest, 5, 70);
  expect_end("end %s\nx", digest, 5, 70);
  expect_end("end %s0\n", digest, 5, 69);
  expect_end("end  %s\n", digest, 5, 5);
  expect_end("End %s\n", digest, 5, 1);
  expect_end("end %s\n", upper, 5, 5 + strcspn(upper, "ABCDEF"));
  expect_end("end %s\n", "", 5, 5);
  expect_end("", digest, 5, 1);
  digest[0] = digest[0] == '0' ? '1' : '0';
  expect_end("end %s\n", digest, 0, 0); /* a good form, and another digest */
}

static void the_checksum_tells_damage_where_the_form_does_not(void **state)
{
  (void)state;
  size_t len = 0;
  kh_sealed_slots slots;
  kh_fault fault;
  uint8_t *file = sealed_print(&len, "%s", GOOD);
  kh_bytes bytes = {file, len};
  file[sizeof FIRST - 1 + 5] = 'b'; /* the label */
  assert_int_equal(kh_sealed_list(SEALED_PATH, bytes, &slots, &fault), KH_E_SEALED_DAMAGED);
  assert_int_equal(fault.line, 0);
  file[sizeof FIRST - 1 + 5] = 'a';
  file[sizeof FIRST - 3] = '2'; /* looks newer and is damaged */
  assert_int_equal(kh_sealed_list(SEALED_PATH, bytes, &slots, &fault), KH_E_SEALED_DAMAGED);
  assert_int_equal(fault.line, 0);
  free(file);
}

static void newer_formats_are_newer_whatever_follows(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    uint64_t version;
  } files[] = {{"keyhold-sealed 2\n", 2},
               {"keyhold-sealed 2\nanything at all\n", 2},
               {"keyhold-sealed 4000000000\n" SLOT PAYLOAD B64_16, 4000000000},
               {"keyhold-sealed 9999999999\n", 9999999999}};
  for (size_t i = 0; i < COUNT(files); i++) {
    kh_sealed_slots slots;
    kh_fault fault;
    assert_int_equal(list(files[i].text, &slots, &fault), KH_E_SEALED_NEWER);
    assert_int_equal(fault.size, files[i].version);
    assert_int_equal(fault.limit, 1);
  }
}

static void expect_cost(const char *text, unsigned line, uint64_t size, uint64_t limit)
{
  kh_sealed_slots slots;
  kh_fault fault;
  assert_int_equal(list(text, &slots, &fault), KH_E_SEALED_COST);
  assert_int_equal(fault.line, line);
  assert_int_equal(fault.size, size);
  assert_int_equal(fault.limit, limit);
}

static void costs_up_to_the_limit_and_one_past_it(void **state)
{
  (void)state;
#define ARGON2ID(memory, passes)  "slot a argon2id memory=" memory " passes=" passes REST
#define PBKDF2(label, iterations) "slot " label " pbkdf2-hmac-sha512 iterations=" iterations REST
  expect_good(FIRST ARGON2ID("1048576", "8") PAYLOAD B64_16, 1);
  expect_cost(FIRST ARGON2ID("1048577", "1") PAYLOAD B64_16, 2, 1048577, 1048576);
  expect_cost(FIRST ARGON2ID("4294967304", "1") PAYLOAD B64_16, 2, 4294967304, 1048576);
  expect_good(FIRST ARGON2ID("8", "64") PAYLOAD B64_16, 1);
  expect_cost(FIRST ARGON2ID("8", "65") PAYLOAD B64_16, 2, 65, 64);
  expect_cost(FIRST ARGON2ID("1048576", "9") PAYLOAD B64_16, 2, 9437184, 8388608);
  expect_good(FIRST PBKDF2("a", "8388608") PAYLOAD B64_16, 1);
  expect_cost(FIRST PBKDF2("a", "8388609") PAYLOAD B64_16, 2, 8388609, 8388608);
  expect_good(FIRST ARGON2ID("1048576", "7") PBKDF2("b", "1048576") PAYLOAD B64_16, 2);
  expect_cost(FIRST ARGON2ID("1048576", "7") PBKDF2("b", "1048577") PAYLOAD B64_16, 3, 8388609,
              8388608);
  expect_damaged(FIRST ARGON2ID("7", "1") PAYLOAD B64_16, 2, 25);
  expect_damaged(FIRST ARGON2ID("8", "0") PAYLOAD B64_16, 2, 33);
  expect_damaged(FIRST PBKDF2("a", "999") PAYLOAD B64_16, 2, 41);
}

static void an_expensive_file_that_is_damaged_is_damaged(void **state)
{
  (void)state;
  size_t len = 0;
  kh_sealed_slots slots;
  uint8_t *file = sealed_print(&len, "%s", FIRST ARGON2ID("8", "65") PAYLOAD B64_16);
  file[len - 2] ^= 1;
  assert_int_equal(kh_sealed_list(SEALED_PATH, (kh_bytes){file, len}, &slots, NULL),
                   KH_E_SEALED_DAMAGED);
  free(file);
}

static void labels_have_a_length_and_are_not_repeated(void **state)
{
  (void)state;
#define LABELLED(label) "slot " label " argon2id memory=8 passes=1" REST
  expect_good(FIRST LABELLED("12345678901234567890123456789012") PAYLOAD B64_16, 1);
  expect_damaged(FIRST LABELLED("123456789012345678901234567890123") PAYLOAD B64_16, 2, 6);
  expect_good(FIRST LABELLED("a") LABELLED("A") LABELLED("a.") PAYLOAD B64_16, 3);
  expect_damaged(FIRST LABELLED("a") LABELLED("b") LABELLED("a") PAYLOAD B64_16, 4, 7);
}

static void slots_up_to_the_limit_and_one_past_it(void **state)
{
  (void)state;
#define EIGHT                                                                                      \
  LABELLED("1")                                                                                    \
  LABELLED("2")                                                                                    \
  LABELLED("3") LABELLED("4") LABELLED("5") LABELLED("6") LABELLED("7") LABELLED("8")
  expect_good(FIRST EIGHT PAYLOAD B64_16, 8);
  expect_damaged(FIRST EIGHT LABELLED("9") PAYLOAD B64_16, 10, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_forms),
      cmocka_unit_test(first_lines_that_are_none),
      cmocka_unit_test(slots_that_are_none),
      cmocka_unit_test(slots_with_bad_hexadecimal_digits),
      cmocka_unit_test(payloads_that_are_none),
      cmocka_unit_test(last_lines_that_are_none),
      cmocka_unit_test(the_checksum_tells_damage_where_the_form_does_not),
      cmocka_unit_test(newer_formats_are_newer_whatever_follows),
      cmocka_unit_test(costs_up_to_the_limit_and_one_past_it),
      cmocka_unit_test(an_expensive_file_that_is_damaged_is_damaged),
      cmocka_unit_test(labels_have_a_length_and_are_not_repeated),
      cmocka_unit_test(slots_up_to_the_limit_and_one_past_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
