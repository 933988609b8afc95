/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file say.h
 * The keeper's lines for the log: which file, which key ids, which versions.
 */
#ifndef KEYHOLD_KEEPER_SAY_H
#define KEYHOLD_KEEPER_SAY_H

#include "work.h"

/** A line for the log. */
typedef struct kh_line {
  char text[KH_MESSAGE_MAX];
} kh_line;

/** What was loaded at the start, with as many of the latest versions as there is room for. */
kh_line kh_say_loaded(const kh_keeper_options *options, const kh_keyfile_info *info,
                      const kh_keytable *table);

/**
 * What a change brings.
 *
 * @param what  what happened to the file: "reloaded", "rotated".
 * @param old   the table that is replaced; versions that it has are not named.
 */
kh_line kh_say_changed(const kh_keeper_options *options, const char *what,
                       const kh_keyfile_info *info, const kh_keytable *table,
                       const kh_keytable *old);

#endif
