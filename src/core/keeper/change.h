/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file change.h
 * A table that may replace the one in force: how it is made from the content of a store, and what
 * it must contain.
 */
#ifndef KEYHOLD_KEEPER_CHANGE_H
#define KEYHOLD_KEEPER_CHANGE_H

#include "state.h"

/**
 * Makes the table of a store's content, with the retired versions of `known`; warns if it is not
 * locked in memory. Compares nothing.
 *
 * @param known       the table that it replaces, or NULL.
 * @param ret_change  its token, fingerprint and message stay empty; untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_change_make(const kh_keeper *keeper, const kh_store_content *content,
                                     const kh_keytable *known, kh_change *ret_change,
                                     kh_fault *ret_fault);

/** Checks whether a change may replace a table: kh_keytable_check_follows(), with the store's place
 * in the fault. */
KH_MUST_USE kh_status kh_change_check(const kh_keeper *keeper, const kh_change *change,
                                      const kh_keytable *old, kh_fault *ret_fault);

/** Warns of what will make a later rotation of these keys fail: kh_keytable_foresee(). */
void kh_change_warn(const kh_keeper *keeper, const kh_keytable *table);

/** Records a change that is now in force, for the statistics and the next change. The caller holds
 * the mutex `state`, or no other thread knows the keeper yet. */
void kh_change_note_in_force(kh_keeper *keeper, const kh_change *change);

/**
 * Notes how a load or reload went, for the statistics. With the mutex `state` held, or before
 * another thread knows the keeper.
 *
 * @param fault  why it failed; not looked at with KH_OK.
 */
void kh_change_note_load(kh_keeper *keeper, kh_status status, const kh_fault *fault);

#endif
