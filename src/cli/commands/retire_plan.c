/* SPDX-License-Identifier: GPL-2.0-only */
#include "retire_plan.h"

#include <assert.h>
#include <stdlib.h>

static bool is_asked_about(const kh_keytable *table, size_t index, uint32_t id)
{
  return !kh_keytable_is_latest(table, index) &&
         (id == 0 || kh_keytable_at(table, index)->id == id);
}

kh_status kh_cli_retire_plan_make(const kh_cli_retire_facts *facts, const kh_keytable *table,
                                  uint32_t id, unsigned forced, kh_cli_retire_plan *ret_plan)
{
  size_t count = kh_keytable_version_count(table);
  kh_cli_retire_plan plan = {.table = table, .at = calloc(count + 1, sizeof *plan.at)};
  if (plan.at == NULL)
    return KH_E_NO_MEMORY;
  for (size_t i = 0; i < count; i++) {
    if (!is_asked_about(table, i, id))
      continue;
    kh_cli_retire_need need = kh_cli_retire_need_of(facts, table, i);
    bool goes = kh_cli_retire_may_go(&need, forced);
    plan.at[plan.count++] = (kh_cli_retire_verdict){i, need, goes};
    plan.going += goes;
  }
  *ret_plan = plan;
  return KH_OK;
}

void kh_cli_retire_plan_free(kh_cli_retire_plan *plan)
{
  free(plan->at);
  *plan = (kh_cli_retire_plan){.at = NULL};
}

const kh_key *kh_cli_retire_plan_key(const kh_cli_retire_plan *plan, size_t i)
{
  return kh_keytable_at(plan->table, plan->at[i].index);
}

const kh_cli_retire_verdict *kh_cli_retire_plan_changed(const kh_cli_retire_plan *before,
                                                        const kh_cli_retire_plan *now)
{
  assert(before->table == now->table && before->count == now->count);
  for (size_t i = 0; i < before->count; i++)
    if (before->at[i].goes && !now->at[i].goes)
      return &now->at[i];
  return NULL;
}

kh_status kh_cli_retire_plan_removed(const kh_cli_retire_plan *plan, kh_keytable **ret_removed)
{
  KH_AUTO_KEYLIST list = NULL;
  kh_status status = kh_keylist_new(plan->going, &list);
  for (size_t i = 0; i < plan->count && status == KH_OK; i++) {
    if (!plan->at[i].goes)
      continue;
    *kh_keylist_next(list) = *kh_cli_retire_plan_key(plan, i);
    kh_keylist_commit(list);
  }
  return status == KH_OK ? kh_keytable_new(list, ret_removed) : status;
}
