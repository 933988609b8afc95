/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file facts.h
 * What a server says that decides whether an old version of a key may be removed, and the decision.
 */
#ifndef KEYHOLD_CLI_FACTS_H
#define KEYHOLD_CLI_FACTS_H

#include "keyhold/keytable.h"
#include "spaces.h"

enum { KH_CLI_TABLE_NAME_MAX = 160, KH_CLI_SERVER_PATH_MAX = 4096 };

/** What a server says. */
typedef struct kh_cli_facts {
  char key_file[KH_CLI_SERVER_PATH_MAX]; /**< file_key_management_filename, made absolute */
  kh_cli_spaces spaces;
  bool encrypts_redo;                      /**< innodb_encrypt_log */
  bool has_binary_logs;                    /**< log_bin, or it is a replica */
  bool encrypts_aria;                      /**< aria_encrypt_tables */
  char oldest_aria[KH_CLI_TABLE_NAME_MAX]; /**< the Aria table that was made first; "": none seen */
  uint64_t oldest_aria_time;               /**< when, as UNIX time */
} kh_cli_facts;

/** What may need a version without the server being able to tell, as bits. */
enum {
  KH_CLI_UNKNOWN_REDO_LOG = 1,    /**< key 1: which version it has is not shown */
  KH_CLI_UNKNOWN_BINARY_LOGS = 2, /**< key 1: likewise, and relay logs */
  KH_CLI_UNKNOWN_ARIA = 4,        /**< key 1: likewise */
  KH_CLI_UNKNOWN_ELSEWHERE = 8,   /**< backups, other servers with the same key file */
  KH_CLI_UNKNOWN_ALL = 15,
};

/** The decision about one version. */
typedef struct kh_cli_need {
  const char *needed_by; /**< a tablespace or an Aria table that needs it, or may; owned by the
                            facts; NULL: none */
  unsigned unknown;      /**< KH_CLI_UNKNOWN_..., when nothing is known to need it */
} kh_cli_need;

/**
 * Asks a server.
 *
 * @param ret_facts  for kh_cli_facts_free(); untouched on failure.
 * @return false: a message has said why.
 */
bool kh_cli_facts_read(kh_cli_server *server, kh_cli_facts *ret_facts);

/** Frees. */
void kh_cli_facts_free(kh_cli_facts *facts);

/**
 * Decides about a version that is not the latest of its key.
 *
 * @param index  its place in the table; the next place has the version that followed it.
 */
kh_cli_need kh_cli_need_of(const kh_cli_facts *facts, const kh_keytable *table, size_t index);

#endif
