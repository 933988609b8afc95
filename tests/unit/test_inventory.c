/* SPDX-License-Identifier: GPL-2.0-only */
/* slow: runs a second program on what it makes */
/* wraps: open_memstream fclose */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "keyhold/inventory.h"
#include "keytables.h"
#include "unit.h"
#include "wrap.h"

/* the first argument of the program: tests/unit/check_inventory.py */
static const char *checker;

static struct {
  bool opening, writing, closing;
} fails;

WRAPS(open_memstream);
WRAPS(fclose);

/* a stream that cannot grow; it keeps what it has */
static FILE *full_stream(char **text, size_t *len)
{
  *text = strdup("[{");
  *len = 2;
  return fopen("/dev/full", "w");
}

FILE *__wrap_open_memstream(char **text, size_t *len)
{
  if (fails.opening)
    return NULL;
  return fails.writing ? full_stream(text, len) : __real_open_memstream(text, len);
}

/* that writing failed must be seen without closing failing too */
int __wrap_fclose(FILE *stream)
{
  int result = __real_fclose(stream);
  return fails.closing ? EOF : fails.writing ? 0 : result;
}

struct spec {
  uint32_t id, version, len;
  kh_policy policy;
};

/* bytes that tests/unit/check_inventory.py can compute too */
static void fill_key(const void *specs, size_t place, kh_key *ret_key)
{
  const struct spec *spec = (const struct spec *)specs + place;
  ret_key->id = spec->id;
  ret_key->version = spec->version;
  ret_key->len = spec->len;
  ret_key->policy = spec->policy;
  for (uint32_t i = 0; i < spec->len; i++)
    ret_key->bytes[i] = (uint8_t)(0x80 + (spec->id * 31 + spec->version * 7 + i) % 113);
}

/* the inventory, for free() */
static char *json_of(const struct spec *specs, size_t count, kh_cipher default_cipher)
{
  kh_keytable *table = keytable_of(specs, count, fill_key);
  char *text = NULL;
  size_t len = 0;
  assert_int_equal(kh_inventory_json(table, default_cipher, &text, &len), KH_OK);
  assert_int_equal(len, strlen(text));
  kh_keytable_free(&table);
  return text;
}

static void assert_json(const struct spec *specs, size_t count, const char *expected)
{
  char *text = json_of(specs, count, KH_CIPHER_AES_CBC);
  assert_string_equal(text, expected);
  free(text);
}

static void no_keys(void **state)
{
  (void)state;
  assert_json(NULL, 0, "[]");
}

static void a_key_without_attributes(void **state)
{
  (void)state;
  static const struct spec specs[] = {{.id = 1, .version = 1, .len = 16}};
  assert_json(specs, COUNT(specs),
              "[{\"key_id\":1,\"latest_version\":1,\"next_rotation\":null,\"versions\":["
              "{\"version\":1,\"bits\":128,\"cipher\":\"aes-cbc\",\"created\":null,"
              "\"fingerprint\":\"34080bee79828437\"}]}]");
}

static void keys_and_versions_in_their_order(void **state)
{
  (void)state;
  static const struct spec specs[] = {
      {4294967295u, 4294967294u, 32, {.cipher = KH_CIPHER_AES256_CTR}},
      {1, 3, 24, {.created = 1795309555, .rotate = 86400, .cipher = KH_CIPHER_AES_CTR}},
      {1, 1, 16, {.created = 1, .rotate = 1}},
      {7, 5, 32, {.rotate = 86400, .bits = 256, .cipher = KH_CIPHER_AES256_CBC}},
  };
  assert_json(specs, COUNT(specs),
              "[{\"key_id\":1,\"latest_version\":3,\"next_rotation\":\"2026-11-23T01:05:55Z\","
              "\"versions\":["
              "{\"version\":1,\"bits\":128,\"cipher\":\"aes-cbc\","
              "\"created\":\"1970-01-01T00:00:01Z\",\"fingerprint\":\"34080bee79828437\"},"
              "{\"version\":3,\"bits\":192,\"cipher\":\"aes-ctr\","
              "\"created\":\"2026-11-22T01:05:55Z\",\"fingerprint\":\"f7577b2b6184d135\"}]},"
              "{\"key_id\":7,\"latest_version\":5,\"next_rotation\":\"1970-01-02T00:00:00Z\","
              "\"versions\":["
              "{\"version\":5,\"bits\":256,\"cipher\":\"aes256-cbc\",\"created\":null,"
              "\"fingerprint\":\"301055f6e2190b0f\"}]},"
              "{\"key_id\":4294967295,\"latest_version\":4294967294,\"next_rotation\":null,"
              "\"versions\":["
              "{\"version\":4294967294,\"bits\":256,\"cipher\":\"aes256-ctr\",\"created\":null,"
              "\"fingerprint\":\"4124a1e154e892e5\"}]}]");
}

