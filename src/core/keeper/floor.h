/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file floor.h
 * The floor of new version numbers: a number is never given to two keys, not even when the store
 * has become an old copy of itself.
 */
#ifndef KEYHOLD_KEEPER_FLOOR_H
#define KEYHOLD_KEEPER_FLOOR_H

#include "state.h"

/**
 * Raises the floor of each key id to the highest version that a table has or had
 * (kh_keytable_highest()). The caller holds the mutex `preparing`, or no other thread knows the
 * keeper yet.
 *
 * @return KH_OK, KH_E_NO_MEMORY.
 */
KH_MUST_USE kh_status kh_floor_raise(kh_keeper *keeper, const kh_keytable *table);

/** Returns the highest version of a key id that was ready to be put in force in this process, or
 * that the server asked for in vain, implausible ones apart. 0: none. With the mutex `preparing`.
 * It is the function of a kh_version_floor.
 *
 * @param keeper  a kh_keeper. */
uint32_t kh_floor_of(const void *keeper, uint32_t id);

#endif
