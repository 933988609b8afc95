/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keeper.h
 * Keeps the keys of a running process in step with their store (store.h): loads them, reloads them,
 * makes new versions, on request or automatically.
 *
 * A change has two halves, as `SET GLOBAL` has: a slow one that reads, derives and writes
 * (kh_keeper_prepare_...) and returns a token, and a fast one that puts the change of that token in
 * force (kh_keeper_commit()). Neither drops or changes a key in force, whatever the store returns.
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

/** The keys of one process, their store, and the background thread. */
typedef struct kh_keeper kh_keeper;

/** Identifies a prepared change; 0: none. Tokens count upwards from 1. */
typedef uint32_t kh_keeper_token;

/** What a keeper needs. Everything that is pointed to must outlive it. */
typedef struct kh_keeper_options {
  kh_cipher default_cipher;  /**< of versions without one: KH_CIPHER_AES_CBC, _AES_CTR */
  kh_log log;                /**< called by any thread */
  kh_clock clock;            /**< asked by any thread */
  bool (*is_up)(void *user); /**< whether the background thread may begin its work. Called by that
                                thread until it returns true; NULL: it may */
  void *user;                /**< for is_up */
  const char *reload_advice; /**< what the warning of a failed automatic reload ends with: what to
                                do while the keys may exist only in this process */
} kh_keeper_options;

/** The tasks of the background thread. If the store has a `lookup`, the thread also looks up the
 * key versions of kh_keeper_note_miss(). */
typedef struct kh_keeper_background {
  bool reload; /**< reload the keys when the store's content changes */
  bool rotate; /**< rotate keys whose interval has passed */
  uint32_t
      check_every; /**< milliseconds between looks at the store, while it is not reloaded
                      automatically: what no longer has every key in force is logged; 0: never */
} kh_keeper_background;

/** Numbers of the keys in force, and results since the start, all of one moment. Times are UNIX
 * times. */
typedef struct kh_keeper_stats {
  size_t ids;                 /**< key ids in force */
  size_t versions;            /**< key versions in force */
  kh_fingerprint fingerprint; /**< of the table in force */
  uint64_t generation;    /**< of the table in force: 1 at the start, 1 more with each exchange */
  const char *format;     /**< of the store's content (kh_store_content); constant */
  uint32_t last_load;     /**< when the store's content came into force last: by the start, a
                             reload or a rotation */
  uint32_t oldest_latest; /**< kh_keytable_oldest_latest() of the table in force */
  uint32_t last_reload;   /**< when the last load or reload was tried */
  bool last_reload_ok;    /**< whether it succeeded. A store that an automatic reload finds missing
                             counts as a reload that failed, until it is back */
  char last_result[KH_LINE_MAX]; /**< "ok", or why it failed */
  uint64_t rotations;            /**< new versions that this process made */
  uint64_t failures;             /**< reloads, rotations and savings that were refused or failed,
                                    and keys that a rotation of all passed over */
  uint64_t next_rotation;        /**< when the first key is due, or KH_POLICY_NEVER */
  size_t overdue;   /**< key ids that are due for rotation when the statistics are made */
  uint64_t missing; /**< key versions that were asked for in vain since the start. Of those
                       above KH_KEEPER_MISSES_MAX, each call counts */
  size_t unsaved;   /**< key versions in force that the store lacked, or has with another key or
                       cipher, when it was looked at last; all of them if it could not be read. Stays
                       when a content was not looked at (KH_CLASS_UNTRIED) */
  char last_missing[32]; /**< the last of them: "5 version 3"; empty: none */
} kh_keeper_stats;

/**
 * Loads the keys and puts them in force. Logs what was loaded. Settles the store, and warns if
 * that fails.
 *
 * @param options     copied.
 * @param store       taken over and set to none on success; untouched on failure.
 * @param ret_keeper  for kh_keeper_free(); untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK, the codes of the store's `load`, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_keeper_new(const kh_keeper_options *options, kh_store *store,
                                    kh_keeper **ret_keeper, kh_fault *ret_fault);

/** Ends the background thread, if there is one, wipes and frees; sets the pointer to NULL. Takes
 * NULL and a pointer to NULL. No other thread may be inside a call or reading the ring. */
void kh_keeper_free(kh_keeper **keeper);

