/* SPDX-License-Identifier: GPL-2.0-only */
#include "auto_rotate.h"

#include "change.h"
#include "keyhold/random.h"
#include "prepare.h"

enum {
  LOOK_EVERY = 60000, /* the system's clock may be set, and the keys reloaded */
  RETRY_FIRST = 60000,
  RETRY_LAST = 3600000,
  JITTER_MAX = 3600,
  JITTER_PART = 10,
};

static bool is_rotation_wanted(const kh_keeper *keeper, kh_keeper_background wanted)
{
  (void)keeper;
  return wanted.rotate;
}

static void begin_rotating(void *memory, kh_keeper *keeper)
{
  (void)keeper;
  kh_auto_rotate *rotate = memory;
  *rotate = (kh_auto_rotate){.backoff = {.shortest = RETRY_FIRST, .longest = RETRY_LAST}};
}

static uint32_t draw_jitter(uint32_t interval)
{
  uint32_t most = interval / JITTER_PART;
  return kh_random_below((most < JITTER_MAX ? most : JITTER_MAX) + 1);
}

/* returns when to rotate the first key in force, with its jitter; KH_POLICY_NEVER: never */
static uint64_t time_of_rotation(kh_auto_rotate *rotate, const kh_keeper *keeper)
{
  uint32_t interval = 0;
  uint64_t due = kh_keytable_first_due(kh_keyring_begin(keeper->ring), &interval);
  kh_keyring_end(keeper->ring);
  if (due == KH_POLICY_NEVER)
    return KH_POLICY_NEVER;
  if (due != rotate->due) {
    rotate->due = due;
    rotate->jitter = draw_jitter(interval);
  }
  return due + rotate->jitter;
}

/* A store may lose a new version, or date it by a wrong clock. The first time does not matter:
 * another server's version that was used instead may itself be due. */
static kh_status check_progress(kh_auto_rotate *rotate, const kh_keeper *keeper, uint64_t began,
                                kh_fault *ret_fault)
{
  bool was_left = rotate->has_left_due;
  rotate->has_left_due = kh_keytable_first_due(kh_keyring_begin(keeper->ring), NULL) <= began;
  kh_keyring_end(keeper->ring);
  return was_left && rotate->has_left_due ? kh_store_fail(&keeper->store, KH_E_STILL_DUE, ret_fault)
                                          : KH_OK;
}

static void rotate_now(kh_auto_rotate *rotate, kh_keeper *keeper, uint64_t began)
{
  kh_fault fault;
  kh_keeper_token token;
  kh_status status = kh_prepare_rotation(keeper, 0, true, &token, &fault);
  if (status == KH_OK) {
    kh_keeper_commit(keeper, token);
    status = check_progress(rotate, keeper, began, &fault);
  }
  if (status == KH_OK) {
    kh_backoff_reset(&rotate->backoff);
    return;
  }
  kh_backoff_fail(&rotate->backoff, &keeper->options.log, "keys due for rotation were not rotated",
                  &fault, "");
}

static int64_t milliseconds_to_look(uint64_t seconds)
{
  return seconds < LOOK_EVERY / 1000 ? (int64_t)seconds * 1000 : LOOK_EVERY;
}

static int64_t look_for_due_keys(void *memory, kh_keeper *keeper)
{
  kh_auto_rotate *rotate = memory;
  uint64_t now = kh_clock_now(&keeper->options.clock);
  uint64_t time = time_of_rotation(rotate, keeper);
  if (time == KH_POLICY_NEVER || now < time)
    return milliseconds_to_look(time - now);
  int64_t left = kh_backoff_left(&rotate->backoff);
  if (left > 0)
    return left < LOOK_EVERY ? left : LOOK_EVERY;
  rotate_now(rotate, keeper, now);
  return kh_backoff_has_failed(&rotate->backoff) ? LOOK_EVERY : 0;
}

const kh_task kh_auto_rotate_task = {
    .is_wanted = is_rotation_wanted,
    .begin = begin_rotating,
    .step = look_for_due_keys,
};
