/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keytables.h
 * Key tables of keys that a test makes.
 */
#ifndef KEYHOLD_TEST_KEYTABLES_H
#define KEYHOLD_TEST_KEYTABLES_H

#include "keyhold/keytable.h"

/** Makes the key at this place, from 0, of a test's list; `ret_key` is all zero before. */
typedef void keytable_fill(const void *specs, size_t place, kh_key *ret_key);

/** Returns the table of so many keys. Fails the test if it cannot be made. */
kh_keytable *keytable_of(const void *specs, size_t count, keytable_fill *fill);

#endif
