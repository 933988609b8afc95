/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file thread.h
 * What each thread caches for the engines: made at its first message, wiped and freed when the
 * thread ends or the plugin does. No other thread touches it in between.
 */
#ifndef KEYHOLD_CRYPT_THREAD_H
#define KEYHOLD_CRYPT_THREAD_H

#include <stddef.h>

#include "engine.h"
#include "keyhold/status.h"

/** All threads' areas of one kh_crypt. */
typedef struct kh_threads kh_threads;

/**
 * Prepares areas of threads for the open engines.
 *
 * @param engines  the KH_ENGINES engines; must outlive the result.
 * @param opened   the results of their open(), NULL for one that is not in use; must outlive the
 * result, and is filled before the first area is used.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO (the process has no thread-specific keys left).
 */
KH_MUST_USE kh_status kh_threads_new(const kh_engine *const *engines, void *const *opened,
                                     kh_threads **ret_threads);

/** Wipes and frees the areas of all threads, ended or not; sets the pointer to NULL. None may be
 * using its own; threads may be ending. A thread that lives on keeps some 50 bytes without a secret
 * until the process ends. */
void kh_threads_free(kh_threads **threads);

/** Returns the calling thread's area for an engine; NULL: no memory. Counts a use; every
 * KH_SCHEDULE_SWEEP uses all engines wipe old schedules. Allocates only at a thread's first call.
 */
kh_area *kh_threads_area(kh_threads *threads, size_t engine);

/** Wipes and frees what the calling thread caches; its next message starts anew. Not while it has a
 * GCM message under way. */
void kh_threads_forget(kh_threads *threads);

/** Returns the number of threads that have areas now. */
size_t kh_threads_count(kh_threads *threads);

#endif
