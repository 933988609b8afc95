/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file store.h
 * A store: where the keys of a process come from. A kind of store fills one `const` table of
 * functions in a file of its own (src/core/store); a keeper (keeper.h) calls it and owns the
 * policy: nothing that a store returns can remove or change a key in use.
 *
 * A fault that a store fills has its place (kh_store_name). A thread that holds a lock of the
 * server must not call a function of a store: all of them but `name` may wait, for a disk, a
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
 * Identifies the content of a store. Only the store interprets the words; two marks are of the same
 * content if their words are equal (kh_store_is_same()).
 */
typedef struct kh_store_mark {
  uint64_t words[8]; /**< those that a store does not use are 0 */
} kh_store_mark;

/** The name of a store in messages. */
typedef struct kh_store_name {
  const char *noun;  /**< "the key file"; constant */
  const char *place; /**< the file's path, an address; valid until the store is freed */
} kh_store_name;

/** Why a store is loaded. */
typedef enum kh_store_reason {
  KH_STORE_REQUESTED, /**< by the start of the process or a statement */
  KH_STORE_CHANGED,   /**< automatically, for its new content. One that costs much to open may be
                         refused, so that an attacker who writes it cannot keep the process busy */
  KH_STORE_COMPARED,  /**< automatically, to find out whether it has the keys in use. Refused as
                         above, and also where reading takes away what the next start needs */
} kh_store_reason;

/** Keys that were read from a store; freed by kh_store_content_free(). */
typedef struct kh_store_content {
  const kh_keylist *list; /**< key id 1 is in it; belongs to `owner` */
  void *owner;            /**< the list, or an object that contains it, such as an opened file;
                             NULL: freed */
  void (*free_owner)(void *owner); /**< wipes and frees it */
  kh_store_mark mark;              /**< of the content that was read */
  const char *format;              /**< the form in which the store has its keys; constant */
  bool is_locked;  /**< all memory that held a secret while the keys were read was locked into
                      RAM */
  kh_status doubt; /**< KH_OK, or why the content may be incomplete. An automatic reload fails with
                      this status; a reload on request uses the keys */
} kh_store_content;

/** Which new versions a store makes. */
typedef struct kh_store_rotation {
  const kh_keytable *known;    /**< the keys in use */
  const kh_store_mark *loaded; /**< of the content that `known` is from, which is complete */
  uint32_t id;                 /**< of the key, or 0: all */
  kh_version_floor floor;      /**< a key of which the store lacks that version or a higher one gets
                                  none: KH_E_VERSION_NEEDED */
  bool due_only;               /**< only keys whose interval has passed at `now`; an incomplete
                                  content is refused */
  uint32_t now;                /**< UNIX time; the new versions' time of creation */
  kh_cipher default_cipher;    /**< as for kh_keytable_check_follows() */
} kh_store_rotation;

/** What a rotation did. */
typedef struct kh_store_rotated {
  size_t made;        /**< new versions that were written to the store */
  size_t taken;       /**< keys of which the store had a newer version than the one in use, made by
                         another server, so that none was made */
  size_t passed_over; /**< keys that can have no new version, when all were to be rotated; each was
                         logged */
} kh_store_rotated;

/** What a store is to have. */
typedef struct kh_store_saving {
  const kh_keytable *known; /**< the keys in use */
  bool replaces; /**< only a content that does not open with what opens the store now: it is kept
                    under another name, and a new one is written. One that opens is refused
                    (KH_E_STORE_OPENS) */
  uint32_t now;  /**< UNIX time, for the name of what is kept */
  kh_cipher default_cipher; /**< as for kh_keytable_check_agrees() */
} kh_store_saving;

/** What was saved. */
typedef struct kh_store_saved {
  size_t written;        /**< key versions that the store lacked */
  bool is_new;           /**< the whole content was written anew */
  kh_shown_path kept_as; /**< the name that the old content is kept under; "": it was gone, or
                            stays */
} kh_store_saved;

/**
 * The functions of a store. `self` is the store's own. An optional function may be NULL.
 *
 * Calls of `load`, `make_versions`, `settle` and `save` come one at a time, from any thread. Those
 * of `lookup` and of the four `watch_` functions come from one thread alone, at the same time as
 * others. `mark` and `name` must be thread-safe.
 */
