/* SPDX-License-Identifier: GPL-2.0-only */
#include "budget.h"

static int64_t least_of(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

void kh_budget_spend(kh_budget *budget, int64_t now, int64_t cost, bool is_refused)
{
  int64_t factor = KH_BUDGET_PAUSE_FIRST;
  if (is_refused && budget->refused_factor > 0)
    factor = least_of(2 * budget->refused_factor, KH_BUDGET_PAUSE_LAST);
  budget->refused_factor = is_refused ? factor : 0;
  int64_t most = KH_BUDGET_PAUSE_MAX / factor;
  budget->next = now + least_of(cost, most) * factor;
}

void kh_budget_reset(kh_budget *budget)
{
  *budget = (kh_budget){0};
}

int64_t kh_budget_left(const kh_budget *budget, int64_t now)
{
  return budget->next > now ? budget->next - now : 0;
}
