/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file fake_store.h
 * A store in memory that can fail, hang, return wrong results and answer late. It holds lines
 * "ID;VERSION;TAG": a key is 16 bytes of its tag. Every function may be called by any thread.
 */
#ifndef KEYHOLD_TEST_FAKE_STORE_H
#define KEYHOLD_TEST_FAKE_STORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "keyhold/store.h"

enum { FAKE_KEYS_MAX = 256 };

/** A key of a fake store. */
typedef struct fake_key {
  uint32_t id, version;
  uint8_t tag;      /**< each byte of the key */
  uint32_t created; /**< attributes, as kh_policy has them */
  uint32_t rotate;
  kh_cipher cipher;
} fake_key;

/** The initializer of a key without attributes. */
#define FAKE_KEY(an_id, a_version, a_tag)                                                          \
  {                                                                                                \
    .id = (an_id), .version = (a_version), .tag = (a_tag)                                          \
  }

/** A fake store; all zero except `keys`: it works correctly. Set while no thread is in a call, or
 * by fake_store_set(). */
typedef struct fake_store {
  fake_key keys[FAKE_KEYS_MAX]; /**< up to the first with id 0 */
  fake_key hidden[8];           /**< keys that only a look-up finds */
  uint64_t mark;                /**< of the content */

  kh_status load_fails; /**< the status that each of these returns, unless KH_OK */
  kh_status make_fails;
  kh_status save_fails;
  kh_status settle_fails;
  kh_status mark_fails;
  kh_status watch_fails;
  kh_status lookup_fails;
  kh_status doubt;            /**< of what is loaded */
  unsigned changes_in_settle; /**< how many of the next settlings find another content */
  bool forgets_new_versions;  /**< a rotation writes nothing, and reports success */
  bool answers_with_old;      /**< a look-up gives key id 1 version 1, with another tag */
  bool finds_nothing;         /**< a look-up succeeds with an empty list */
  uint32_t bad_id;            /**< look-ups of this key id fail with KH_E_SOCKET; 0: none */

  unsigned loads, rotations, settlings, lookups; /**< calls */
  unsigned automatic_loads;                      /**< those of `loads` that no one asked for */
  bool is_freed;
  int events; /**< a pipe's end that becomes readable with fake_store_set(); -1 */

  bool hangs;     /**< loads wait until fake_store_release() */
  bool is_inside; /**< a load waits */
  pthread_mutex_t mutex;
  pthread_cond_t turned;
} fake_store;

/** Which functions the store has. */
extern const kh_store_ops fake_store_ops;      /**< all functions */
extern const kh_store_ops fake_store_ops_bare; /**< only those that are not optional */

/** Returns the store of a fake store, which the caller owns. */
kh_store fake_store_start(fake_store *fake, const kh_store_ops *ops, const fake_key *keys,
                          size_t count);

/** Gives it another content, with another mark; wakes threads that watch it. */
void fake_store_set(fake_store *fake, const fake_key *keys, size_t count);

/** Waits until a load hangs. */
void fake_store_await_hanging(fake_store *fake);

/** Lets that load and all later ones continue. */
void fake_store_release(fake_store *fake);

#endif
