/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/keytable.h"

static void copy(const kh_key *key, uint32_t line, kh_keylist *list)
{
  kh_key *place = kh_keylist_next(list);
  *place = *key;
  place->line = line;
  kh_keylist_commit(list);
}

/* what is retired, with the keys that `known` has for it */
static kh_status copy_retired(const kh_keylist *list, const kh_keytable *known, kh_keylist *all)
{
  kh_status status = KH_OK;
  for (size_t i = 0; i < kh_keylist_retired_count(list) && status == KH_OK; i++) {
    const kh_retired *retired = kh_keylist_retired_at(list, i);
    const kh_key *key = kh_keytable_find(known, retired->id, retired->version);
    if (key != NULL)
      copy(key, retired->line, all);
    status = kh_keylist_retire(all, retired);
  }
  return status;
}

kh_status kh_keytable_new_after(const kh_keylist *list, const kh_keytable *known,
                                kh_keytable **ret_table)
{
  KH_AUTO_KEYLIST all = NULL;
  size_t retired = kh_keylist_retired_count(list);
  if (known == NULL || retired == 0)
    return kh_keytable_new(list, ret_table);
  kh_status status = kh_keylist_new(kh_keylist_count(list) + retired, &all);
  if (status == KH_OK)
    status = copy_retired(list, known, all);
  if (status != KH_OK)
    return status;
  for (size_t i = 0; i < kh_keylist_count(list); i++) /* behind: the last one of a version counts */
    copy(kh_keylist_at(list, i), kh_keylist_at(list, i)->line, all);
  return kh_keytable_new(all, ret_table);
}
