/* SPDX-License-Identifier: GPL-2.0-only */
#include "retire_plan.h"

#include <assert.h>
#include <stdlib.h>

static bool is_asked_about(const kh_keytable *table, size_t index, uint32_t id)
{
  return !kh_keytable_is_latest(table, index) &&
         (id == 0 || kh_keytable_at(table, index)->id == id);
}

kh_status kh_cli_verdicts_make(const kh_cli_facts *facts, const kh_keytable *table, uint32_t id,
                               unsigned forced, kh_cli_verdicts *ret_verdicts)
{
  size_t count = kh_keytable_version_count(table);
  kh_cli_verdicts verdicts = {.table = table, .at = calloc(count + 1, sizeof *verdicts.at)};
  if (verdicts.at == NULL)
    return KH_E_NO_MEMORY;
  for (size_t i = 0; i < count; i++) {
    if (!is_asked_about(table, i, id))
      continue;
    kh_cli_need need = kh_cli_need_of(facts, table, i);
    bool goes = kh_cli_may_go(&need, forced);
    verdicts.at[verdicts.count++] = (kh_cli_verdict){i, need, goes};
    verdicts.going += goes;
  }
  *ret_verdicts = verdicts;
  return KH_OK;
}

void kh_cli_verdicts_free(kh_cli_verdicts *verdicts)
{
  free(verdicts->at);
  *verdicts = (kh_cli_verdicts){.at = NULL};
}

const kh_key *kh_cli_verdict_key(const kh_cli_verdicts *verdicts, size_t i)
{
  return kh_keytable_at(verdicts->table, verdicts->at[i].index);
}

const kh_cli_verdict *kh_cli_verdicts_changed(const kh_cli_verdicts *before,
                                              const kh_cli_verdicts *now)
{
  assert(before->table == now->table && before->count == now->count);
  for (size_t i = 0; i < before->count; i++)
    if (before->at[i].goes && !now->at[i].goes)
      return &now->at[i];
  return NULL;
}

kh_status kh_cli_verdicts_removed(const kh_cli_verdicts *verdicts, kh_keytable **ret_removed)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_status status = kh_keylist_new(verdicts->going, &list);
  for (size_t i = 0; i < verdicts->count && status == KH_OK; i++) {
    if (!verdicts->at[i].goes)
      continue;
    *kh_keylist_next(list) = *kh_cli_verdict_key(verdicts, i);
    kh_keylist_commit(list);
  }
  return status == KH_OK ? kh_keytable_new(list, ret_removed) : status;
}
