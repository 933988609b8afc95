/* SPDX-License-Identifier: GPL-2.0-only */
#include "auto_rotate.h"

#include "keyhold/random.h"

enum {
  LOOK_EVERY = 60000, /* the system's clock may be turned, and the key file reloaded */
  RETRY_FIRST = 60000,
  RETRY_LAST = 3600000,
  JITTER_MAX = 3600,
  JITTER_PART = 10,
};

/* the latest version that is due first; its interval in *ret_interval */
static uint64_t first_due(const kh_keeper *keeper, uint32_t *ret_interval)
{
  uint64_t first = KH_POLICY_NEVER;
  const kh_keytable *table = kh_keyring_begin(keeper->ring);
  for (size_t i = 0; i < kh_keytable_version_count(table); i++) {
    const kh_policy *policy = &kh_keytable_at(table, i)->policy;
    if (!kh_keytable_is_latest(table, i) || kh_policy_due(policy) >= first)
      continue;
    first = kh_policy_due(policy);
    *ret_interval = policy->rotate;
  }
  kh_keyring_end(keeper->ring);
  return first;
}

static uint32_t draw_jitter(uint32_t interval)
{
  uint32_t most = interval / JITTER_PART;
  return kh_random_below((most < JITTER_MAX ? most : JITTER_MAX) + 1);
}

static void try_now(kh_auto_rotate *rotate, kh_keeper *keeper)
{
  kh_fault fault;
  if (kh_work_rotate(keeper, 0, true, &fault) == KH_OK) {
    kh_keeper_commit(keeper);
    kh_pace_forget(&rotate->pace);
    return;
  }
  kh_pace_fail(&rotate->pace, RETRY_FIRST, RETRY_LAST, &keeper->options.log,
               "the keys that are due were not rotated", &fault);
}

static int64_t shorter(uint64_t seconds)
{
  return seconds < LOOK_EVERY / 1000 ? (int64_t)seconds * 1000 : LOOK_EVERY;
}

int64_t kh_auto_rotate_step(kh_auto_rotate *rotate, kh_keeper *keeper)
{
  uint32_t interval = 0;
  uint64_t due = first_due(keeper, &interval);
  if (due == KH_POLICY_NEVER)
    return LOOK_EVERY;
  if (due != rotate->due) {
    rotate->due = due;
    rotate->jitter = draw_jitter(interval);
  }
  uint64_t now = kh_clock_now(&keeper->options.clock);
  if (now < due + rotate->jitter)
    return shorter(due + rotate->jitter - now);
  int64_t wait = rotate->pace.next - kh_clock_milliseconds();
  if (rotate->pace.delay > 0 && wait > 0)
    return wait < LOOK_EVERY ? wait : LOOK_EVERY;
  try_now(rotate, keeper);
  return rotate->pace.delay > 0 ? LOOK_EVERY : 0;
}
