/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file work.h
 * What the parts of the keeper share inside this folder: its state, and the slow half of a change.
 */
#ifndef KEYHOLD_KEEPER_WORK_H
#define KEYHOLD_KEEPER_WORK_H

#include <pthread.h>

#include "keyhold/keeper.h"

/** What a key file was found to be. */
typedef struct kh_keyfile_info {
  const kh_keyfile_format *format;
  bool ends_line;
  kh_file_stamp stamp;
  bool locked; /* all memory that held it, into RAM */
} kh_keyfile_info;

/** A table that is ready to be put in force, and what will be said then. */
typedef struct kh_prepared {
  kh_keytable *table; /* NULL: nothing is prepared */
  kh_keyfile_info info;
  kh_fingerprint fingerprint; /* of the table: worked out here, where it may take its time */
  char message[KH_MESSAGE_MAX];
} kh_prepared;

/** The keeper's thread, and what it was told. All but `wake` under the mutex `state`. */
typedef struct kh_duty {
  pthread_t thread;
  bool running;
  bool stop;
  int wake; /* an eventfd; -1: there is no thread */
  kh_keeper_duties wanted;
} kh_duty;

/*
 * Two mutexes, taken in this order. `work` is held while files are read and written. `state` is
 * held for moments only, also by threads that hold locks of the server.
 *
 * The table in force may be exchanged by a thread that does not hold `work`. One that does can go
 * on reading the table that it found in force all the same: while `working`, a table that is
 * replaced is kept in `retired`. It is one at most, since only work prepares another one.
 */
struct kh_keeper {
  kh_keeper_options options;
  pthread_mutex_t work;
  pthread_mutex_t state;
  kh_keyring *ring;
  kh_prepared prepared;
  kh_keytable *retired;
  bool working;
  kh_keeper_stats stats;
  kh_file_stamp loaded; /* of the file that is in force */
  kh_duty duty;
};

/** A reload, of a file that has a line end behind its last line or of any. Otherwise as
 * kh_keeper_prepare_reload(); also KH_E_FILE_UNFINISHED. */
KH_MUST_USE kh_status kh_work_reload(kh_keeper *keeper, bool finished_only, kh_fault *ret_fault);

/** A rotation: of one key, of all (id 0), or of those that are due. Otherwise as
 * kh_keeper_prepare_rotation(). */
KH_MUST_USE kh_status kh_work_rotate(kh_keeper *keeper, uint32_t id, bool due_only,
                                     kh_fault *ret_fault);

/** Loads the file and makes its table, with what is retired of `known` (NULL: none is in force);
 * nothing is compared. The codes of kh_keeper_new(). */
KH_MUST_USE kh_status kh_work_load(const kh_keeper_options *options, const kh_keytable *known,
                                   kh_keytable **ret_table, kh_keyfile_info *ret_info,
                                   kh_fault *ret_fault);

#endif
