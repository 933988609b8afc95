/* SPDX-License-Identifier: GPL-2.0-only */
#include "backoff.h"

#include <string.h>

#include "keyhold/clock.h"

void kh_backoff_fail(kh_backoff *backoff, const kh_log *log, const char *what,
                     const kh_fault *fault, const char *advice)
{
  char sentence[KH_MESSAGE_MAX];
  kh_fault_describe(fault, sentence, sizeof sentence);
  if (strcmp(sentence, backoff->logged) != 0)
    kh_log_write(log, KH_LOG_WARNING, "%s: %s%s", what, sentence, advice);
  memcpy(backoff->logged, sentence, sizeof sentence);
  backoff->delay = backoff->delay == 0 ? backoff->shortest : 2 * backoff->delay;
  if (backoff->delay > backoff->longest)
    backoff->delay = backoff->longest;
  backoff->next = kh_clock_milliseconds() + backoff->delay;
}

void kh_backoff_reset(kh_backoff *backoff)
{
  *backoff = (kh_backoff){.shortest = backoff->shortest, .longest = backoff->longest};
}

bool kh_backoff_has_failed(const kh_backoff *backoff)
{
  return backoff->delay > 0;
}

int64_t kh_backoff_left(const kh_backoff *backoff)
{
  int64_t left = backoff->next - kh_clock_milliseconds();
  return kh_backoff_has_failed(backoff) && left > 0 ? left : 0;
}
