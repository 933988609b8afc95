/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file change.h
 * A table that may take the place of the one in force: how it is made of what a store gave, and
 * what it must not lack.
 */
#ifndef KEYHOLD_KEEPER_CHANGE_H
#define KEYHOLD_KEEPER_CHANGE_H

#include "state.h"

/**
 * Makes the table of a store's content, with what is retired of `known`; warns if it is not locked
 * into memory. Nothing is compared.
 *
 * @param known       the table that it follows; NULL: there is none.
 * @param ret_change  its token, fingerprint and message stay empty; untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_change_make(const kh_keeper *keeper, const kh_store_content *content,
                                     const kh_keytable *known, kh_change *ret_change,
                                     kh_fault *ret_fault);

/** Whether a change may take the place of a table: kh_keytable_check_follows(), with the store's
 * place in the fault. */
KH_MUST_USE kh_status kh_change_check(const kh_keeper *keeper, const kh_change *change,
                                      const kh_keytable *old, kh_fault *ret_fault);

/** Notes what is in force from now on, for the statistics and the next change. With the mutex
 * `state` held, or before another thread knows the keeper. */
void kh_change_note_in_force(kh_keeper *keeper, const kh_change *change);

/**
 * Notes how a load or reload went, for the statistics. With the mutex `state` held, or before
 * another thread knows the keeper.
 *
 * @param fault  why it failed; not looked at with KH_OK.
 */
void kh_change_note_load(kh_keeper *keeper, kh_status status, const kh_fault *fault);

#endif
