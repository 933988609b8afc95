/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile_parts.h
 * The parts of an open key file, and functions that src/core/keyfile shares.
 */
#ifndef KEYHOLD_KEYFILE_PARTS_H
#define KEYHOLD_KEYFILE_PARTS_H

#include "envelope.h"
#include "keyhold/keyfile_text.h"
#include "keyhold/lockfile.h"

/** What a file holds. */
typedef struct kh_content {
  kh_secret *file;      /**< as it lies on the disk */
  kh_secret *decrypted; /**< its text; NULL when the file is the text */
  kh_keylist *keys;
  kh_file_stamp stamp;
  bool is_from_fifo;
} kh_content;

/** A change that is not saved yet. All NULL: none. */
typedef struct kh_change {
  kh_keytable *before;  /**< the keys of the file */
  kh_keylist *delta;    /**< keys that are added, and versions that become retired */
  kh_secret *text;      /**< the new text; NULL: it stays */
  kh_envelope envelope; /**< the new one; without a format: it stays */
} kh_change;

struct kh_keyfile {
  kh_keyfile_options options;
  const kh_crypt *crypt;
  kh_log kept_log;
  const kh_log *log; /* that, or NULL */
  kh_envelope envelope;
  kh_content content;
  bool has_cr;           /* the file of the passphrase ends with CR LF */
  bool is_locked;        /* all memory so far, into RAM */
  kh_file_stamp decided; /* of the content that the caller has seen: opened, or saved */
  kh_lockfile *lock;     /* NULL: it is not held */
  bool had_unseen; /* the last file that was replaced had a change that is not in the new one */
  kh_change change;
};

/** Fill the fault with the file, or with the file and a key version, and return the status. */
kh_status kh_keyfile_fail(const kh_keyfile *file, kh_status status, kh_fault *ret_fault);
kh_status kh_keyfile_fail_for_key(const kh_keyfile *file, kh_status status, const kh_key *key,
                                  kh_fault *ret_fault);

/** Fills the fault of content that is larger than KH_KEYFILE_MAX, and returns its status. */
kh_status kh_keyfile_too_large(const char *path, uint64_t size, kh_fault *ret_fault);

/** Returns the text of a content. */
kh_bytes kh_content_text(const kh_content *content);

/** Returns whether all its memory is locked into RAM. */
bool kh_content_is_locked(const kh_content *content);

/**
 * Makes the content of a new key file, and reads it back from memory. May derive a key.
 *
 * @param path     of the file, for messages.
 * @param keys     key id 1 among them; no version twice.
 * @param content  empty; to be cleared in either case.
 * @return the codes of kh_keyfile_create(), without those of kh_file_create().
 */
KH_MUST_USE kh_status kh_content_make(const char *path, const kh_keyfile_form *form,
                                      const kh_crypt *crypt, const kh_keylist *keys,
                                      kh_content *content, kh_fault *ret_fault);

/**
 * Replaces a key file by kh_file_replace_seen(). Warns of what another process wrote meanwhile.
 *
 * @param log            may be NULL.
 * @param ret_is_unseen  whether it warned, set also on failure; may be NULL.
 * @return the codes of kh_file_replace().
 */
KH_MUST_USE kh_status kh_keyfile_replace(const char *path, const kh_file_seen *seen,
                                         kh_bytes content, const kh_log *log,
                                         kh_file_stamp *ret_stamp, bool *ret_is_unseen,
                                         kh_fault *ret_fault);

/** Wipes and frees a content. For `__attribute__((cleanup))`. */
void kh_content_clear(kh_content *content);
#define KH_AUTO_CONTENT __attribute__((cleanup(kh_content_clear))) kh_content

/** Takes over content, which is empty then. */
void kh_keyfile_adopt(kh_keyfile *file, kh_content *content);

/**
 * Says in the fault of a file that does not open what the cause most likely is, the most certain
 * one first: how a file of `openssl enc` was made, if the options have a search; a setting that was
 * meant in another way; what is unusual in the passphrase. May derive keys for as long as the
 * search allows, so never under the lock.
 *
 * @param fault  NULL: does nothing.
 */
void kh_keyfile_advise(const kh_keyfile *file, const kh_content *content, kh_status status,
                       kh_fault *fault);

/** Drops the change. */
void kh_keyfile_drop_change(kh_keyfile *file);

/**
 * Begins a change: drops the one before, takes the lock unless it is held, and brings the content
 * up to date. Sets `change.before` and an empty `change.delta`.
 *
 * @param repeats  KH_REPEATS_REFUSED when keys are to be changed: then the delta has room for a new
 * version of each, and for one new key.
 * @return as all changes (keyfile.h).
 */
KH_MUST_USE kh_status kh_keyfile_begin_change(kh_keyfile *file, kh_repeats repeats,
                                              kh_fault *ret_fault);

#endif
