/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/keylist.h"
#include "keyhold/random.h"
#include "unit.h"

static void add(kh_keylist *list, uint32_t id, uint32_t version, uint8_t fill)
{
  kh_key *key = kh_keylist_next(list);
  assert_non_null(key);
  key->id = id;
  key->version = version;
  key->len = 16;
  memset(key->bytes, fill, 16);
  kh_keylist_commit(list);
}

static void it_keeps_order_and_capacity(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  assert_int_equal(kh_keylist_new(2, &list), KH_OK);
  assert_int_equal(kh_keylist_count(list), 0);
  add(list, 7, 1, 'a');
  add(list, 3, 1, 'b');
  assert_null(kh_keylist_next(list));
  assert_int_equal(kh_keylist_count(list), 2);
  assert_int_equal(kh_keylist_at(list, 0)->id, 7);
  assert_int_equal(kh_keylist_at(list, 1)->bytes[15], 'b');
}

static void a_key_that_is_not_committed_is_wiped_by_the_next(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  assert_int_equal(kh_keylist_new(1, &list), KH_OK);
  memset(kh_keylist_next(list)->bytes, 'x', KH_KEY_MAX);
  assert_int_equal(kh_keylist_count(list), 0);
  assert_int_equal(kh_keylist_next(list)->bytes[0], 0);
}

static void no_room_and_too_much(void **state)
{
  (void)state;
  KH_AUTO_KEYLIST list = NULL;
  assert_int_equal(kh_keylist_new(SIZE_MAX, &list), KH_E_NO_MEMORY);
  assert_null(list);
  assert_int_equal(kh_keylist_new(0, &list), KH_OK);
  assert_null(kh_keylist_next(list));
}

static void sorting_is_by_id_version_and_place(void **state)
{
  (void)state;
  static const struct {
    uint32_t id, version;
  } keys[] = {{5, 2}, {4294967295u, 1}, {5, 1}, {1, 9}, {5, 2}, {1, 4294967294u}};
  static const uint32_t expected[] = {3, 5, 2, 0, 4, 1};
  KH_AUTO_KEYLIST list = NULL;
  uint32_t order[COUNT(keys)];
  assert_int_equal(kh_keylist_new(COUNT(keys), &list), KH_OK);
  for (size_t i = 0; i < COUNT(keys); i++)
    add(list, keys[i].id, keys[i].version, 'x');
  kh_keylist_sort(list, order);
  assert_memory_equal(order, expected, sizeof expected);
}

static void comparing_keys(void **state)
{
  (void)state;
  kh_key a = {.id = 1, .version = 2, .len = 16, .bytes = "0123456789abcdefx"};
  kh_key b = a;
  assert_true(kh_key_is_same_version(&a, &b));
  assert_true(kh_key_is_same_secret(&a, &b));
  b.bytes[16] = 'y'; /* after its length */
  assert_true(kh_key_is_same_secret(&a, &b));
  b.bytes[15] = 'y';
  assert_false(kh_key_is_same_secret(&a, &b));
  b = a;
  b.len = 24;
  b.version = 3;
  assert_false(kh_key_is_same_secret(&a, &b));
  assert_false(kh_key_is_same_version(&a, &b));
}

static void random_keys(void **state)
{
  (void)state;
  kh_policy policy = {.created = 7, .bits = 192};
  kh_keylist *list = NULL;
  assert_int_equal(kh_random_start(), KH_OK);
  assert_int_equal(kh_keylist_new(2, &list), KH_OK);
  kh_keylist_add_random(list, 5, 9, 16, &policy);
  kh_keylist_add_random(list, 5, 11, 32, &policy);
  assert_int_equal(kh_keylist_count(list), 2);
  const kh_key *a = kh_keylist_at(list, 0);
  const kh_key *b = kh_keylist_at(list, 1);
  assert_true(a->id == 5 && a->version == 9 && a->len == 16 && a->line == 0);
  assert_true(b->version == 11 && b->len == 32 && b->policy.created == 7 && b->policy.bits == 192);
  assert_memory_not_equal(a->bytes, b->bytes, 16);
  static const uint8_t zero[16];
  assert_memory_not_equal(b->bytes + 16, zero, 16); /* all of it is random */
  assert_memory_equal(a->bytes + 16, zero, 16);     /* and no byte after it */
  kh_keylist_free(&list);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_keeps_order_and_capacity),
      cmocka_unit_test(a_key_that_is_not_committed_is_wiped_by_the_next),
      cmocka_unit_test(no_room_and_too_much),
      cmocka_unit_test(sorting_is_by_id_version_and_place),
      cmocka_unit_test(comparing_keys),
      cmocka_unit_test(random_keys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
