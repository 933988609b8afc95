/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keeper.h
 * Keeps the keys of a running process in step with their store (store.h): loads them, reloads them,
 * makes new versions, also automatically.
 *
 * A change has two halves, as `SET GLOBAL` has: a slow one that reads, derives and writes
 * (kh_keeper_prepare_...) and gives a token, and a fast one that puts in force what the token names
 * (kh_keeper_commit()). Keys that are in force are never dropped or changed by either, whatever the
 * store answers.
 */
#ifndef KEYHOLD_KEEPER_H
#define KEYHOLD_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/clock.h"
#include "keyhold/fingerprint.h"
#include "keyhold/keyring.h"
#include "keyhold/log.h"
#include "keyhold/store.h"

/** The keys of one process, and what it does with them. */
typedef struct kh_keeper kh_keeper;

/** Names a change that was prepared; 0 names none. Tokens count upwards from 1. */
typedef uint32_t kh_keeper_token;

/** What a keeper needs. Everything that is pointed to must outlive it. */
typedef struct kh_keeper_options {
  kh_cipher default_cipher;  /**< of versions without one: KH_CIPHER_AES_CBC, _AES_CTR */
  kh_log log;                /**< called by any thread */
  kh_clock clock;            /**< asked by any thread */
  bool (*is_up)(void *user); /**< whether the background thread may begin its work; asked again and
                                again until it may. NULL: it may. Called by that thread */
  void *user;                /**< for is_up */
} kh_keeper_options;

/** What the keeper does in the background. If its store has a `lookup`, the thread also asks that
 * for the key versions of kh_keeper_note_miss(). */
typedef struct kh_keeper_background {
  bool reload; /**< reload the keys when the store's content changes */
  bool rotate; /**< rotate keys whose interval has passed */
} kh_keeper_background;

/** What has happened so far. */
typedef struct kh_keeper_stats {
  size_t ids;                 /**< key ids in force */
  size_t versions;            /**< key versions in force */
  kh_fingerprint fingerprint; /**< of the table in force */
  uint64_t generation;  /**< of the table in force: 1 at the start, 1 more with each exchange */
  const char *format;   /**< of the store's content (kh_store_content); constant */
  uint32_t last_reload; /**< UNIX time of the last load, reload or refusal of one */
  char last_result[KH_MESSAGE_MAX]; /**< "ok", or why it was refused */
  uint64_t rotations;               /**< new versions that this process made */
  uint64_t failures;                /**< reloads and rotations that were refused or failed */
  uint64_t next_rotation;  /**< UNIX time at which the first key is due, or KH_POLICY_NEVER */
  uint64_t misses;         /**< different key versions that kh_keeper_note_miss() has noted */
  uint64_t misses_dropped; /**< calls of it for which there was no room */
} kh_keeper_stats;

/**
 * Loads the keys and puts them in force. Logs what was loaded. Settles the store, and warns if
 * that fails.
 *
 * @param options     copied.
 * @param store       taken over, and made none, on success; untouched on failure.
 * @param ret_keeper  for kh_keeper_free(); untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, the codes of the store's `load`, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keeper_new(const kh_keeper_options *options, kh_store *store,
                                    kh_keeper **ret_keeper, kh_fault *ret_fault);

/** Ends the background thread, if there is one, wipes and frees; sets the pointer to NULL. Takes
 * NULL and a pointer to NULL. No other thread may be inside a call or reading the ring. */
void kh_keeper_free(kh_keeper **keeper);

/** The keys in force. Owned by the keeper. Thread-safe. */
const kh_keyring *kh_keeper_ring(const kh_keeper *keeper);

/** What messages call the store. Thread-safe. */
kh_store_name kh_keeper_store_name(const kh_keeper *keeper);

/**
 * Reads the store again and has its content ready to be put in force: all of it, or nothing. The
 * content is settled first, so that no version is used that a power failure could take away.
 *
 * A failure is counted, and reported to the caller alone.
 *
 * @param ret_token  for kh_keeper_commit(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of the store's `load` and `settle` and of kh_keytable_check_follows();
 * KH_E_NO_MEMORY. Thread-safe; waits for the store and for other threads that prepare something.
 */
KH_MUST_USE kh_status kh_keeper_prepare_reload(kh_keeper *keeper, kh_keeper_token *ret_token,
                                               kh_fault *ret_fault);

/**
 * Makes a new version of a key in the store, and has it ready to be put in force. If it never is,
 * it is not lost: it is in the store, and the next change of any kind brings it.
 *
 * @param id         of the key, or 0: all keys.
 * @param ret_token  for kh_keeper_commit(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, the codes of kh_store_make_versions() and of kh_keytable_check_follows(),
 * KH_E_NO_MEMORY. Thread-safe; waits for the store and for other threads that prepare something.
 */
KH_MUST_USE kh_status kh_keeper_prepare_rotation(kh_keeper *keeper, uint32_t id,
                                                 kh_keeper_token *ret_token, kh_fault *ret_fault);

/**
 * Puts in force what a token names, and logs it.
 *
 * Does nothing if that was done before, or if something is in force that was prepared later: every
 * change has all keys of the store. A change that lacks something that came into force meanwhile is
 * dropped, counted as a failure and warned of. The last KH_KEEPER_CHANGES_MAX changes are kept: in
 * the place of one that had to make room the next one is put in force, which has all that it had;
 * if there is none any more, that is a failure too.
 *
 * @param token  0: nothing is done. Each token is committed once at most.
 *
 * Thread-safe; waits for nothing that waits for a store.
 */
void kh_keeper_commit(kh_keeper *keeper, kh_keeper_token token);

/**
 * Sets what the keeper does in the background. Its thread is started when there is a first task,
 * and takes no signals.
 *
 * @return KH_OK, KH_E_NO_MEMORY (no thread can be started). Thread-safe.
 */
KH_MUST_USE kh_status kh_keeper_set_background(kh_keeper *keeper, kh_keeper_background wanted);

/**
 * Notes that a key that is not in force was asked for. Called after a look-up in the ring has
 * failed, so that hits pay nothing. If the store has a `lookup`, the background thread is woken for
 * a key that was not noted before, and puts in force what the store finds; a key that the store
 * does not have is asked for again after a minute at the earliest.
 *
 * Up to KH_KEEPER_MISSES_MAX keys are noted at a time; calls for others are counted.
 *
 * @param version  0: the latest version of the key id.
 *
 * Thread-safe; takes no lock, and a call for a key that is noted already writes nothing.
 */
void kh_keeper_note_miss(kh_keeper *keeper, uint32_t id, uint32_t version);

/** What has happened so far. Thread-safe; waits for nothing that waits for a store. */
kh_keeper_stats kh_keeper_get_stats(kh_keeper *keeper);

#endif
