/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file prepare.h
 * The slow half of a change: reads or writes the store, and prepares the table. Each function
 * returns a token for kh_keeper_commit().
 */
#ifndef KEYHOLD_KEEPER_PREPARE_H
#define KEYHOLD_KEEPER_PREPARE_H

#include "state.h"

/** How a reload is made. All zero: as a statement asks for it. */
typedef struct kh_reload_how {
  kh_store_reason reason;
  bool finished_only; /* refuse a content that may be incomplete */
} kh_reload_how;

/** Prepares a reload, as kh_keeper_prepare_reload(). @return its codes, and
 * kh_store_content.doubt. */
KH_MUST_USE kh_status kh_prepare_reload(kh_keeper *keeper, const kh_reload_how *how,
                                        kh_keeper_token *ret_token, kh_fault *ret_fault);

/**
 * Notes in the statistics how a reload went. kh_prepare_reload() does so. Thread-safe.
 *
 * @param fault  why it failed; not looked at with KH_OK.
 */
void kh_prepare_note_reload(kh_keeper *keeper, kh_status status, const kh_fault *fault);

/**
 * Loads the store's content and checks whether it has every key in force:
 * kh_keytable_check_follows(). Puts nothing in force. Notes in the statistics how many versions it
 * lacks, unless the store was not looked at (KH_CLASS_UNTRIED). Thread-safe; waits as
 * kh_keeper_prepare_reload().
 *
 * @return KH_OK, the codes of the store's `load` and of kh_keytable_check_follows(),
 * KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_prepare_check(kh_keeper *keeper, kh_fault *ret_fault);

/** Notes in the statistics that the store has every key in force (KH_OK), or that none can be read
 * from it. Thread-safe. */
void kh_prepare_note_unsaved(kh_keeper *keeper, kh_status status);

/** Prepares a rotation, as kh_keeper_prepare_rotation().
 *
 * @param due_only  rotate only keys that are due. */
KH_MUST_USE kh_status kh_prepare_rotation(kh_keeper *keeper, uint32_t id, bool due_only,
                                          kh_keeper_token *ret_token, kh_fault *ret_fault);

/**
 * Prepares a table of the keys in force and those that a look-up found.
 *
 * @param found      stays the caller's.
 * @param ret_token  untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_KEY_CHANGED, KH_E_CIPHER_CHANGED: `found` has another key or cipher for a
 * version in force; KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe.
 */
KH_MUST_USE kh_status kh_prepare_found(kh_keeper *keeper, const kh_keylist *found,
                                       kh_keeper_token *ret_token, kh_fault *ret_fault);

#endif
