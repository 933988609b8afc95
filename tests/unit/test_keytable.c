/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keytables.h"
#include "unit.h"

struct spec {
  uint32_t id, version, len;
};

/* bytes made of a key's id, version and place in the list */
static void make_bytes(uint8_t *bytes, const struct spec *spec, size_t place)
{
  for (uint32_t i = 0; i < spec->len; i++)
    bytes[i] = (uint8_t)(spec->id * 31 + spec->version * 7 + (uint32_t)place * 3 + i);
}

static void fill_key(const void *specs, size_t place, kh_key *ret_key)
{
  const struct spec *spec = (const struct spec *)specs + place;
  ret_key->id = spec->id;
  ret_key->version = spec->version;
  ret_key->len = spec->len;
  make_bytes(ret_key->bytes, spec, place);
}

static void assert_key(const kh_keytable *table, const struct spec *spec, size_t place)
{
  uint8_t expected[KH_KEY_MAX];
  make_bytes(expected, spec, place);
  const kh_key *key = kh_keytable_find(table, spec->id, spec->version);
  assert_non_null(key);
  assert_int_equal(key->id, spec->id);
  assert_int_equal(key->version, spec->version);
  assert_int_equal(key->len, spec->len);
  assert_memory_equal(key->bytes, expected, spec->len);
}

static void an_empty_table_finds_nothing(void **state)
{
  (void)state;
  kh_keytable *table = keytable_of(NULL, 0, fill_key);
  uint32_t version = 77;
  for (uint32_t id = 0; id < 100; id++) {
    assert_int_equal(kh_keytable_latest(table, id, &version), KH_E_KEY_NOT_FOUND);
    assert_null(kh_keytable_find(table, id, 1));
  }
  assert_int_equal(version, 77);
  assert_int_equal(kh_keytable_id_count(table), 0);
  kh_keytable_free(&table);
  assert_null(table);
}

static void keys_of_every_length_and_the_largest_numbers(void **state)
{
  (void)state;
  static const struct spec specs[] = {
      {1, 1, 16}, {4294967295u, 4294967294u, 32}, {2, 5, 24}, {4294967295u, 1, 16}};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  uint32_t version;
  for (size_t i = 0; i < COUNT(specs); i++)
    assert_key(table, &specs[i], i);
  assert_int_equal(kh_keytable_latest(table, 4294967295u, &version), KH_OK);
  assert_int_equal(version, 4294967294u);
  assert_int_equal(kh_keytable_latest(table, 2, &version), KH_OK);
  assert_int_equal(version, 5);
  assert_int_equal(kh_keytable_id_count(table), 3);
  assert_int_equal(kh_keytable_version_count(table), 4);
  kh_keytable_free(&table);
}

static void versions_that_are_not_there(void **state)
{
  (void)state;
  static const struct spec specs[] = {{1, 10, 16}, {1, 20, 16}, {1, 30, 16}};
  static const uint32_t absent[] = {0, 1, 9, 11, 19, 21, 29, 31, 4294967295u};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  for (size_t i = 0; i < COUNT(absent); i++)
    assert_null(kh_keytable_find(table, 1, absent[i]));
  kh_keytable_free(&table);
}

static void the_last_of_repeated_versions_counts(void **state)
{
  (void)state;
  static const struct spec specs[] = {{1, 1, 16}, {2, 1, 16}, {1, 1, 32}, {2, 1, 24}, {1, 1, 24}};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  assert_key(table, &specs[4], 4);
  assert_key(table, &specs[3], 3);
  assert_int_equal(kh_keytable_version_count(table), 2);
  kh_keytable_free(&table);
}

/* the order of the file does not decide which version is the latest */
static void the_latest_is_the_highest(void **state)
{
  (void)state;
  static const struct spec specs[] = {{1, 3, 16}, {1, 9, 16}, {1, 4, 16}};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  uint32_t version;
  assert_int_equal(kh_keytable_latest(table, 1, &version), KH_OK);
  assert_int_equal(version, 9);
  kh_keytable_free(&table);
}