typedef struct kh_store_ops {
  /** Returns the store's name for messages. Never waits. */
  kh_store_name (*name)(const void *self);

  /**
   * Reads all keys. The first call that succeeds is at the start of the process and may wait for
   * user input; all later ones end after a limited time.
   *
   * A content that changes while it is read is read again, a few times. Keys that `lookup` found
   * stay part of the content.
   *
   * @param reason       a content that is refused for it has a status of KH_CLASS_UNTRIED.
   * @param ret_content  for kh_store_content_free(); untouched on failure.
   * @param ret_fault    may be NULL.
   * @return KH_OK, or why the keys cannot be read.
   */
  kh_status (*load)(void *self, kh_store_reason reason, kh_store_content *ret_content,
                    kh_fault *ret_fault);

  /**
   * Makes new versions of keys and writes them to the store. When it returns KH_OK, a power
   * failure cannot undo them. The content that it returns has every key in use and every new
   * version.
   *
   * Optional: without it the keys of the store cannot be rotated here (KH_E_NO_ROTATION).
   *
   * @param ret_content  the store's new content, for kh_store_content_free(); untouched on
   * failure.
   * @param ret_rotated  untouched on failure.
   * @param ret_fault    may be NULL.
   * @return KH_OK, also if there was nothing to do; KH_E_KEY_NOT_FOUND: no such key id;
   * KH_E_VERSION_NEEDED: of that key id, or of the first where no other key is left; else why it
   * failed. After a failure the store may have new versions that are not settled.
   */
  kh_status (*make_versions)(void *self, const kh_store_rotation *rotation,
                             kh_store_content *ret_content, kh_store_rotated *ret_rotated,
                             kh_fault *ret_fault);

  /**
   * Makes the content of a mark durable, so that a power failure cannot undo it.
   *
   * Optional: without it, everything that can be read is durable.
   *
   * @param ret_fault  may be NULL.
   * @return KH_OK; else why it may not be durable, or that the content has another mark now.
   */
  kh_status (*settle)(void *self, const kh_store_mark *mark, kh_fault *ret_fault);

  /**
   * Reads the mark of the current content. Faster than `load`, and needs no passphrase.
   *
   * @param ret_mark   untouched on failure.
   * @param ret_fault  may be NULL.
   * @return KH_OK, or why the store is not available. Thread-safe.
   */
  kh_status (*mark)(void *self, kh_store_mark *ret_mark, kh_fault *ret_fault);

  /**
   * Begins to watch the content for changes. `watch_end` ends it, also after a failure, whose
   * cause may disappear meanwhile.
   *
   * Optional: the keeper also compares the mark every few seconds.
   *
   * @param ret_fault  may be NULL.
   * @return KH_OK, or why changes cannot be watched.
   */
  kh_status (*watch_begin)(void *self, kh_fault *ret_fault);

  /** Returns a descriptor that becomes readable when the content may have changed; -1: none.
   * Optional, as `watch_begin`. */
  int (*watch_descriptor)(const void *self);

  /** Reads the events that made the descriptor readable. Called before the mark is read. Optional,
   * as `watch_begin`. */
  void (*watch_drain)(void *self);

  /** Ends the watching. Optional, as `watch_begin`. */
  void (*watch_end)(void *self);

  /**
   * Looks for a key that is not in use.
   *
   * Optional: without it `load` returns every key of the store.
   *
   * @param id        of the key.
   * @param version   of the key; 0: the latest one.
   * @param ret_list  the version, and others of that key if the store returned them too; for
   * kh_keylist_free(); untouched on failure.
   * @param ret_fault  may be NULL.
   * @return KH_OK; KH_E_KEY_NOT_FOUND: the store answered that it has no such key; else why there
   * was no answer.
   */
  kh_status (*lookup)(void *self, uint32_t id, uint32_t version, kh_keylist **ret_list,
                      kh_fault *ret_fault);

  /**
   * Writes the key versions in use that the store lacks. When it returns KH_OK, a power failure
   * cannot undo it. The content that it returns has every key in use. A content that is gone is
   * written anew.
   *
   * Optional: without it the keys of the store cannot be saved here (KH_E_NO_SAVE).
   *
   * @param ret_content  the store's new content, for kh_store_content_free(); untouched on
   * failure.
   * @param ret_saved    untouched on failure.
   * @param ret_fault    may be NULL.
   * @return KH_OK, also if the store lacked nothing; KH_E_KEY_CHANGED, KH_E_CIPHER_CHANGED: it has
   * another key or cipher for a version in use, and nothing was written; KH_E_STORE_OPENS; else
   * why it failed.
   */
  kh_status (*save)(void *self, const kh_store_saving *saving, kh_store_content *ret_content,
                    kh_store_saved *ret_saved, kh_fault *ret_fault);

  /** Ends the watching, wipes and frees. No thread may be inside a call. */
  void (*free)(void *self);
} kh_store_ops;

/** A store: its functions, and their argument. All NULL: none. */
typedef struct kh_store {
  const kh_store_ops *ops; /**< a constant */
  void *self;              /**< their first argument, freed by `free` */
} kh_store;

/** Wipes and frees the keys of a content. Takes a content that was freed. */
void kh_store_content_free(kh_store_content *content);

/** Makes a content own a list.
 *
 * @param list  taken over. */
void kh_store_content_own(kh_store_content *content, kh_keylist *list);

/** Frees a store and sets it to none. Takes NULL and none. */
void kh_store_free(kh_store *store);

/** Returns a store's name for messages. Thread-safe. */
kh_store_name kh_store_get_name(const kh_store *store);

/** Returns a store's place, shortened for a message (kh_show_path()). Thread-safe. */
kh_shown_path kh_store_shown_place(const kh_store *store);

/** Returns whether two marks are of the same content. Thread-safe. */
bool kh_store_is_same(const kh_store_mark *a, const kh_store_mark *b);

/** Fills a fault with the store's place, and returns its status (kh_fault_set()). Thread-safe. */
kh_status kh_store_fail(const kh_store *store, kh_status status, kh_fault *ret_fault);

/** Puts the store's place into a fault that another function has filled. Takes NULL. Thread-safe.
 */
void kh_store_name_in(const kh_store *store, kh_fault *fault);

/** Calls kh_store_ops.make_versions of a store. @return also KH_E_NO_ROTATION: it has none. */
KH_MUST_USE kh_status kh_store_make_versions(const kh_store *store,
                                             const kh_store_rotation *rotation,
                                             kh_store_content *ret_content,
                                             kh_store_rotated *ret_rotated, kh_fault *ret_fault);

/** Calls kh_store_ops.save of a store. @return also KH_E_NO_SAVE: it has none. */
KH_MUST_USE kh_status kh_store_save(const kh_store *store, const kh_store_saving *saving,
                                    kh_store_content *ret_content, kh_store_saved *ret_saved,
                                    kh_fault *ret_fault);

/** Calls kh_store_ops.settle of a store. @return KH_OK also if it has none. */
KH_MUST_USE kh_status kh_store_settle(const kh_store *store, const kh_store_mark *mark,
                                      kh_fault *ret_fault);

#endif
