/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file store.h
 * A store: where the keys of a process come from. A kind of store fills one `const` table of
 * functions in a file of its own (src/core/store); a keeper (keeper.h) calls it and owns the
 * policy: nothing that a store answers can take away or change a key in use.
 *
 * A fault that a store fills names its place (kh_store_name). No function of a store may be called
 * by a thread that holds a lock of the server's: all of them but `name` may wait, for a disk, a
 * network or a key derivation.
 */
#ifndef KEYHOLD_STORE_H
#define KEYHOLD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/fault.h"
#include "keyhold/keylist.h"
#include "keyhold/keytable.h"
#include "keyhold/status.h"

/**
 * Which content of a store something was read from. The words mean something to the store alone;
 * two marks are of the same content if their words are equal (kh_store_is_same()).
 */
typedef struct kh_store_mark {
  uint64_t words[8]; /**< those that a store does not use are 0 */
} kh_store_mark;

/** What messages call a store. */
typedef struct kh_store_name {
  const char *noun;  /**< "the key file"; constant */
  const char *place; /**< the file's path, an address; valid until the store is freed */
} kh_store_name;

/** Keys that were read from a store; freed by kh_store_content_free(). */
typedef struct kh_store_content {
  const kh_keylist *list; /**< key id 1 is in it; belongs to `owner` */
  void *owner;            /**< the list, or something that has it, as an opened file does; NULL: it
                             was freed */
  void (*free_owner)(void *owner); /**< wipes and frees it */
  kh_store_mark mark;              /**< of the content that was read */
  const char *format;              /**< the form in which the store has its keys; constant */
  bool is_locked;  /**< all memory that held a secret while the keys were read was locked into
                      RAM */
  kh_status doubt; /**< KH_OK, or why the content may not be finished. Keys that are loaded on
                      request are used nonetheless; an automatic reload fails with this status */
} kh_store_content;

/** Which new versions a store is to make. */
typedef struct kh_store_rotation {
  const kh_keytable *known;    /**< the keys in use */
  const kh_store_mark *loaded; /**< of the content that `known` is from, which is finished */
  uint32_t id;                 /**< of the key, or 0: all */
  bool due_only;               /**< only keys whose interval has passed at `now`; a content that
                                  may not be finished is refused */
  uint32_t now;                /**< UNIX time; the new versions' time of creation */
  kh_cipher default_cipher;    /**< as for kh_keytable_check_follows() */
} kh_store_rotation;

/** What a rotation did. */
typedef struct kh_store_rotated {
  size_t made;  /**< new versions that were written to the store */
  size_t taken; /**< keys of which the store had a newer version than the one in use, made by
                   another server, so that none was made */
} kh_store_rotated;

/**
 * The functions of a store. `self` is the store's own. An optional function may be NULL.
 *
 * Calls of `load`, `make_versions`, `settle` and `save` come one at a time, from any thread. Those
 * of `lookup` and of the four `watch_` functions come from one thread alone, at the same time as
 * others. `mark` and `name` must be thread-safe.
 */
