/* SPDX-License-Identifier: GPL-2.0-only */
#include "auto_lookup.h"

#include <stdio.h>

#include "prepare.h"

enum {
  LOOK_EVERY = 60000,
  ASK_AGAIN = 60000, /* after an answer of the store, which may have the key by then */
  RETRY_FIRST = 5000,
  RETRY_LAST = 300000,
};

static bool is_lookup_wanted(const kh_keeper *keeper, kh_keeper_background wanted)
{
  (void)wanted;
  return keeper->store.ops->lookup != NULL;
}

static void begin_looking_up(void *memory, kh_keeper *keeper)
{
  (void)keeper;
  kh_auto_lookup *lookup = memory;
  *lookup = (kh_auto_lookup){.backoff = {.shortest = RETRY_FIRST, .longest = RETRY_LAST}};
}

static kh_status look_up(kh_keeper *keeper, kh_miss miss, kh_fault *ret_fault)
{
  KH_AUTO_KEYLIST found = NULL;
  kh_keeper_token token;
  const kh_store *store = &keeper->store;
  kh_status status = store->ops->lookup(store->self, miss.id, miss.version, &found, ret_fault);
  if (status == KH_OK && kh_keylist_count(found) == 0)
    status = KH_E_KEY_NOT_FOUND;
  if (status == KH_OK)
    status = kh_prepare_found(keeper, found, &token, ret_fault);
  if (status == KH_OK)
    kh_keeper_commit(keeper, token);
  return status;
}

/* Returns whether a miss need not be looked up: the key is in force, or the store has answered
 * recently. An answer that is a minute old is forgotten with its miss, so that the next miss is
 * noted again. */
static bool is_answered(kh_auto_lookup *lookup, kh_keeper *keeper, size_t place, kh_miss miss)
{
  kh_answered *answered = &lookup->answered[place];
  bool was_asked = answered->miss.id == miss.id && answered->miss.version == miss.version;
  bool is_old = was_asked && kh_clock_milliseconds() - answered->since >= ASK_AGAIN;
  bool is_found = kh_miss_is_in(miss, kh_keyring_begin(keeper->ring));
  kh_keyring_end(keeper->ring);
  if (is_found || is_old) {
    *answered = (kh_answered){0};
    kh_misses_forget(&keeper->misses, place);
  }
  return is_found || was_asked;
}

/* returns false when the store did not answer, or its answer cannot be used */
static bool ask_for(kh_auto_lookup *lookup, kh_keeper *keeper, size_t place, kh_miss miss)
{
  kh_fault fault;
  char what[KH_MESSAGE_MAX];
  kh_status status = look_up(keeper, miss, &fault);
  if (status == KH_E_KEY_NOT_FOUND)
    kh_keeper_report_miss(keeper, miss);
  if (status == KH_OK || status == KH_E_KEY_NOT_FOUND) {
    lookup->answered[place] = (kh_answered){.miss = miss, .since = kh_clock_milliseconds()};
    return true;
  }
  snprintf(what, sizeof what, "key id %u version %u cannot be looked up", miss.id, miss.version);
  kh_backoff_fail(&lookup->backoff, &keeper->options.log, what, &fault, "");
  return false;
}

static int64_t look_for_misses(void *memory, kh_keeper *keeper)
{
  kh_auto_lookup *lookup = memory;
  bool has_asked = false;
  int64_t left = kh_backoff_left(&lookup->backoff);
  if (left > 0)
    return left < LOOK_EVERY ? left : LOOK_EVERY;
  size_t first = lookup->first;
  for (size_t i = 0; i < KH_KEEPER_MISSES_MAX; i++) {
    size_t place = (first + i) % KH_KEEPER_MISSES_MAX;
    kh_miss miss = kh_misses_at(&keeper->misses, place);
    if (miss.id == 0 || is_answered(lookup, keeper, place, miss))
      continue;
    if (!ask_for(lookup, keeper, place, miss)) {
      lookup->first = place + 1;
      return kh_backoff_left(&lookup->backoff);
    }
    has_asked = true;
  }
  if (has_asked)
    kh_backoff_reset(&lookup->backoff);
  return LOOK_EVERY;
}

const kh_task kh_auto_lookup_task = {
    .is_wanted = is_lookup_wanted,
    .begin = begin_looking_up,
    .step = look_for_misses,
};
