/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile.h
 * Reads a key file, in the clear, encrypted by `openssl enc` or sealed, into a list of keys, and
 * writes new versions of keys into it. docs/key-file.md is the format.
 */
#ifndef KEYHOLD_KEYFILE_H
#define KEYHOLD_KEYFILE_H

#include <stdbool.h>

#include "keyhold/crypt.h"
#include "keyhold/fault.h"
#include "keyhold/file.h"
#include "keyhold/keylist.h"
#include "keyhold/keytable.h"
#include "keyhold/log.h"
#include "keyhold/sealed.h"

/** Which file, and how it opens. All strings belong to the caller. */
typedef struct kh_keyfile_options {
  const char *path;            /**< the key file */
  const char *filekey;         /**< as kh_unlock() takes it */
  const kh_secret *passphrase; /**< what opens an encrypted file; NULL: what `filekey` names */
  kh_permissions permissions;  /**< of the key file and of a file with the passphrase */
  bool waits_shortly;          /**< for the passphrase, whatever it comes from (kh_unlock_how) */
  kh_digest digest;            /**< of the key derivation of a file of `openssl enc` */
  uint32_t pbkdf2_iterations;  /**< likewise; 0: no PBKDF2; at most INT_MAX */
} kh_keyfile_options;

/** What a key file was found to be. */
typedef struct kh_keyfile_info {
  const char *format;  /**< "text", "openssl" or "sealed"; constant */
  bool ends_line;      /**< the file is text and its last line has a line end, or it is no text */
  kh_file_stamp stamp; /**< of the content that was loaded */
  bool locked; /**< all memory that held the passphrase, the file, its text and the list was locked
                  into RAM */
} kh_keyfile_info;

/** What a key file is, before it is opened. */
typedef struct kh_keyfile_look {
  const char *format; /**< "text", "openssl" or "sealed"; constant */
  bool is_encrypted;  /**< it needs a passphrase; the others refuse one */
} kh_keyfile_look;

/**
 * Looks at a key file without opening it. What is no other format is text, whatever it holds.
 *
 * @param ret_look   untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_file_read(); KH_E_FILE_TOO_LARGE. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_look_at(const char *path, kh_keyfile_look *ret_look,
                                         kh_fault *ret_fault);

/**
 * Loads a key file. Nothing is kept but the list; the passphrase and the decrypted text are wiped
 * before it returns.
 *
 * Warns of a file that others may read, and of a key that a later line of an `id;key` file
 * replaces; after
 * KH_E_WRONG_PASSPHRASE a hint has told what was tried.
 *
 * @param crypt      for the decryption.
 * @param log        may be NULL.
 * @param ret_list   for kh_keylist_free(), key id 1 in it; untouched on failure.
 * @param ret_info   may be NULL; untouched on failure.
 * @param ret_fault  may be NULL; names the file, and line and column where there are some.
 * @return KH_OK; the codes of kh_unlock() and kh_file_read(); KH_E_FILE_TOO_LARGE,
 * KH_E_FILE_UNSAFE;
 * KH_E_NOT_ENCRYPTED, KH_E_NO_PASSPHRASE, KH_E_WRONG_PASSPHRASE, KH_E_CONTAINER_SIZE; the codes of
 * kh_sealed_open() and kh_keyfile_parse_text(). As thread-safe as the log. May wait for the disk,
 * and for the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_load(const kh_keyfile_options *options, const kh_crypt *crypt,
                                      const kh_log *log, kh_keylist **ret_list,
                                      kh_keyfile_info *ret_info, kh_fault *ret_fault);

/**
 * Gives the text of a key file, keys and all, if it can be loaded.
 *
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return as kh_keyfile_load(). Parameters otherwise likewise.
 */
KH_MUST_USE kh_status kh_keyfile_read_text(const kh_keyfile_options *options, const kh_crypt *crypt,
                                           const kh_log *log, kh_secret **ret_text,
                                           kh_fault *ret_fault);

/** How a new key file is to lie on the disk. */
typedef struct kh_keyfile_form {
  const char *format;          /**< "text", "openssl" or "sealed" */
  const kh_secret *passphrase; /**< not empty; NULL for a format that is not encrypted */
  kh_digest digest;            /**< openssl: of the key derivation */
  uint32_t pbkdf2_iterations;  /**< openssl: likewise; 0: no PBKDF2; at most INT_MAX */
  kh_sealed_slot slot;         /**< sealed: of its only slot */
} kh_keyfile_form;

/**
 * What a format is.
 *
 * @param ret_look  untouched when there is none.
 * @return false: no format has that name. Thread-safe.
 */
bool kh_keyfile_format_by_name(const char *name, kh_keyfile_look *ret_look);