static void ten_thousand_keys_of_ten_versions(void **state)
{
  (void)state;
  enum { IDS = 10000, VERSIONS = 10 };
  static struct spec specs[IDS * VERSIONS];
  for (size_t i = 0; i < COUNT(specs); i++)
    specs[i] = (struct spec){(uint32_t)(i % IDS) * 400009u + 1, (uint32_t)(i / IDS) * 3 + 1,
                             16 + 8 * (uint32_t)(i % 3)};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  uint32_t version;
  for (size_t i = 0; i < COUNT(specs); i++) {
    assert_key(table, &specs[i], i);
    assert_int_equal(kh_keytable_latest(table, specs[i].id, &version), KH_OK);
    assert_int_equal(version, (VERSIONS - 1) * 3 + 1);
    assert_int_equal(kh_keytable_latest(table, specs[i].id + 1, &version), KH_E_KEY_NOT_FOUND);
  }
  kh_keytable_free(&table);
}

static void keys_cannot_be_written(void **state)
{
  (void)state;
  static const struct spec specs[] = {{1, 1, 16}};
  kh_keytable *table = keytable_of(specs, 1, fill_key);
  const kh_key *key = kh_keytable_find(table, 1, 1);
  assert_non_null(key);
  pid_t child = fork();
  if (child == 0) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL); /* cmocka and the sanitizers have their own */
    *(volatile uint8_t *)(uintptr_t)key->bytes = 1;
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGSEGV);
  kh_keytable_free(&table);
}

static void places_go_by_id_and_version(void **state)
{
  (void)state;
  static const struct spec specs[] = {{2, 7, 16}, {1, 9, 16}, {2, 3, 16}, {9, 1, 16}};
  static const size_t order[] = {1, 2, 0, 3};
  static const bool latest[] = {true, false, true, true};
  kh_keytable *table = keytable_of(specs, COUNT(specs), fill_key);
  for (size_t i = 0; i < COUNT(order); i++) {
    assert_int_equal(kh_keytable_at(table, i)->id, specs[order[i]].id);
    assert_int_equal(kh_keytable_at(table, i)->version, specs[order[i]].version);
    assert_int_equal(kh_keytable_is_latest(table, i), latest[i]);
  }
  kh_keytable_free(&table);
}

/* one key version: what it is, and what it is encrypted with */
struct line {
  uint32_t id, version, len;
  uint8_t first; /* byte of the key */
  kh_cipher cipher;
};

static void fill_from_line(const void *lines, size_t place, kh_key *ret_key)
{
  const struct line *line = (const struct line *)lines + place;
  ret_key->id = line->id;
  ret_key->version = line->version;
  ret_key->len = line->len;
  ret_key->line = 10 + (uint32_t)place;
  ret_key->bytes[0] = line->first;
  ret_key->policy.cipher = (uint8_t)line->cipher;
}

static void ciphers_are_noticed(void **state)
{
  (void)state;
  static const struct line lines[] = {{1, 1, 16, 1, 0}, {1, 2, 16, 1, KH_CIPHER_AES_CTR}};
  kh_keytable *table = keytable_of(lines, 1, fill_from_line);
  assert_false(kh_keytable_has_ciphers(table));
  kh_keytable_free(&table);
  table = keytable_of(lines, 2, fill_from_line);
  assert_true(kh_keytable_has_ciphers(table));
  kh_keytable_free(&table);
}

/* three key ids, whose latest versions have these attributes; the older version of each is due at
 * once, which does not count */
static kh_keytable *table_with_policies(const kh_policy *latest)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  assert_int_equal(kh_keylist_new(6, &list), KH_OK);
  for (uint32_t id = 1; id <= 3; id++) {
    kh_keylist_add_random(list, id, 1, 16, &(kh_policy){.created = 1, .rotate = 1});
    kh_keylist_add_random(list, id, 3, 16, &latest[id - 1]);
  }
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  return table;
}

static kh_status check_redo_log(kh_cipher before, kh_cipher latest, kh_cipher unset,
                                kh_fault *ret_fault)
{
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  assert_int_equal(kh_keylist_new(3, &list), KH_OK);
  kh_keylist_add_random(list, 1, 1, 32, &(kh_policy){.cipher = (uint8_t)before});
  kh_keylist_add_random(list, 1, 3, 32, &(kh_policy){.cipher = (uint8_t)latest});
  kh_keylist_add_random(list, 2, 5, 32, &(kh_policy){.cipher = KH_CIPHER_AES_CTR});
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  return kh_keytable_check_redo_log(table, unset, ret_fault);
}

