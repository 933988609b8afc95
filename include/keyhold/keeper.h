/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keeper.h
 * Keeps the keys of a running process in step with its key file: loads it, reloads it, makes new
 * versions, by itself too.
 *
 * A change has two halves, as `SET GLOBAL` has: a slow one that reads, derives and writes
 * (kh_keeper_prepare_...), and a fast one that puts the result in force (kh_keeper_commit). Keys
 * that are in force are never dropped or changed by either.
 */
#ifndef KEYHOLD_KEEPER_H
#define KEYHOLD_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/clock.h"
#include "keyhold/fingerprint.h"
#include "keyhold/keyfile.h"
#include "keyhold/keyring.h"
#include "keyhold/log.h"

/** The keys of one process, and what it does with them. */
typedef struct kh_keeper kh_keeper;

/** What a keeper needs. Everything that is pointed to must outlive it. */
typedef struct kh_keeper_options {
  kh_keyfile_options keyfile;
  kh_cipher default_cipher; /**< of versions without one: KH_CIPHER_AES_CBC, _AES_CTR */
  const kh_crypt *crypt;    /**< opens encrypted key files */
  kh_log log;               /**< called by any thread */
  kh_clock clock;
  bool (*is_up)(void *user); /**< whether the keeper's thread may begin its work; asked again and
                                again until it may. NULL: it may. Called by the thread */
  void *user;                /**< for is_up */
} kh_keeper_options;

/** What the keeper's thread does. */
typedef struct kh_keeper_duties {
  bool reload; /**< reload the key file when it changes */
  bool rotate; /**< rotate keys whose interval has passed */
} kh_keeper_duties;

/** What has happened so far. */
typedef struct kh_keeper_stats {
  size_t ids;                 /**< key ids in force */
  size_t versions;            /**< key versions in force */
  kh_fingerprint fingerprint; /**< of the table in force */
  uint64_t generation;  /**< of the table in force: 1 at the start, 1 more with each exchange */
  const char *format;   /**< of the key file; constant */
  uint32_t last_reload; /**< UNIX time of the last load, reload or refusal of one */
  char last_result[KH_MESSAGE_MAX]; /**< "ok", or why it was refused */
  uint64_t rotations;               /**< new versions that this process made */
  uint64_t failures;                /**< reloads and rotations that were refused or failed */
  uint64_t next_rotation; /**< UNIX time at which the first key is due, or KH_POLICY_NEVER */
} kh_keeper_stats;

/**
 * Loads the key file and puts its keys in force. Says what was loaded. Flushes the file to the
 * disk; when that fails, a warning says so.
 *
 * @param options     copied.
 * @param ret_keeper  for kh_keeper_free(); untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, the codes of kh_keyfile_open(), KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keeper_new(const kh_keeper_options *options, kh_keeper **ret_keeper,
                                    kh_fault *ret_fault);

/** Ends the thread, if there is one, wipes and frees; sets the pointer to NULL. Takes NULL and a
 * pointer to NULL. No other thread may be inside a call, and nobody reading the ring. */
void kh_keeper_free(kh_keeper **keeper);

/** The keys in force. Owned by the keeper. Thread-safe. */
const kh_keyring *kh_keeper_ring(const kh_keeper *keeper);

/**
 * Reads the key file again and has it ready to be put in force: all of it, or nothing. The file is
 * flushed to the disk first, so that no version is used that a power failure could take away.
 *
 * A failure is counted, and reported to the caller alone.
 *
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_open(), kh_keytable_check_follows() and kh_file_flush();
 * KH_E_NO_MEMORY. Thread-safe; waits for the disk, the key derivation, and for other threads that
 * do the same.
 */
KH_MUST_USE kh_status kh_keeper_prepare_reload(kh_keeper *keeper, kh_fault *ret_fault);

/**
 * Makes a new version of a key, writes it into the key file, and has it ready to be put in force.
 *
 * @param id  of the key, or 0: all keys.
 * @param ret_fault  may be NULL.
 * @return KH_OK, the codes of kh_keyfile_rotate(), KH_E_NO_MEMORY. Otherwise as
 * kh_keeper_prepare_reload().
 */
KH_MUST_USE kh_status kh_keeper_prepare_rotation(kh_keeper *keeper, uint32_t id,
                                                 kh_fault *ret_fault);

/**
 * Puts in force what was prepared last, by whichever thread, and says so; nothing when nothing is
 * prepared. What lacks something that came into force meanwhile is dropped, counted as a failure
 * and said in a warning. Thread-safe; waits for nothing that waits for a disk.
 */
void kh_keeper_commit(kh_keeper *keeper);

/**
 * Says what the keeper does by itself; its thread is started when there is a first duty, and takes
 * no signals.
 *
 * @return KH_OK, KH_E_NO_MEMORY (no thread can be started). Thread-safe.
 */
KH_MUST_USE kh_status kh_keeper_set_duties(kh_keeper *keeper, kh_keeper_duties duties);

/** What has happened so far. Thread-safe; waits for nothing that waits for a disk. */
kh_keeper_stats kh_keeper_get_stats(kh_keeper *keeper);

#endif
