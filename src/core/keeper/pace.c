/* SPDX-License-Identifier: GPL-2.0-only */
#include "pace.h"

#include <string.h>

#include "keyhold/clock.h"

void kh_pace_fail(kh_pace *pace, int64_t shortest, int64_t longest, const kh_log *log,
                  const char *what, const kh_fault *fault)
{
  char sentence[KH_MESSAGE_MAX];
  kh_fault_describe(fault, sentence, sizeof sentence);
  if (strcmp(sentence, pace->said) != 0)
    kh_log_write(log, KH_LOG_WARNING, "%s: %s", what, sentence);
  memcpy(pace->said, sentence, sizeof sentence);
  pace->delay = pace->delay == 0 ? shortest : 2 * pace->delay;
  if (pace->delay > longest)
    pace->delay = longest;
  pace->next = kh_clock_milliseconds() + pace->delay;
}

void kh_pace_forget(kh_pace *pace)
{
  memset(pace, 0, sizeof *pace);
}
