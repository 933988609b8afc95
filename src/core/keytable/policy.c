/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/policy.h"

uint64_t kh_policy_due(const kh_policy *policy)
{
  return policy->rotate == 0 ? KH_POLICY_NEVER : (uint64_t)policy->created + policy->rotate;
}
