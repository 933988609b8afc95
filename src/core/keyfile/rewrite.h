/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file rewrite.h
 * A key file that gets another text, or another form: nothing is written before it was read back
 * from memory.
 */
#ifndef KEYHOLD_KEYFILE_REWRITE_H
#define KEYHOLD_KEYFILE_REWRITE_H

#include "keyhold/lockfile.h"
#include "opened.h"

/** One change of a key file on its way. Starts with `opened` as kh_opened_open() wants it. */
typedef struct kh_rewrite {
  kh_opened opened;   /**< the file as it was; for a new file only its first four fields */
  bool is_left;       /**< the file stays as it is, and is opened without its lock */
  kh_lockfile *lock;  /**< held from kh_rewrite_open() to kh_rewrite_cleanup() */
  kh_keytable *table; /**< its keys */
  kh_secret *text;    /**< the new text; NULL: it stays */
  kh_secret *file;    /**< what is written; NULL when it is the text */
  kh_keylist *list;   /**< what was read back from it */
} kh_rewrite;

/** How the new content is to lie on the disk. */
typedef struct kh_rewrite_form {
  const kh_keyfile_format *format;
  kh_keyfile_options options; /**< its path is for messages */
  kh_bytes passphrase;        /**< none when the format is not encrypted */
  kh_bytes old;               /**< as kh_keyfile_content has them */
  const kh_sealed_slot *slot;
} kh_rewrite_form;

/** Fills the fault, names the file, and gives the status back; and with a key version. */
kh_status kh_rewrite_fail(const kh_rewrite *rewrite, kh_status status);
kh_status kh_rewrite_fail_for_key(const kh_rewrite *rewrite, kh_status status, uint32_t id,
                                  uint32_t version);

/**
 * Gets the passphrase, then the lock, opens the file and makes its table. There are random bytes
 * from then on.
 *
 * @return the codes of kh_random_start(), kh_lockfile_take() and kh_opened_open().
 */
KH_MUST_USE kh_status kh_rewrite_open(kh_rewrite *rewrite, kh_repeats repeats);

/** The form that the opened file has. */
kh_rewrite_form kh_rewrite_same_form(const kh_rewrite *rewrite);

/**
 * Makes the new content of the new text, or of the opened file's, and reads it back.
 *
 * @return KH_OK, KH_E_FILE_TOO_LARGE, the codes of the format and of kh_keyfile_parse_text().
 */
KH_MUST_USE kh_status kh_rewrite_make(kh_rewrite *rewrite, const kh_rewrite_form *form,
                                      kh_repeats repeats);

/**
 * Whether what was read back has exactly these keys, in any order.
 *
 * @param retired  but for these, which must be retired now; NULL: none.
 * @param added    and these; NULL: none.
 * @return KH_OK, KH_E_KEY_LOST, KH_E_KEY_CHANGED, KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_rewrite_check(const kh_rewrite *rewrite, const kh_keytable *before,
                                       const kh_keytable *retired, const kh_keylist *added);

/** The new content. */
kh_bytes kh_rewrite_content(const kh_rewrite *rewrite);

/** Puts the new content in the file's place; `opened.info` is then that of the new file. @return as
 * kh_file_replace(). */
KH_MUST_USE kh_status kh_rewrite_replace(kh_rewrite *rewrite);

/**
 * Makes the new content in the form that the opened file has, checks that it has the keys that the
 * file had, but for `retired` and with `added`, and replaces the file.
 *
 * @return the codes of kh_rewrite_make(), kh_rewrite_check() and kh_rewrite_replace().
 */
KH_MUST_USE kh_status kh_rewrite_finish(kh_rewrite *rewrite, const kh_keytable *retired,
                                        const kh_keylist *added);

/** For `__attribute__((cleanup))`: wipes and frees what is left in it, and gives the lock back. */
void kh_rewrite_cleanup(kh_rewrite *rewrite);
#define KH_AUTO_REWRITE __attribute__((cleanup(kh_rewrite_cleanup))) kh_rewrite

#endif
