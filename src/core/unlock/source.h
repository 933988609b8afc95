/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file source.h
 * A source of passphrases: a table in a file of its own, and one line in unlock.c.
 */
#ifndef KEYHOLD_UNLOCK_SOURCE_H
#define KEYHOLD_UNLOCK_SOURCE_H

#include "keyhold/unlock.h"

/** One source. */
typedef struct kh_unlock_source {
  const char *prefix; /**< the beginning of a `filekey` of this source; "" matches all */
  /** What must follow the prefix, for a message. NULL for a source that the server's own plugin has
   * too; to that plugin a `filekey` with any other prefix is the passphrase itself. */
  const char *takes;
  /** Returns whether `argument`, the text after the prefix, is valid for the source; NULL when
   * `takes` is. */
  bool (*fits)(const char *argument);
  /** Reads the passphrase. Parameters and codes as for kh_unlock(). */
  kh_status (*read)(const char *argument, const kh_unlock_how *how, const kh_log *log,
                    kh_secret **ret_passphrase, kh_fault *ret_fault);
} kh_unlock_source;

extern const kh_unlock_source kh_unlock_file;       /* source_file.c */
extern const kh_unlock_source kh_unlock_credential; /* source_credential.c */
extern const kh_unlock_source kh_unlock_env;        /* source_env.c */
extern const kh_unlock_source kh_unlock_exec;       /* source_exec.c */
extern const kh_unlock_source kh_unlock_socket;     /* source_socket.c */
extern const kh_unlock_source kh_unlock_literal;    /* source_literal.c */

#endif
