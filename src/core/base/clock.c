/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/clock.h"

#include <stddef.h>
#include <time.h>

static uint32_t system_now(void *unused)
{
  (void)unused;
  return (uint32_t)time(NULL);
}

kh_clock kh_clock_system(void)
{
  return (kh_clock){system_now, NULL};
}