static void the_cipher_of_the_redo_log(void **state)
{
  (void)state;
  static const struct {
    kh_cipher latest, unset;
    const char *name, *shown;
  } cases[] = {
      {KH_CIPHER_AES_CTR, KH_CIPHER_AES_CBC, "aes-ctr", "rows"},
      {KH_CIPHER_AES256_CTR, KH_CIPHER_AES_CBC, "aes256-ctr", "rows"},
      {KH_CIPHER_AES_CBC, KH_CIPHER_AES_CTR, "aes-cbc", "parts of rows"},
      {KH_CIPHER_AES256_CBC, KH_CIPHER_UNSET, "aes256-cbc", "parts of rows"},
      {KH_CIPHER_UNSET, KH_CIPHER_AES_CTR, "aes-ctr", "rows"},
      {KH_CIPHER_UNSET, KH_CIPHER_AES_CBC, "aes-cbc", "parts of rows"},
      {KH_CIPHER_UNSET, KH_CIPHER_UNSET, "default", "rows, or with aes_cbc parts of rows,"},
  };
  kh_fault fault;
  for (size_t i = 0; i < COUNT(cases); i++) {
    assert_int_equal(check_redo_log(KH_CIPHER_AES256_XTS, cases[i].latest, cases[i].unset, &fault),
                     KH_E_CIPHER_REDO_LOG);
    assert_int_equal(fault.key_id, 1);
    assert_int_equal(fault.key_version, 3);
    assert_string_equal(fault.name, cases[i].name);
    char shown[100];
    snprintf(shown, sizeof shown,
             "so a copy of them shows %s without the key; 'keyhold rotate --id=1 ", cases[i].shown);
    assert_non_null(strstr(fault.advice, shown));
  }
  assert_int_equal(
      check_redo_log(KH_CIPHER_AES256_XTS, KH_CIPHER_AES256_XTS, KH_CIPHER_AES_CTR, &fault), KH_OK);
}

/* The redo log keeps the version that it was made with. */
static void an_older_cipher_of_the_redo_log(void **state)
{
  (void)state;
  kh_fault fault;
  assert_int_equal(check_redo_log(KH_CIPHER_UNSET, KH_CIPHER_AES256_XTS, KH_CIPHER_AES_CBC, &fault),
                   KH_E_CIPHER_REDO_LOG);
  assert_int_equal(fault.key_version, 1);
  assert_string_equal(fault.name, "aes-cbc");
  assert_non_null(strstr(fault.advice, "may use this version until they are rebuilt, and a copy of "
                                       "such files shows parts of rows without the key; rebuild"));
  assert_int_equal(
      check_redo_log(KH_CIPHER_AES256_CTR, KH_CIPHER_AES256_XTS, KH_CIPHER_UNSET, NULL),
      KH_E_CIPHER_REDO_LOG);
}

static void the_highest_version_counts_retired_ones(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  assert_int_equal(kh_keylist_new(4, &list), KH_OK);
  for (uint32_t id = 1; id <= 4; id++)
    kh_keylist_add_random(list, id, 5, 16, &(kh_policy){0});
  static const kh_retired retired[] = {{2, 9, 0}, {2, 1, 0}, {3, 3, 0}, {7, 70, 0}};
  for (size_t i = 0; i < COUNT(retired); i++)
    assert_int_equal(kh_keylist_retire(list, &retired[i]), KH_OK);
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  static const uint32_t highest[] = {0, 5, 9, 5, 5, 0, 0, 0};
  for (uint32_t id = 0; id < COUNT(highest); id++)
    assert_int_equal(kh_keytable_highest(table, id), highest[id]);
}

struct foreseen {
  kh_status status[8];
  uint32_t id[8];
  size_t count;
};

static void note_foreseen(void *user, const kh_fault *fault)
{
  struct foreseen *seen = user;
  seen->status[seen->count] = fault->status;
  seen->id[seen->count++] = fault->key_id;
}

