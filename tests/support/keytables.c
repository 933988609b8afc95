/* SPDX-License-Identifier: GPL-2.0-only */
#include "keytables.h"

#include "unit.h"

kh_keytable *keytable_of(const void *specs, size_t count, keytable_fill *fill)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_keytable *table = NULL;
  assert_int_equal(kh_keylist_new(count, &list), KH_OK);
  for (size_t i = 0; i < count; i++) {
    fill(specs, i, kh_keylist_next(list));
    kh_keylist_commit(list);
  }
  assert_int_equal(kh_keytable_new(list, &table), KH_OK);
  return table;
}