typedef struct kh_store_ops {
  /** What messages call the store. Waits for nothing. */
  kh_store_name (*name)(const void *self);

  /**
   * Reads all keys. The first call that succeeds is at the start of the process and may wait for a
   * person; all later ones end after a limited time.
   *
   * A content that changes while it is read is read again, a few times. Keys that `lookup` found
   * stay part of the content.
   *
   * @param ret_content  for kh_store_content_free(); untouched on failure.
   * @param ret_fault    may be NULL.
   * @return KH_OK, or why the keys cannot be read.
   */
  kh_status (*load)(void *self, kh_store_content *ret_content, kh_fault *ret_fault);

  /**
   * Makes new versions of keys and writes them to the store. They outlast a power failure when it
   * returns KH_OK. Every key that is in use and every new version is in the content that it gives.
   *
   * Optional: keys of the store cannot be rotated here (KH_E_NO_ROTATION).
   *
   * @param ret_content  what the store holds now, for kh_store_content_free(); untouched on
   * failure.
   * @param ret_rotated  untouched on failure.
   * @param ret_fault    may be NULL.
   * @return KH_OK, also if there was nothing to do; KH_E_KEY_NOT_FOUND: no such key id; else why
   * it failed. New versions that were written and not settled may be there after a failure.
   */
  kh_status (*make_versions)(void *self, const kh_store_rotation *rotation,
                             kh_store_content *ret_content, kh_store_rotated *ret_rotated,
                             kh_fault *ret_fault);

  /**
   * Makes what was read under a mark outlast a power failure.
   *
   * Optional: what can be read outlasts one.
   *
   * @param ret_fault  may be NULL.
   * @return KH_OK; else why it may not outlast one, or that the content has another mark now.
   */
  kh_status (*settle)(void *self, const kh_store_mark *mark, kh_fault *ret_fault);

  /**
   * The mark that the content has now. Takes less time than to load it, and no passphrase.
   *
   * @param ret_mark   untouched on failure.
   * @param ret_fault  may be NULL.
   * @return KH_OK, or why the store is not there. Thread-safe.
   */
  kh_status (*mark)(void *self, kh_store_mark *ret_mark, kh_fault *ret_fault);

  /**
   * Begins to watch the content for changes. `watch_end` ends it, also after a failure; in between
   * the failure may mend itself.
   *
   * Optional: the mark is compared every few seconds, which is done in any case.
   *
   * @param ret_fault  may be NULL.
   * @return KH_OK, or why changes cannot be watched.
   */
  kh_status (*watch_begin)(void *self, kh_fault *ret_fault);

  /** A descriptor that becomes readable when the content may have changed; -1: there is none.
   * Optional, as `watch_begin`. */
  int (*watch_descriptor)(const void *self);

  /** Takes up what made the descriptor readable. Called before each look at the mark. Optional, as
   * `watch_begin`. */
  void (*watch_drain)(void *self);

  /** Ends to watch. Optional, as `watch_begin`. */
  void (*watch_end)(void *self);

  /**
   * Looks for a key that is not in use.
   *
   * Optional: `load` gives every key that the store has.
   *
   * @param id        of the key.
   * @param version   of the key; 0: the latest one.
   * @param ret_list  the version that was asked for, and more of that key if they came with it; for
   * kh_keylist_free(); untouched on failure.
   * @param ret_fault  may be NULL.
   * @return KH_OK; KH_E_KEY_NOT_FOUND: the store answered that it has no such key; else why there
   * was no answer.
   */
  kh_status (*lookup)(void *self, uint32_t id, uint32_t version, kh_keylist **ret_list,
                      kh_fault *ret_fault);

  /**
   * Writes keys to the store in the place of what it holds.
   *
   * Optional. No keeper calls it yet.
   *
   * @param list       all keys.
   * @param expected   the mark of the content that they replace.
   * @param ret_mark   of the new content; untouched on failure.
   * @param ret_fault  may be NULL.
   * @return KH_OK, or why they cannot be written.
   */
  kh_status (*save)(void *self, const kh_keylist *list, const kh_store_mark *expected,
                    kh_store_mark *ret_mark, kh_fault *ret_fault);

  /** Ends to watch, wipes and frees. No thread is inside a call. */
  void (*free)(void *self);
} kh_store_ops;

/** A store: its functions, and what they are called with. All NULL: there is none. */
typedef struct kh_store {
  const kh_store_ops *ops; /**< a constant */
  void *self;              /**< their first argument, freed by `free` */
} kh_store;

/** Wipes and frees the keys of a content. Takes one that was freed. */
void kh_store_content_free(kh_store_content *content);

/** Gives a list to a content, which owns it then.
 *
 * @param list  taken over. */
void kh_store_content_own(kh_store_content *content, kh_keylist *list);

/** Frees a store and makes it none. Takes NULL and none. */
void kh_store_free(kh_store *store);

/** What messages call a store. Thread-safe. */
kh_store_name kh_store_get_name(const kh_store *store);

/** A store's place, fit for a message (kh_show_path()). Thread-safe. */
kh_shown_path kh_store_shown_place(const kh_store *store);

/** Whether two marks are of the same content. Thread-safe. */
bool kh_store_is_same(const kh_store_mark *a, const kh_store_mark *b);

/** Fills a fault that names the store's place, and gives its status back (kh_fault_set()).
 * Thread-safe. */
kh_status kh_store_fail(const kh_store *store, kh_status status, kh_fault *ret_fault);

/** Names the store's place in a fault that another function has filled; NULL is left alone.
 * Thread-safe. */
void kh_store_name_in(const kh_store *store, kh_fault *fault);

/** kh_store_ops.make_versions of a store, which may lack it. @return also KH_E_NO_ROTATION. */
KH_MUST_USE kh_status kh_store_make_versions(const kh_store *store,
                                             const kh_store_rotation *rotation,
                                             kh_store_content *ret_content,
                                             kh_store_rotated *ret_rotated, kh_fault *ret_fault);

/** kh_store_ops.settle of a store, which may lack it. */
KH_MUST_USE kh_status kh_store_settle(const kh_store *store, const kh_store_mark *mark,
                                      kh_fault *ret_fault);

#endif
