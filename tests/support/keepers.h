/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keepers.h
 * Keepers over a key file, and what tests ask keepers.
 */
#ifndef KEYHOLD_TEST_KEEPERS_H
#define KEYHOLD_TEST_KEEPERS_H

#include "keyhold/keeper.h"
#include "keyhold/store_file.h"

/** A keeper over a plain key file; as kh_keeper_new(). The path must outlive the keeper. */
KH_MUST_USE kh_status file_keeper_new(const char *path, const kh_crypt *crypt,
                                      const kh_keeper_options *options, kh_keeper **ret_keeper,
                                      kh_fault *ret_fault);

/** The latest version in force; 0: there is no such key. */
uint32_t keeper_latest(const kh_keeper *keeper, uint32_t id);

/** Waits until a version is the latest in force; it must become so within half a minute. */
void keeper_await_latest(const kh_keeper *keeper, uint32_t id, uint32_t version);

#endif
