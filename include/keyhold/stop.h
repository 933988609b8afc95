/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file stop.h
 * A stop asks a thread to give up long work that no one waits for. Such work runs in a thread of
 * its own, which is left running when the stop is set: it ends later, or with the process.
 *
 * Work that may be left running must own everything that it uses, and use nothing that ends with
 * exit(): OpenSSL frees its own state then.
 */
#ifndef KEYHOLD_STOP_H
#define KEYHOLD_STOP_H

#include <stdbool.h>

/** A stop. All zero: it is not set. */
typedef struct kh_stop {
  bool is_set; /**< for stop.c only */
} kh_stop;

/** Work that may be left running. A constant. */
typedef struct kh_stop_work {
  const char *name;         /**< of the thread, at most 15 bytes */
  void (*run)(void *self);  /**< does the work */
  void (*free)(void *self); /**< wipes and frees what it owns */
} kh_stop_work;

/** How work ended. */
typedef enum kh_stop_end {
  KH_STOP_DONE,      /**< it is done, and `self` the caller's again */
  KH_STOP_LEFT,      /**< the stop was set: the work's thread frees `self` when it ends */
  KH_STOP_NOT_BEGUN, /**< the thread follows no stop, or no thread could be started; `self` is the
                        caller's */
} kh_stop_end;

/** Sets a stop for good, and wakes the threads that wait for work and follow it. Thread-safe. */
void kh_stop_set(kh_stop *stop);

/** Lets the calling thread follow a stop, which must outlive that. NULL: none, as each thread
 * begins. */
void kh_stop_follow(const kh_stop *stop);

/** Returns whether the calling thread follows a stop. */
bool kh_stop_is_followed(void);

/** Returns whether the stop that the calling thread follows is set; false: it follows none. */
bool kh_stop_is_set(void);

/**
 * Runs work in a thread of its own, and waits until it is done or the stop that the calling thread
 * follows is set. The work's thread has the caller's signal mask. Its processor time counts as the
 * caller's (kh_clock_thread_milliseconds()). Thread-safe.
 *
 * @param self  for the work's functions.
 */
kh_stop_end kh_stop_run(const kh_stop_work *work, void *self);

#endif
