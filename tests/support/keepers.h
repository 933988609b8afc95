/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keepers.h
 * Keepers over a key file or a fake store, and questions that tests ask them.
 */
#ifndef KEYHOLD_TEST_KEEPERS_H
#define KEYHOLD_TEST_KEEPERS_H

#include <stdatomic.h>

#include "fake_store.h"
#include "keyhold/keeper.h"
#include "keyhold/store_file.h"
#include "recorder.h"

enum { KEEPER_START = 1000000000 };

/** The time of the clock of keeper_options(): KEEPER_START, unless a test sets it. */
extern _Atomic uint32_t keeper_now;

/** Set-up: sets the clock back. */
int keeper_reset_clock(void **state);

/** Returns options with aes-cbc, this log and the clock keeper_now. */
kh_keeper_options keeper_options(kh_log log);

/** Makes a keeper over a plain key file, as kh_keeper_new() does. The path must outlive the keeper.
 */
KH_MUST_USE kh_status file_keeper_new(const char *path, const kh_crypt *crypt,
                                      const kh_keeper_options *options, kh_keeper **ret_keeper,
                                      kh_fault *ret_fault);

/** Starts a fake store and a keeper over it, which must succeed; empties the
 * recorder. */
kh_keeper *fake_keeper_start(fake_store *fake, const kh_store_ops *ops, const fake_key *keys,
                             size_t count, recorder *said);

/** Returns the latest version in force; 0: the key does not exist. */
uint32_t keeper_latest(const kh_keeper *keeper, uint32_t id);

/** Waits until a version is the latest in force; it must become so within half a minute. */
void keeper_await_latest(const kh_keeper *keeper, uint32_t id, uint32_t version);

#endif
