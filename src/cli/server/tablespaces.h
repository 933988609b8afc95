/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file tablespaces.h
 * InnoDB's tablespaces, and the progress of their re-encryption.
 */
#ifndef KEYHOLD_CLI_TABLESPACES_H
#define KEYHOLD_CLI_TABLESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server.h"

/** Bytes of a name with its NUL: two names of files with a slash between them. */
enum { KH_CLI_TABLESPACE_NAME_MAX = 2 * 255 + 2 };

/** ENCRYPTION_KEY_VERSION_INVALID (mysql/service_encryption.h). */
#define KH_CLI_NO_VERSION UINT32_MAX

/** An open tablespace, as in information_schema.INNODB_TABLESPACES_ENCRYPTION. One that is missing
 * there was never encrypted: it has only id, name and pages. */
typedef struct kh_cli_tablespace {
  uint32_t id;
  char name[KH_CLI_TABLESPACE_NAME_MAX];
  bool is_encrypted; /**< or being encrypted, or decrypted */
  bool is_moving;    /**< InnoDB's threads work on it, or its pages go to the disk */
  uint32_t key_id;
  uint32_t least_version;   /**< no page has a lower one; 0: some are not encrypted */
  uint32_t current_version; /**< of new pages; KH_CLI_NO_VERSION: InnoDB found no key */
  uint64_t pages;
  uint64_t position; /**< pages that were visited, of `end`, while it moves */
  uint64_t end;      /**< 0: it does not move */
} kh_cli_tablespace;

/** All tablespaces, in the order of their ids, and the settings that decide whether they move. */
typedef struct kh_cli_tablespaces {
  kh_cli_tablespace *at;
  size_t count;
  uint32_t rotate_key_age; /**< innodb_encryption_rotate_key_age */
  uint32_t threads;        /**< innodb_encryption_threads */
  bool encrypts;           /**< innodb_encrypt_tables is ON or FORCE */
} kh_cli_tablespaces;

/** Why a tablespace with an older version does not move. */
typedef enum kh_cli_stop {
  KH_CLI_STOP_NONE, /**< it moves or will move, or has nothing to move */
  KH_CLI_STOP_AGE,  /**< the current version is not more than rotate_key_age above it, or that is 0
                     */
  KH_CLI_STOP_KEY,  /**< InnoDB found no key for it */
  KH_CLI_STOP_THREADS, /**< there are none */
  KH_CLI_STOP_OFF,     /**< innodb_encrypt_tables is OFF */
} kh_cli_stop;

/** The state of a tablespace. */
typedef enum kh_cli_tablespace_state {
  KH_CLI_TABLESPACE_PLAIN,   /**< it is not encrypted */
  KH_CLI_TABLESPACE_DONE,    /**< all pages have the current version */
  KH_CLI_TABLESPACE_STAYS,   /**< some pages have an older one, and it will not move */
  KH_CLI_TABLESPACE_WAITING, /**< it will move */
  KH_CLI_TABLESPACE_MOVING,
} kh_cli_tablespace_state;

/**
 * Queries a server.
 *
 * @param ret_tablespaces  for kh_cli_tablespaces_free(); untouched on failure.
 * @return false: a message has the reason.
 */
bool kh_cli_tablespaces_read(kh_cli_server *server, kh_cli_tablespaces *ret_tablespaces);

/** Frees. */
void kh_cli_tablespaces_free(kh_cli_tablespaces *tablespaces);

/** Returns the state of a tablespace. */
kh_cli_tablespace_state kh_cli_tablespace_state_of(const kh_cli_tablespaces *tablespaces,
                                                   const kh_cli_tablespace *tablespace);

/** Returns why a tablespace does not move; of several reasons, the one to remove first. STOP_AGE
 * and STOP_KEY are those of tablespaces that stay, the others of those that wait. */
kh_cli_stop kh_cli_tablespace_stop_of(const kh_cli_tablespaces *tablespaces,
                                      const kh_cli_tablespace *tablespace);

/** Returns the number of its pages that are done; 0 if it stays, since InnoDB does not report how
 * many pages have the older version. */
uint64_t kh_cli_tablespace_done(const kh_cli_tablespaces *tablespaces,
                                const kh_cli_tablespace *tablespace);

#endif
