/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file ticks.h
 * The processor's own clock, where it has one that a program may read.
 */
#ifndef KEYHOLD_BENCH_TICKS_H
#define KEYHOLD_BENCH_TICKS_H

#include <stdint.h>

/**
 * Ticks since some time. On x86-64 the time-stamp counter: it runs at a fixed rate, near the
 * processor's nominal frequency, whatever the core's is at the moment. Always 0 elsewhere.
 */
uint64_t kh_bench_ticks(void);

#endif