static void what_will_hold_up_a_rotation_is_named(void **state)
{
  (void)state;
  enum { NOW = 1000000000 };
  static const struct {
    uint32_t id, version;
    kh_policy policy;
  } keys[] = {
      {1, 1, {0}},
      {1, 1000001, {0}}, /* as far as may be */
      {2, 1000002, {0}},
      {3, KH_KEY_VERSION_MAX - KH_VERSION_JUMP, {0}},
      {4, KH_KEY_VERSION_MAX, {0}},
      {5, 1, {.created = NOW + KH_CLOCKS_APART_MAX, .rotate = 60}},
      {6, 1, {.created = NOW + KH_CLOCKS_APART_MAX + 1, .rotate = 60}},
      {7, 1, {.created = NOW + 2 * KH_CLOCKS_APART_MAX}}, /* never rotated automatically */
      {8, 1, {.created = NOW + 2 * KH_CLOCKS_APART_MAX, .rotate = 60}},
      {8, 3, {.created = NOW, .rotate = 60}}, /* the latest one counts */
  };
  static const struct foreseen expected = {
      {KH_E_VERSION_JUMP, KH_E_VERSION_JUMP, KH_E_VERSION_ENDS, KH_E_CREATED_LATER},
      {2, 3, 4, 6},
      4};
  KH_AUTO_KEYLIST list = NULL;
  KH_AUTO_KEYTABLE table = NULL;
  struct foreseen seen = {.count = 0};
  kh_faults faults = {.add = note_foreseen, .user = &seen};
  assert_int_equal(kh_keylist_new(COUNT(keys), &list), KH_OK);
  for (size_t i = 0; i < COUNT(keys); i++)
    kh_keylist_add_random(list, keys[i].id, keys[i].version, 16, &keys[i].policy);
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  kh_keytable_foresee(table, NOW, &faults);
  assert_int_equal(faults.count, expected.count);
  assert_memory_equal(&seen, &expected, sizeof seen);
}

static void the_first_latest_version_that_is_due(void **state)
{
  (void)state;
  static const struct {
    kh_policy latest[3];
    uint64_t due;
    uint32_t interval;
  } cases[] = {
      {{{0}, {0}, {0}}, KH_POLICY_NEVER, 77}, /* untouched */
      {{{.created = 500, .rotate = 100}, {0}, {0}}, 600, 100},
      {{{0}, {.created = 500, .rotate = 100}, {.created = 510, .rotate = 80}}, 590, 80},
      {{{.created = 500, .rotate = 100}, {.rotate = 90}, {.created = 5}}, 90, 90},
      {{{.created = 500, .rotate = 50}, {0}, {.created = 450, .rotate = 100}}, 550, 50},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    KH_AUTO_KEYTABLE table = table_with_policies(cases[i].latest);
    uint32_t interval = 77;
    assert_true(kh_keytable_first_due(table, &interval) == cases[i].due);
    assert_true(kh_keytable_first_due(table, NULL) == cases[i].due);
    assert_int_equal(interval, cases[i].interval);
  }
}

static void how_many_keys_are_due(void **state)
{
  (void)state;
  static const kh_policy latest[] = {
      {.created = 500, .rotate = 100}, {.rotate = 90}, {.created = 5}};
  KH_AUTO_KEYTABLE table = table_with_policies(latest);
  static const struct {
    uint64_t now;
    size_t due;
  } cases[] = {{0, 0}, {89, 0}, {90, 1}, {599, 1}, {600, 2}, {UINT32_MAX, 2}};
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_int_equal(kh_keytable_count_due(table, cases[i].now), cases[i].due);
}

/* older versions than the latest have 1 as their time of creation */
static void the_oldest_of_the_latest_versions(void **state)
{
  (void)state;
  static const struct {
    kh_policy latest[3];
    uint32_t oldest;
  } cases[] = {
      {{{0}, {0}, {0}}, 0},
      {{{.created = 500}, {0}, {0}}, 500},
      {{{0}, {.created = 500, .rotate = 1}, {.created = 499}}, 499},
      {{{.created = 1}, {.created = UINT32_MAX}, {.created = 2}}, 1},
      {{{0}, {.created = UINT32_MAX}, {0}}, UINT32_MAX},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    KH_AUTO_KEYTABLE table = table_with_policies(cases[i].latest);
    assert_int_equal(kh_keytable_oldest_latest(table), cases[i].oldest);
  }
}

static const struct line in_use[] = {
    {1, 1, 32, 7, KH_CIPHER_UNSET}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}, {5, 1, 16, 9, 0}};