static void a_default_cipher_that_is_not_known(void **state)
{
  (void)state;
  struct spec specs[] = {{.id = 1, .version = 1, .len = 16}, {.id = 1, .version = 3, .len = 16}};
  specs[1].policy.cipher = KH_CIPHER_AES_CTR;
  char *text = json_of(specs, 2, KH_CIPHER_UNSET);
  assert_non_null(strstr(text, "\"version\":1,\"bits\":128,\"cipher\":null,"));
  assert_non_null(strstr(text, "\"version\":3,\"bits\":128,\"cipher\":\"aes-ctr\","));
  free(text);
}

static void the_default_cipher(void **state)
{
  (void)state;
  static const struct spec specs[] = {{.id = 1, .version = 1, .len = 16}};
  char *text = json_of(specs, 1, KH_CIPHER_AES_CTR);
  assert_non_null(strstr(text, "\"cipher\":\"aes-ctr\""));
  free(text);
}

/* the last second that fits into 32 bits, and the one after it */
static void a_rotation_beyond_the_clock_is_never(void **state)
{
  (void)state;
  struct spec spec = {1, 1, 16, {.created = 4294967290u, .rotate = 5}};
  char *last = json_of(&spec, 1, KH_CIPHER_AES_CBC);
  assert_non_null(strstr(last, "\"next_rotation\":\"2106-02-07T06:28:15Z\""));
  free(last);
  spec.policy.rotate = 6;
  char *beyond = json_of(&spec, 1, KH_CIPHER_AES_CBC);
  assert_non_null(strstr(beyond, "\"next_rotation\":null"));
  free(beyond);
}

/* any four bytes of the key, as they are or as digits of either case */
static void assert_not_in(const char *text, const struct spec *spec)
{
  kh_key key = {0};
  char digits[9];
  fill_key(spec, 0, &key);
  const uint8_t *bytes = key.bytes;
  for (uint32_t i = 0; i + 4 <= spec->len; i++) {
    snprintf(digits, sizeof digits, "%02x%02x%02x%02x", bytes[i], bytes[i + 1], bytes[i + 2],
             bytes[i + 3]);
    assert_null(strcasestr(text, digits));
    assert_null(memmem(text, strlen(text), bytes + i, 4));
  }
}

static void nothing_of_a_key_is_shown(void **state)
{
  (void)state;
  static const struct spec specs[] = {{1, 1, 16, {.created = 5}}, {1, 2, 24, {0}}, {2, 9, 32, {0}}};
  char *text = json_of(specs, COUNT(specs), KH_CIPHER_AES_CBC);
  for (size_t i = 0; i < COUNT(specs); i++)
    assert_not_in(text, &specs[i]);
  free(text);
}

/* 10,000 keys with 10 versions each, read and computed again by Python */
static void a_big_table(void **state)
{
  (void)state;
  enum { IDS = 10000, VERSIONS = 10 };
  static struct spec specs[IDS * VERSIONS];
  for (uint32_t i = 0; i < COUNT(specs); i++)
    specs[i] = (struct spec){(i % IDS) * 400009u + 1,
                             i / IDS * 3 + 1,
                             16 + 8 * (i % 3),
                             {.created = i, .rotate = 1 + i, .cipher = (uint8_t)(i % 5)}};
  char *text = json_of(specs, COUNT(specs), KH_CIPHER_AES_CTR);
  const char *path = test_file("inventory.json", text, strlen(text), 0600);
  test_run("python3 '%s' '%s' %d %d", checker, path, IDS, VERSIONS);
  free(text);
}

static void assert_no_memory(const kh_keytable *table, bool *failing)
{
  char nothing[] = "untouched";
  char *text = nothing;
  size_t len = 77;
  *failing = true;
  assert_int_equal(kh_inventory_json(table, KH_CIPHER_AES_CBC, &text, &len), KH_E_NO_MEMORY);
  *failing = false;
  assert_ptr_equal(text, nothing);
  assert_int_equal(len, 77);
}

static void without_memory(void **state)
{
  (void)state;
  static struct spec specs[1000]; /* more than a stream's buffer holds */
  for (uint32_t i = 0; i < COUNT(specs); i++)
    specs[i] = (struct spec){.id = 1, .version = 1 + i, .len = 16};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  assert_no_memory(table, &fails.opening);
  assert_no_memory(table, &fails.writing);
  assert_no_memory(table, &fails.closing);
  kh_keytable_free(&table);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_keys),
      cmocka_unit_test(a_key_without_attributes),
      cmocka_unit_test(keys_and_versions_in_their_order),
      cmocka_unit_test(the_default_cipher),
      cmocka_unit_test(a_default_cipher_that_is_not_known),
      cmocka_unit_test(a_rotation_beyond_the_clock_is_never),
      cmocka_unit_test(nothing_of_a_key_is_shown),
      cmocka_unit_test(a_big_table),
      cmocka_unit_test(without_memory),
  };
  if (argc < 2)
    return 2;
  checker = argv[1];
  return cmocka_run_group_tests(tests, NULL, NULL);
}
