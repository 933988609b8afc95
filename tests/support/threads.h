/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file threads.h
 * Threads that a test starts together and waits for.
 */
#ifndef KEYHOLD_TEST_THREADS_H
#define KEYHOLD_TEST_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { THREADS_MAX = 16 };

/** What a thread does, with an object that all share and its own number, counted from 1. Returns
 * whether all was right. */
typedef bool threads_work(void *shared, size_t number);

/** The threads that run; all zero: none. Must not move while they run. */
typedef struct threads {
  size_t count;
  struct threads_one {
    pthread_t thread;
    threads_work *work;
    void *shared;
    size_t number;
  } at[THREADS_MAX];
} threads;

/** Starts so many more threads. */
void threads_start(threads *running, size_t count, threads_work *work, void *shared);

/** Waits for all. Asserts that each returned true. */
void threads_join(threads *running);

/** Starts threads and waits for them. */
void threads_run(size_t count, threads_work *work, void *shared);

#endif