static const struct {
  kh_status status;
  uint32_t id, version; /* of the wrong version */
  unsigned line;
  struct line lines[4];
} successors[] = {
    {KH_OK, 0, 0, 0, {{1, 1, 32, 7, 0}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}, {5, 1, 16, 9, 0}}},
    /* more versions, more ids */
    {KH_OK,
     0,
     0,
     0,
     {{1, 1, 32, 7, 0}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}, {5, 1, 16, 9, 0}, {1, 2, 16, 1, 0}}},
    /* the default, written explicitly */
    {KH_OK,
     0,
     0,
     0,
     {{1, 1, 32, 7, KH_CIPHER_AES_CBC},
      {1, 3, 32, 8, KH_CIPHER_AES256_CTR},
      {5, 1, 16, 9, KH_CIPHER_AES_CBC}}},
    {KH_E_KEY_LOST, 1, 3, 0, {{1, 1, 32, 7, 0}, {5, 1, 16, 9, 0}}},
    {KH_E_KEY_LOST, 5, 1, 0, {{1, 1, 32, 7, 0}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}}},
    {KH_E_KEY_CHANGED,
     5,
     1,
     12,
     {{1, 1, 32, 7, 0}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}, {5, 1, 16, 4, 0}}},
    /* the same first bytes, longer */
    {KH_E_KEY_CHANGED,
     5,
     1,
     12,
     {{1, 1, 32, 7, 0}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}, {5, 1, 24, 9, 0}}},
    {KH_E_CIPHER_CHANGED, 1, 3, 11, {{1, 1, 32, 7, 0}, {1, 3, 32, 8, 0}, {5, 1, 16, 9, 0}}},
    {KH_E_CIPHER_CHANGED,
     1,
     1,
     10,
     {{1, 1, 32, 7, KH_CIPHER_AES_CTR}, {1, 3, 32, 8, KH_CIPHER_AES256_CTR}, {5, 1, 16, 9, 0}}},
};

static size_t lines_of(const struct line *lines)
{
  size_t count = 0;
  while (count < 4 && lines[count].id != 0)
    count++;
  return count;
}

static void tables_that_may_follow(void **state)
{
  (void)state;
  kh_keytable *old = keytable_of(in_use, COUNT(in_use), fill_from_line);
  for (size_t i = 0; i < COUNT(successors); i++) {
    kh_keytable *table =
        keytable_of(successors[i].lines, lines_of(successors[i].lines), fill_from_line);
    kh_fault fault = {0};
    assert_int_equal(kh_keytable_check_follows(table, old, KH_CIPHER_AES_CBC, &fault),
                     successors[i].status);
    assert_int_equal(kh_keytable_check_follows(table, old, KH_CIPHER_AES_CBC, NULL),
                     successors[i].status);
    assert_int_equal(fault.status, successors[i].status);
    assert_int_equal(fault.key_id, successors[i].id);
    assert_int_equal(fault.key_version, successors[i].version);
    assert_int_equal(fault.line, successors[i].line);
    kh_keytable_free(&table);
  }
  kh_keytable_free(&old);
}

static void free_takes_nothing(void **state)
{
  (void)state;
  kh_keytable *table = NULL;
  kh_keytable_free(&table);
  kh_keytable_free(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_table_finds_nothing),
      cmocka_unit_test(keys_of_every_length_and_the_largest_numbers),
      cmocka_unit_test(versions_that_are_not_there),
      cmocka_unit_test(the_last_of_repeated_versions_counts),
      cmocka_unit_test(the_latest_is_the_highest),
      cmocka_unit_test(ten_thousand_keys_of_ten_versions),
      cmocka_unit_test(keys_cannot_be_written),
      cmocka_unit_test(places_go_by_id_and_version),
      cmocka_unit_test(ciphers_are_noticed),
      cmocka_unit_test(the_cipher_of_the_redo_log),
      cmocka_unit_test(an_older_cipher_of_the_redo_log),
      cmocka_unit_test(the_highest_version_counts_retired_ones),
      cmocka_unit_test(what_will_hold_up_a_rotation_is_named),
      cmocka_unit_test(the_first_latest_version_that_is_due),
      cmocka_unit_test(how_many_keys_are_due),
      cmocka_unit_test(the_oldest_of_the_latest_versions),
      cmocka_unit_test(tables_that_may_follow),
      cmocka_unit_test(free_takes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
