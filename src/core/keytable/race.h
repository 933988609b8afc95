/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file race.h
 * Tells ThreadSanitizer of an order between threads that it cannot see, since liburcu is not built
 * with it: what a thread did before a release comes before what another does after an acquire of
 * the same address. Nothing in other builds.
 */
#ifndef KEYHOLD_KEYTABLE_RACE_H
#define KEYHOLD_KEYTABLE_RACE_H

#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define kh_race_acquire(address) __tsan_acquire((void *)(address))
#define kh_race_release(address) __tsan_release((void *)(address))
#else
#define kh_race_acquire(address) ((void)(address))
#define kh_race_release(address) ((void)(address))
#endif

#endif
