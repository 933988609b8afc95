/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file task.h
 * A task of the background thread: a `const` table in a file of its own, and a line in
 * the array of background.c.
 */
#ifndef KEYHOLD_KEEPER_TASK_H
#define KEYHOLD_KEEPER_TASK_H

#include "state.h"

/** A task. Its functions are called by the background thread alone; `memory` is the task's own, of
 * the type that its header names. */
typedef struct kh_task {
  /** Returns whether the task is enabled by the current settings. */
  bool (*is_wanted)(const kh_keeper *keeper, kh_keeper_background wanted);

  /** Begins: fills `memory`. */
  void (*begin)(void *memory, kh_keeper *keeper);

  /** Runs the task. Called after `begin`, when the descriptor is readable, when the
   * thread is woken, and when the time has passed. @return milliseconds until the next call. */
  int64_t (*step)(void *memory, kh_keeper *keeper);

  /** Returns a descriptor to wait for, between begin and end; -1: none now. NULL: the task never
   * has one. */
  int (*descriptor)(const kh_keeper *keeper);

  /** Ends what `begin` began; NULL: nothing. */
  void (*end)(kh_keeper *keeper);
} kh_task;

#endif
