/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file target.h
 * The key file that a subcommand works on, and how it opens.
 */
#ifndef KEYHOLD_CLI_TARGET_H
#define KEYHOLD_CLI_TARGET_H

#include <argp.h>
#include <stdbool.h>

#include "cli/output/message.h"
#include "keyhold/keyfile.h"
#include "passphrase.h"

/** What the arguments said, then what was found. Starts as KH_CLI_TARGET_NONE. */
typedef struct kh_cli_target {
  const char *path; /**< the argument FILE */
  kh_cli_source source;
  kh_digest digest;
  uint32_t pbkdf2_iterations;
  bool json; /**< the report is JSON */

  kh_log log; /**< where the core's warnings go */
  const kh_keyfile_format *format;
  kh_secret *passphrase; /**< NULL: the file needs none */
  kh_crypt *crypt;
  kh_keyfile *file; /**< NULL: it is not open */
} kh_cli_target;

#define KH_CLI_TARGET_NONE ((kh_cli_target){.source = KH_CLI_SOURCE_NONE, .log = kh_cli_log()})

/** The first argument, FILE, and the options of how it opens, as a child of a subcommand's argp;
 * its input is a kh_cli_target. */
extern const struct argp kh_cli_target_argp;

/** The same without what only the format openssl has: for a FILE that is sealed, or made. */
extern const struct argp kh_cli_sealed_target_argp;

/** kh_cli_target_argp with --json. */
extern const struct argp kh_cli_report_argp;

/** FILE and --json alone, for a report on what is seen without opening it. */
extern const struct argp kh_cli_file_argp;

/** The digest or the iterations of a key derivation, for another parser. They end the process when
 * the value is none. */
kh_digest kh_cli_digest_option(const char *value, struct argp_state *state);
uint32_t kh_cli_iterations_option(const char *value, struct argp_state *state);

/**
 * Recognises the format of the file.
 *
 * @return false: a message has said why.
 */
bool kh_cli_target_recognise(kh_cli_target *target);

/** Gets the passphrase if one is given, or the core says that the file needs one; false: a message
 * has said why. */
bool kh_cli_target_unlock(kh_cli_target *target);

/** How the core opens the file; valid as long as the target. */
kh_keyfile_options kh_cli_target_options(const kh_cli_target *target);

/** Both, unless that is done, and opens the file; false: a message has said why. */
bool kh_cli_target_open(kh_cli_target *target);

/**
 * kh_cli_target_open(), and makes the table of the keys.
 *
 * @param ret_table  for kh_keytable_free(); untouched on failure.
 * @return false: a message has said why.
 */
bool kh_cli_target_load(kh_cli_target *target, kh_keytable **ret_table);

/** Saves what was changed in the file; false: a message has said why. */
bool kh_cli_target_save(kh_cli_target *target);

/** For `__attribute__((cleanup))`. */
void kh_cli_target_cleanup(kh_cli_target *target);
#define KH_CLI_AUTO_TARGET __attribute__((cleanup(kh_cli_target_cleanup))) kh_cli_target

#endif
