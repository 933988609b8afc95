/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file log_messages.h
 * The keeper's lines for the log: which store, which key ids, which versions.
 */
#ifndef KEYHOLD_KEEPER_LOG_MESSAGES_H
#define KEYHOLD_KEEPER_LOG_MESSAGES_H

#include "state.h"

/** Describes the keys that were loaded at the start, with as many of the latest versions as fit. */
kh_message kh_message_loaded(const kh_keeper *keeper, const kh_change *change);

/**
 * Describes latest versions that are less than KH_ROTATION_STEP above the ones before, so that
 * InnoDB leaves the data at those.
 *
 * @param old  the table that is replaced.
 * @return an empty text if there are none.
 */
kh_message kh_message_steps(const kh_change *change, const kh_keytable *old);

/**
 * Describes a change.
 *
 * @param what  what happened to the store: "reloaded", "rotated".
 * @param old   the table that is replaced; its versions are not listed.
 */
kh_message kh_message_changed(const kh_keeper *keeper, const char *what, const kh_change *change,
                              const kh_keytable *old);

#endif
