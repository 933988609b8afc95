/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file target.h
 * The key file that a subcommand works on, and the options that open it.
 */
#ifndef KEYHOLD_CLI_TARGET_H
#define KEYHOLD_CLI_TARGET_H

#include <argp.h>
#include <stdbool.h>

#include "cli/output/message.h"
#include "keyhold/keyfile.h"
#include "passphrase.h"

/** The values of the arguments, then the open file. Starts as KH_CLI_TARGET_NONE. */
typedef struct kh_cli_target {
  const char *path; /**< the argument FILE */
  kh_cli_source source;
  kh_digest digest;
  uint32_t pbkdf2_iterations;
  uint32_t argon2_memory_max; /**< in KiB; 0: the format's limit */
  bool json;                  /**< print the report as JSON */

  kh_log log; /**< prints the core's warnings */
  const kh_keyfile_format *format;
  kh_secret *passphrase; /**< NULL: the file needs none */
  kh_crypt *crypt;
  kh_keyfile *file; /**< NULL: it is not open */
} kh_cli_target;

#define KH_CLI_TARGET_NONE ((kh_cli_target){.source = KH_CLI_SOURCE_NONE, .log = kh_cli_log()})

/** The first argument, FILE, and the options that open it, as a child of a subcommand's argp; its
 * input is a kh_cli_target. */
extern const struct argp kh_cli_target_argp;

/** The same without the options of the format openssl: for a sealed FILE. */
extern const struct argp kh_cli_sealed_target_argp;

/** The same without options for how FILE is opened: for a new one. */
extern const struct argp kh_cli_new_target_argp;

/** kh_cli_target_argp with --json. */
extern const struct argp kh_cli_report_argp;

/** FILE and --json alone, for a report that does not open the file. */
extern const struct argp kh_cli_file_argp;

/** Return the digest and the iterations of the key derivation of a new file, for another parser.
 * They end the process, by kh_cli_usage_error(), if the value is invalid. */
kh_digest kh_cli_new_digest_option(const char *value, struct argp_state *state);
uint32_t kh_cli_iterations_option(const char *value, struct argp_state *state);

/**
 * Recognises the format of the file.
 *
 * @return false: a message has the reason.
 */
bool kh_cli_target_recognise(kh_cli_target *target);

/** Reads the passphrase if a source is given, or asks for it if the file needs one. False: a
 * message has the reason. */
bool kh_cli_target_unlock(kh_cli_target *target);

/** Returns the options with which the core opens the file; valid as long as the target. */
kh_keyfile_options kh_cli_target_options(const kh_cli_target *target);

/** Opens the file, after the two steps above if they are not done. False: a message has the reason.
 */
bool kh_cli_target_open(kh_cli_target *target);

/**
 * Opens the file, by kh_cli_target_open(), and makes the table of its keys.
 *
 * @param ret_table  for kh_keytable_free(); untouched on failure.
 * @return false: a message has the reason.
 */
bool kh_cli_target_load(kh_cli_target *target, kh_keytable **ret_table);

/** Saves the changes of the file. False: a message has the reason; it may be that the changes are
 * saved, and that another process wrote to the old file meanwhile. */
bool kh_cli_target_save(kh_cli_target *target);

/** For `__attribute__((cleanup))`. */
void kh_cli_target_cleanup(kh_cli_target *target);
#define KH_CLI_AUTO_TARGET __attribute__((cleanup(kh_cli_target_cleanup))) kh_cli_target

#endif
