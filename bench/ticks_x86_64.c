/* SPDX-License-Identifier: GPL-2.0-only */
#include <x86intrin.h>

#include "ticks.h"

uint64_t kh_bench_ticks(void)
{
  return __rdtsc();
}
