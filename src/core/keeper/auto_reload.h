/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file auto_reload.h
 * Reloads the key file when it changes: a duty of the keeper's thread.
 */
#ifndef KEYHOLD_KEEPER_AUTO_RELOAD_H
#define KEYHOLD_KEEPER_AUTO_RELOAD_H

#include "pace.h"
#include "work.h"

/** What the duty remembers. */
typedef struct kh_auto_reload {
  int events;              /* an inotify descriptor; -1: the folder cannot be watched */
  kh_file_stamp candidate; /* a change that is waited for to settle */
  int64_t candidate_since; /* in milliseconds of kh_clock_milliseconds(); 0: there is none */
  kh_file_stamp refused;   /* the change that failed, as `pace` says */
  int64_t missing_since;   /* likewise: the file is not there; 0: it is */
  kh_pace pace;
  kh_pace watch_pace;
} kh_auto_reload;

/** Begins to watch. A folder that cannot be watched is said in a warning; the file is looked at
 * every few seconds then. */
void kh_auto_reload_begin(kh_auto_reload *reload, kh_keeper *keeper);

/** Ends to watch. */
void kh_auto_reload_end(kh_auto_reload *reload);

/**
 * Looks at the file and reloads it if it has changed and settled. Called when there are events and
 * when the time has come.
 *
 * @return milliseconds until it wants to be called again.
 */
int64_t kh_auto_reload_step(kh_auto_reload *reload, kh_keeper *keeper);

#endif