/**
 * Makes a key file by kh_file_create(), after it was read back from memory and has the keys.
 *
 * @param path       at which there is nothing yet.
 * @param keys       key id 1 among them; no version twice.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_NO_PASSPHRASE, KH_E_NOT_ENCRYPTED (the form's passphrase is missing, or is
 * one too many); KH_E_FILE_TOO_LARGE; the codes of kh_keyfile_parse_text(), kh_sealed_make() and
 * kh_file_create(); KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe for different paths. May wait for the
 * disk, and for the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_create(const char *path, const kh_keyfile_form *form,
                                        const kh_crypt *crypt, const kh_keylist *keys,
                                        kh_fault *ret_fault);

/**
 * Writes a key file in another form. Its text stays, byte for byte, and what was written is read
 * back from memory and compared with it, key by key, before it takes the file's place.
 *
 * @param form       "text" and "openssl" take the text as it is; "sealed" makes a new file key and
 * one slot, whatever slots there were.
 * @param to         the path of a new file, for kh_file_create(); NULL: the file itself is
 * replaced, under its lock.
 * @param log        may be NULL.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_load() and kh_keyfile_create(), kh_lockfile_take() and
 * kh_file_replace(). As thread-safe as the log.
 */
KH_MUST_USE kh_status kh_keyfile_convert(const kh_keyfile_options *options, const kh_crypt *crypt,
                                         const kh_keyfile_form *form, const char *to,
                                         const kh_log *log, kh_fault *ret_fault);

/**
 * Takes old versions of keys out of a key file, under its kh_lockfile and by kh_file_replace(). A
 * line in the place of each says that it is retired, so that a server that has them in use
 * (kh_keytable_check_follows()) can tell that from a loss.
 *
 * @param retired    none of them the latest of its key; which keys they are does not matter.
 * @param expected   the stamp of the file for which that was decided.
 * @param log        may be NULL.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_FILE_CHANGED; KH_E_KEY_NOT_FOUND, KH_E_KEY_LATEST; the codes of
 * kh_keyfile_load(), kh_lockfile_take() and kh_file_replace(). As thread-safe as the log.
 */
KH_MUST_USE kh_status kh_keyfile_retire_versions(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, const kh_keytable *retired,
                                                 const kh_file_stamp *expected, const kh_log *log,
                                                 kh_fault *ret_fault);

/** What is done to a slot of a sealed key file. */
typedef enum kh_slot_change {
  KH_SLOT_ADD,    /**< kh_sealed_add_slot() */
  KH_SLOT_CHANGE, /**< kh_sealed_change_slot() */
  KH_SLOT_REMOVE, /**< kh_sealed_remove_slot() */
} kh_slot_change;

/**
 * Whether a change of a slot could be made, as far as that is to be seen without a passphrase.
 *
 * @param path       for messages.
 * @param slots      of the file.
 * @param slot       that is added, or what the slot with its label becomes; of one that is removed
 * only the label.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_SLOT_COUNT, KH_E_SLOT_LABEL, KH_E_SLOT_COST (also when all together would
 * cost too much), KH_E_SLOT_EXISTS, KH_E_SLOT_NOT_FOUND, KH_E_SLOT_LAST. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_check_slot(const char *path, const kh_sealed_slots *slots,
                                            kh_slot_change change, const kh_sealed_slot *slot,
                                            kh_fault *ret_fault);

/**
 * Adds, changes or removes a slot of a sealed key file: under its kh_lockfile, by
 * kh_file_replace(), and only if what is written opens, from memory, with a passphrase that shall
 * open it, to the same text.
 *
 * @param options    its passphrase is that of a slot; of one that stays when one is removed.
 * @param entry      the slot and its new passphrase; of a slot that is removed only the label.
 * @param log        may be NULL.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of the function of sealed.h, KH_E_SEALED_DAMAGED for a file of another
 * format; the codes of kh_keyfile_load(), kh_lockfile_take() and kh_file_replace(). As thread-safe
 * as the log.
 */
KH_MUST_USE kh_status kh_keyfile_change_slot(const kh_keyfile_options *options,
                                             const kh_crypt *crypt, kh_slot_change change,
                                             const kh_sealed_entry *entry, const kh_log *log,
                                             kh_fault *ret_fault);

/** A new key. */
typedef struct kh_keyfile_addition {
  uint32_t id;      /**< 0: one above the highest in the file, and above KH_KEY_ID_TEMPORARY */
  uint32_t len;     /**< in bytes: 16, 24 or 32 */
  kh_policy policy; /**< of its version 1; fits its length */
} kh_keyfile_addition;

/**
 * Makes a new key and writes it into the key file, at the end of its text; otherwise as
 * kh_keyfile_rotate().
 *
 * @param ret_id  the key's id; untouched on failure.
 * @return KH_OK; KH_E_KEY_EXISTS; KH_E_NO_KEY_ID; otherwise as
 * kh_keyfile_rotate().
 */
KH_MUST_USE kh_status kh_keyfile_add_key(const kh_keyfile_options *options, const kh_crypt *crypt,
                                         const kh_keyfile_addition *addition, const kh_log *log,
                                         uint32_t *ret_id, kh_fault *ret_fault);

