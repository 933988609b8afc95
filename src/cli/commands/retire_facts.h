/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file retire_facts.h
 * The facts, reported by a server, that decide whether an old key version may be removed.
 */
#ifndef KEYHOLD_CLI_RETIRE_FACTS_H
#define KEYHOLD_CLI_RETIRE_FACTS_H

#include "cli/server/tablespaces.h"
#include "keyhold/keytable.h"

/** Bytes with their NUL: two names of 64 characters of UTF-8 with a dot between; a path. */
enum { KH_CLI_TABLE_NAME_MAX = 2 * 64 * 4 + 2, KH_CLI_SERVER_PATH_MAX = 4096 };

/** The facts. */
typedef struct kh_cli_retire_facts {
  char key_file[KH_CLI_SERVER_PATH_MAX]; /**< file_key_management_filename, made absolute */
  kh_cli_tablespaces tablespaces;
  char not_open[KH_CLI_TABLESPACE_NAME_MAX]; /**< an InnoDB table whose tablespace is not open: it
                                           is discarded, or its file is missing; "": none */
  bool encrypts_redo;                        /**< innodb_encrypt_log */
  bool has_binary_logs;                      /**< log_bin, or it is a replica */
  bool encrypts_aria;                        /**< aria_encrypt_tables */
  char oldest_aria[KH_CLI_TABLE_NAME_MAX];   /**< the oldest Aria table; "": none found */
  uint64_t oldest_aria_time;                 /**< its time of creation, as UNIX time */
} kh_cli_retire_facts;

/**
 * Asks a server. Refuses one that runs another plugin or uses another file, or whose keys in use
 * differ from those of the file: its facts are not about these keys.
 *
 * @param path       of the key file.
 * @param table      the keys in it.
 * @param ret_facts  for kh_cli_retire_facts_free(); untouched on failure.
 * @return false: a message has the reason.
 */
bool kh_cli_retire_facts_read(kh_cli_server *server, const char *path, const kh_keytable *table,
                              kh_cli_retire_facts *ret_facts);

/** Frees. */
void kh_cli_retire_facts_free(kh_cli_retire_facts *facts);

#endif
