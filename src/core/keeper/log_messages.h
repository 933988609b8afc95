/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file log_messages.h
 * The keeper's lines for the log: which store, which key ids, which versions.
 */
#ifndef KEYHOLD_KEEPER_LOG_MESSAGES_H
#define KEYHOLD_KEEPER_LOG_MESSAGES_H

#include "misses.h"

/** Describes the keys that were loaded at the start, with as many of the latest versions as fit. */
kh_message kh_message_loaded(const kh_keeper *keeper, const kh_change *change);

/**
 * Describes a change.
 *
 * @param what  what happened to the store: "reloaded", "rotated".
 * @param old   the table that is replaced; its versions are not listed.
 */
kh_message kh_message_changed(const kh_keeper *keeper, const char *what, const kh_change *change,
                              const kh_keytable *old);

/**
 * Describes latest versions that are less than KH_ROTATION_STEP above the ones before, so that
 * InnoDB leaves the data at those.
 *
 * @param old  the table that is replaced.
 * @return an empty text if there are none.
 */
kh_message kh_message_steps(const kh_change *change, const kh_keytable *old);

/**
 * Describes a key that the server asked for in vain: what it means, what to do, and which versions
 * there are, as many as fit.
 *
 * @param table  the table in force, which lacks it.
 */
kh_message kh_message_missing(const kh_keeper *keeper, kh_miss miss, const kh_keytable *table);

/** Warns of keys that the server asked for in vain and that come into force now. Empty if there are
 * none.
 *
 * @param old  the table that is replaced. */
kh_message kh_message_brought(const kh_keeper *keeper, const kh_keytable *table,
                              const kh_keytable *old);

#endif