/** Returns the keys in force. Owned by the keeper. Thread-safe. */
const kh_keyring *kh_keeper_ring(const kh_keeper *keeper);

/** Returns the store's name for messages. Thread-safe. */
kh_store_name kh_keeper_store_name(const kh_keeper *keeper);

/**
 * Reads the store again and prepares its whole content to be put in force. The content is settled
 * first, so that no version is used that a power failure could undo.
 *
 * A failure is counted and returned, but not logged.
 *
 * @param ret_token  for kh_keeper_commit(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of the store's `load` and `settle` and of kh_keytable_check_follows();
 * KH_E_NO_MEMORY. Thread-safe; waits for the store and for other threads that prepare a change.
 */
KH_MUST_USE kh_status kh_keeper_prepare_reload(kh_keeper *keeper, kh_keeper_token *ret_token,
                                               kh_fault *ret_fault);

/**
 * Makes a new version of a key in the store, and prepares it to be put in force. If it is never
 * committed it is not lost: it is in the store, and the next change of any kind loads it.
 *
 * @param id         of the key, or 0: all keys.
 * @param ret_token  for kh_keeper_commit(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, the codes of kh_store_make_versions() and of kh_keytable_check_follows(),
 * KH_E_VERSION_NEEDED (a later version of the key than the store has was ready here or asked for in
 * vain, so that the store is an old copy; where other keys can be rotated, it is passed over),
 * KH_E_NO_MEMORY. Thread-safe; waits for the store and for other threads that prepare a change.
 */
KH_MUST_USE kh_status kh_keeper_prepare_rotation(kh_keeper *keeper, uint32_t id,
                                                 kh_keeper_token *ret_token, kh_fault *ret_fault);

/**
 * Writes the key versions in force that the store lacks into the store, and prepares its whole
 * content to be put in force. Logs what was written, and a warning where a content was replaced.
 *
 * @param replaces   kh_store_saving.replaces.
 * @param ret_token  for kh_keeper_commit(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, the codes of kh_store_save() and of kh_keytable_check_follows(), KH_E_NO_MEMORY.
 * Thread-safe; waits for the store and for other threads that prepare a change.
 */
KH_MUST_USE kh_status kh_keeper_prepare_save(kh_keeper *keeper, bool replaces,
                                             kh_keeper_token *ret_token, kh_fault *ret_fault);

/**
 * Puts the change of a token in force, and logs it.
 *
 * Does nothing if that was done before, or if a change that was prepared later is in force: every
 * change has all keys of the store. A change that lacks a key version that came into force
 * meanwhile is dropped, counted as a failure and logged as a warning. The last
 * KH_KEEPER_CHANGES_MAX changes are kept. In place of a discarded one the next one is put in force,
 * which has all its keys; if there is none, that is a failure too.
 *
 * @param token  0: does nothing. A token is committed at most once.
 *
 * Thread-safe; never waits for a store.
 */
void kh_keeper_commit(kh_keeper *keeper, kh_keeper_token token);

/**
 * Sets the tasks of the background thread. The thread starts with the first task, and blocks all
 * signals.
 *
 * @return KH_OK, KH_E_NO_MEMORY (no thread can be started). Thread-safe.
 */
KH_MUST_USE kh_status kh_keeper_set_background(kh_keeper *keeper, kh_keeper_background wanted);

/**
 * Notes that the server asked for a key that is not in force. Called after a look-up in the ring
 * has failed, so that hits cost nothing more. If the store has a `lookup`, the background thread is
 * woken for a key that was not noted before, and puts in force what the store finds; it looks a key
 * that the store does not have up again after a minute at the earliest.
 *
 * What the store does not have is logged once for each key: as an error for a version, which data
 * has; as a warning for an unknown key id, which may be a new table's; as a note for
 * KH_KEY_ID_TEMPORARY without a version, which servers ask for. Of each of the two,
 * KH_KEEPER_MISSES_MAX are logged; for further versions, calls are counted.
 *
 * @param version  0 or above KH_KEY_VERSION_MAX: the latest version of the key id.
 *
 * Thread-safe; takes no lock, and a call for a key that is noted already writes nothing.
 */
void kh_keeper_note_miss(kh_keeper *keeper, uint32_t id, uint32_t version);

/** Returns the statistics. Thread-safe; never waits for a store. */
kh_keeper_stats kh_keeper_get_stats(kh_keeper *keeper);

#endif
