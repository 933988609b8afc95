/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file state.h
 * The state of a keeper, which the files of this folder share. It includes no function of theirs.
 */
#ifndef KEYHOLD_KEEPER_STATE_H
#define KEYHOLD_KEEPER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "keyhold/keeper.h"
#include "keyhold/stop.h"

/** A line for the log. */
typedef struct kh_message {
  char text[KH_LINE_MAX];
} kh_message;

/** A table that is ready to be put in force, with the message to log then. */
typedef struct kh_change {
  kh_keeper_token token; /* 0: there is none */
  kh_keytable *table;
  bool is_whole;      /* it has all keys of the store and so replaces older changes */
  kh_store_mark mark; /* of the content that the table is from */
  const char *format;
  kh_fingerprint fingerprint; /* of the table: computed here, where it may take long */
  kh_message message;
  kh_message steps; /* the warning of kh_message_steps(); empty: none */
} kh_change;

/** The background thread and its settings. Protected by the mutex `state`, except `stop` and
 * `wake`.
 */
typedef struct kh_background {
  pthread_t thread;
  bool running;
  kh_stop stop;     /* the thread follows it */
  _Atomic int wake; /* an eventfd, made with the thread; -1: none */
  kh_keeper_background wanted;
} kh_background;

/** Key versions that were asked for and are not in force: id << 32 | version; 0: a free place. */
typedef struct kh_misses {
  _Atomic uint64_t places[KH_KEEPER_MISSES_MAX];
  _Atomic uint64_t noted;
  _Atomic uint64_t dropped;
  _Atomic bool is_full_noted; /* in the log */
  _Atomic uint64_t last;      /* as in `places`, also if it was dropped */
} kh_misses;

/** The highest version of a key id that must not be made again. */
typedef struct kh_floor {
  uint32_t id;
  uint32_t version;
} kh_floor;

/** All of them, sorted by id. */
typedef struct kh_floors {
  kh_floor *at;
  size_t count;
} kh_floors;

/*
 * Two mutexes, taken in this order. `preparing` is held while the store is read and written.
 * `state` is held for moments only, also by threads that hold locks of the server.
 *
 * The table in force may be exchanged by a thread that does not hold `preparing`. One that does can
 * go on reading `known`, the table that it found in force, all the same: if that is replaced, it is
 * kept in `replaced` until the thread is done.
 */
struct kh_keeper {
  kh_keeper_options options;
  kh_store store;
  pthread_mutex_t preparing;
  pthread_mutex_t state;
  kh_keyring *ring;
  kh_change prepared[KH_KEEPER_CHANGES_MAX]; /* in no order */
  kh_keeper_token last_token;                /* that was given out */
  kh_keeper_token token_in_force;            /* of the last whole change in force */
  const kh_keytable *known;                  /* NULL: no thread prepares something */
  kh_keytable *replaced;
  kh_floors floors;   /* with the mutex `preparing` */
  kh_store_mark mark; /* of the content that the last whole change is from */
  kh_keeper_stats stats;
  kh_background background;
  kh_misses misses; /* that the store has to look up */
  /* What the store does not have either. Apart, since any user can name unknown key ids. */
  kh_misses unknown_ids;
  kh_misses missing_versions;
  kh_misses implausible; /* versions that no rotation can have made */
};

/** Wakes the background thread, if it runs, so that it re-evaluates its tasks. Thread-safe; takes
 * no lock. */
static inline void kh_keeper_wake(const kh_keeper *keeper)
{
  uint64_t one = 1;
  int wake = atomic_load(&keeper->background.wake);
  if (wake >= 0)
    (void)!write(wake, &one, sizeof one);
}

#endif