/** Which new versions kh_keyfile_rotate() is to make. */
typedef struct kh_rotation {
  const kh_keytable *known; /**< the keys in use */
  uint32_t id;              /**< of the key, or 0: all */
  bool due_only; /**< only keys whose interval has passed at `now`; and a file that may not be
                    finished is refused */
  const kh_file_stamp *loaded; /**< of the file that `known` is from, which is finished in any case;
                                  NULL: not known */
  uint32_t now;                /**< UNIX time; the new versions' time of creation */
  kh_key_cipher default_cipher; /**< as for kh_keytable_check_follows() */
} kh_rotation;

/** How long kh_keyfile_rotate() waits for another process that is changing the file, in
 * milliseconds. */
#define KH_ROTATION_LOCK_WAIT 10000u

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
 * the log. May wait for the disk, for the key derivation, and up to KH_ROTATION_LOCK_WAIT for
 * another process.
 */
KH_MUST_USE kh_status kh_keyfile_rotate(const kh_keyfile_options *options, const kh_crypt *crypt,
                                        const kh_rotation *rotation, const kh_log *log,
                                        kh_keylist **ret_list, kh_keyfile_info *ret_info,
                                        kh_rotated *ret_rotated, kh_fault *ret_fault);

/** How kh_keyfile_parse_text() judges one key id and version that stands twice with different keys
 * or attributes. */
typedef enum kh_repeats {
  KH_REPEATS_AS_UPSTREAM, /**< the last one counts, with a warning, in a file of `id;key` lines
                             without attributes; an error in any other */
  KH_REPEATS_REFUSED,     /**< an error in every file */
} kh_repeats;

/**
 * Parses the text of a key file: lines `id;key` or `id;version;key` with attributes, comments and
 * empty lines; ends at the first NUL.
 *
 * @param path       for messages only.
 * @param text       may hold any bytes.
 * @return KH_OK, KH_E_SYNTAX, KH_E_KEY_ID, KH_E_KEY_VERSION, KH_E_KEY_HEX, KH_E_KEY_DUPLICATE,
 * KH_E_ATTRIBUTE, KH_E_ATTRIBUTE_VALUE, KH_E_KEY_TOO_SHORT, KH_E_NO_SYSTEM_KEY, KH_E_NO_MEMORY,
 * KH_E_CRYPTO. Parameters otherwise as kh_keyfile_load().
 */
KH_MUST_USE kh_status kh_keyfile_parse_text(const char *path, kh_bytes text, kh_repeats repeats,
                                            const kh_log *log, kh_keylist **ret_list,
                                            kh_fault *ret_fault);

/**
 * Puts lines for new key versions into the text of a key file that kh_keyfile_parse_text() takes.
 * All that was there stays, byte for byte; each new line stands behind the last line of its key id,
 * with that line's line end ("\r\n" or "\n"), and those of key ids that are not in the text at its
 * end. A last line without a line end gets one.
 *
 * @param text      may be empty: then a text is made.
 * @param parsed    the text's list, whose lines say where keys stand.
 * @param added     the new versions, in the order in which they shall stand; at most one for each
 * key id that is in the text.
 * @param ret_text  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_add_lines(kh_bytes text, const kh_keylist *parsed,
                                           const kh_keylist *added, kh_secret **ret_text);

/**
 * Puts "id;version;retired" in the place of the lines of key versions in such a text; all else
 * stays, byte for byte.
 *
 * @param retired   the key versions; which keys they are does not matter.
 * @return as kh_keyfile_add_lines(). Parameters otherwise likewise.
 */
KH_MUST_USE kh_status kh_keyfile_retire_lines(kh_bytes text, const kh_keylist *parsed,
                                              const kh_keytable *retired, kh_secret **ret_text);

/**
 * Whether a file is encrypted by `openssl enc`: longer than 8 bytes and beginning with "Salted__"
 * (enc(1ssl)).
 */
bool kh_keyfile_is_openssl(kh_bytes file);

/**
 * Decrypts a file that kh_keyfile_is_openssl() knows: AES-256-CBC, PKCS#7 padding.
 *
 * The format has no integrity check: about one wrong passphrase in 256 is not seen here.
 *
 * @param options     path for messages; digest and iterations.
 * @param passphrase  may be empty.
 * @param ret_text    for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_CONTAINER_SIZE, KH_E_WRONG_PASSPHRASE, KH_E_NO_MEMORY, KH_E_CRYPTO.
 * Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_decrypt_openssl(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, kh_bytes file,
                                                 kh_bytes passphrase, kh_secret **ret_text,
                                                 kh_fault *ret_fault);

/**
 * Encrypts a text as kh_keyfile_decrypt_openssl() reads it, with a new random salt.
 *
 * @param ret_file  for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO. Parameters otherwise likewise. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_encrypt_openssl(const kh_keyfile_options *options,
                                                 const kh_crypt *crypt, kh_bytes text,
                                                 kh_bytes passphrase, kh_secret **ret_file,
                                                 kh_fault *ret_fault);

#endif
