/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file rotation.h
 * New versions of keys in a key file.
 */
#ifndef KEYHOLD_ROTATION_H
#define KEYHOLD_ROTATION_H

#include <stdbool.h>

#include "keyhold/keyfile.h"
#include "keyhold/keytable.h"

/** Which new versions kh_keyfile_rotate() is to make. */
typedef struct kh_rotation {
  const kh_keytable *known; /**< the keys in use */
  uint32_t id;              /**< of the key, or 0: all */
  bool due_only; /**< only keys whose interval has passed at `now`; and a file that may not be
                    finished is refused */
  const kh_file_stamp *loaded; /**< of the file that `known` is from, which is finished in any case;
                                  NULL: not known */
  uint32_t now;                /**< UNIX time; the new versions' time of creation */
  kh_cipher default_cipher;    /**< as for kh_keytable_check_follows() */
} kh_rotation;

/** What kh_keyfile_rotate() did. */
typedef struct kh_rotated {
  size_t made;  /**< new versions that were written into the file */
  size_t taken; /**< keys of which the file already had a newer version than the one in use, made by
                   another server, so that none was made */
} kh_rotated;

/**
 * Makes new versions of keys and writes them into the key file, in the file's own form: comments,
 * order and line ends stay, a new version stands behind the last line of its key; an encrypted file
 * is encrypted again, with the same passphrase and a new salt, and a sealed one keeps its slots.
 * The file is replaced by kh_file_replace() under its kh_lockfile.
 *
 * A new version is KH_ROTATION_STEP above the highest one in the file, has random bytes
 * (kh_random_bytes()) as many as the attribute `bits` of the latest version says, or else as many
 * as that has, the same attributes, and `created`. A key of which the file has a version that is
 * KH_ROTATION_STEP or more above that of `known` gets none: another server made it. When none is
 * made, the file is flushed (kh_file_flush()), since who made the others may not have come to that.
 *
 * Nothing is written unless the whole new content was read back from memory, has every key that is
 * known and the new ones.
 *
 * @param log       may be NULL.
 * @param ret_list  what the file holds now, for kh_keylist_free(); untouched on failure.
 * @param ret_info  may be NULL; untouched on failure.
 * @param ret_rotated  untouched on failure.
 * @param ret_fault may be NULL.
 * @return KH_OK, also when there was nothing to do; the codes of kh_keyfile_load();
 * KH_E_KEY_DUPLICATE, also in a file of `id;key` lines, where it could not be loaded with versions;
 * KH_E_FILE_UNFINISHED (with `due_only`: no line end behind the last line);
 * KH_E_KEY_NOT_FOUND (no such key id in the file), KH_E_VERSION_LIMIT; those of
 * kh_keytable_check_follows(), kh_lockfile_take(), kh_file_replace() and kh_file_flush(). After
 * KH_E_FILE_FLUSH the file holds the new versions, which must not be used yet. As thread-safe as
 * the log. May wait for the disk, for the key derivation, and up to KH_KEYFILE_LOCK_WAIT for
 * another process.
 */
KH_MUST_USE kh_status kh_keyfile_rotate(const kh_keyfile_options *options, const kh_crypt *crypt,
                                        const kh_rotation *rotation, const kh_log *log,
                                        kh_keylist **ret_list, kh_keyfile_info *ret_info,
                                        kh_rotated *ret_rotated, kh_fault *ret_fault);

#endif
