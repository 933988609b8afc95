/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file keyfile.h
 * A key file, in plain text, encrypted by `openssl enc` or sealed: opened once, changed, saved.
 * docs/key-file.md is the format; keyfile_text.h has its text, sealed.h its slots.
 *
 *     kh_keyfile_open()         reads, gets the passphrase, derives, decrypts and parses, once
 *     kh_keyfile_rotate(), ...  makes a change in memory, of what is on the disk under the lock
 *     kh_keyfile_save()         reads the new content back, compares it, and replaces the file
 *
 * The lock (kh_lockfile) is the first step of a change and not a separate call, so that every
 * change is based on the file as it is on the disk, while no other process can write it. It is held
 * until kh_keyfile_save() or kh_keyfile_free(). The content is compared, not the stamp alone: where
 * the file is still what was opened, nothing is derived or parsed again. Where it is not, a sealed
 * file in which the slot that was opened is still there opens with the file key that is held; any
 * other file is opened again, with a key derivation under the lock. A file of `openssl enc` gets a
 * new salt when it is changed: its key is derived before the lock is taken, and stays good for a
 * file that another process changed meanwhile. So key derivations happen before the lock is taken,
 * unless another process changed the file, and a program that supplies the passphrase never runs
 * under it.
 */
#ifndef KEYHOLD_KEYFILE_H
#define KEYHOLD_KEYFILE_H

#include <stdbool.h>

#include "keyhold/crypt.h"
#include "keyhold/fault.h"
#include "keyhold/file.h"
#include "keyhold/kdf.h"
#include "keyhold/keylist.h"
#include "keyhold/keytable.h"
#include "keyhold/log.h"
#include "keyhold/sealed.h"
#include "keyhold/secret.h"

/** A format of key files. A constant; formats are compared by address. */
typedef struct kh_keyfile_format {
  const char *name;  /**< as options and messages have it */
  bool is_encrypted; /**< it needs a passphrase; the others refuse one */
  bool has_digest;   /**< it opens only with the digest and the iterations of its making */
  bool has_slots;    /**< it has a slot for each passphrase (sealed.h) */
  const struct kh_keyfile_format_functions *functions; /**< for src/core/keyfile only */
} kh_keyfile_format;

extern const kh_keyfile_format kh_keyfile_format_text;    /**< "text": not encrypted */
extern const kh_keyfile_format kh_keyfile_format_openssl; /**< "openssl": of `openssl enc` */
extern const kh_keyfile_format kh_keyfile_format_sealed;  /**< "sealed" */

/** Returns the format at an index of the list of all formats; NULL after the last one. Thread-safe.
 */
const kh_keyfile_format *kh_keyfile_format_at(size_t index);

/** Finds a format by its name; NULL: there is none. Thread-safe. */
const kh_keyfile_format *kh_keyfile_format_by_name(const char *name);

/**
 * Recognises the format of a key file without opening it. A file of no other format counts as
 * text, whatever it holds.
 *
 * @param ret_format  untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK; the codes of kh_file_read(); KH_E_FILE_TOO_LARGE. Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_recognise(const char *path, const kh_keyfile_format **ret_format,
                                           kh_fault *ret_fault);

/**
 * Reads the slots of a sealed key file without opening it: their content is not authenticated.
 *
 * @param ret_slots  count 0: the format has no slots; untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_recognise() and kh_sealed_list(). Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_list_slots(const char *path, kh_sealed_slots *ret_slots,
                                            kh_fault *ret_fault);

/**
 * Whether a key file opens only by a passphrase, so that one has to be asked for. A sealed file
 * with a slot whose kind needs none may open without; if that slot does not,
 * kh_keyfile_open() says why, or KH_E_NO_PASSPHRASE.
 *
 * @param ret_needs  untouched on failure; true for a file that is damaged, or of a newer format.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_recognise(). Thread-safe.
 */
KH_MUST_USE kh_status kh_keyfile_needs_passphrase(const char *path, bool *ret_needs,
                                                  kh_fault *ret_fault);

/** A search for how a file of `openssl enc` was made that does not open: what was found for the
 * last content. Starts with its limit, and the rest zero. One thread at a time. */
typedef struct kh_keyfile_search {
  int64_t limit;              /**< milliseconds for key derivations; 0: no limit */
  bool is_done;               /**< for the content with this stamp */
  kh_file_stamp searched;     /**< which is not searched again */
  char advice[KH_ADVICE_MAX]; /**< what was found for it; "": nothing */
} kh_keyfile_search;

/** Which file, and how it opens. The caller's; what the pointers lead to must outlive the key file
 * that is opened. */
typedef struct kh_keyfile_options {
  const char *path;            /**< the key file */
  const char *filekey;         /**< as kh_unlock() takes it */
  const kh_secret *passphrase; /**< what opens an encrypted file; NULL: what `filekey` names */
  kh_permissions permissions;  /**< of the key file and of a file with the passphrase */
  bool bounded_wait;           /**< the wait for the passphrase (kh_unlock_how), and for a FIFO */
  bool may_be_fifo;            /**< the key file; it can be read, and not changed */
  bool reads_no_fifo;          /**< neither the key file nor a file with the passphrase is opened
                                  if it is a FIFO: KH_E_FILE_FIFO */
  kh_digest digest;            /**< of the key derivation of a file of `openssl enc` */
  uint32_t pbkdf2_iterations;  /**< its iterations; 0: no PBKDF2; at most INT_MAX */
  uint32_t argon2_memory_max;  /**< most memory of a slot in KiB; 0: KH_ARGON2_MEMORY_MAX */
  uint64_t work_max;           /**< most work of all slots of the file; 0: KH_SEALED_WORK_MAX */
  kh_faults *faults;           /**< takes all faults of the text while it is opened; NULL: none */
  kh_keyfile_search *search;   /**< NULL: it is not searched how a file was made */
} kh_keyfile_options;

/** The form of a key file on the disk. */
typedef struct kh_keyfile_form {
  const kh_keyfile_format *format; /**< its format */
  const kh_secret *passphrase;     /**< not empty; NULL if the form needs none */
  kh_digest digest;                /**< openssl: of the key derivation */
  uint32_t pbkdf2_iterations;      /**< openssl: its iterations; 0: no PBKDF2; at most INT_MAX */
  kh_sealed_slot slot;             /**< sealed: its only slot */
} kh_keyfile_form;

/** Returns whether a file of this form has a passphrase: by its format, and the kind of its slot.
 * Thread-safe. */
bool kh_keyfile_form_needs_passphrase(const kh_keyfile_form *form);

/** A key file that is open: its format, passphrase, file key, slots, text and keys. Not
 * thread-safe; it belongs to one thread at a time. */
typedef struct kh_keyfile kh_keyfile;

/** How long a change of a key file waits for another process that is changing it, in
 * milliseconds. */
#define KH_KEYFILE_LOCK_WAIT 10000u

/**
 * Opens a key file. It is not locked.
 *
 * Warns of a file that other users can read, and of a key that a later line of an `id;key` file
 * replaces; after KH_E_WRONG_PASSPHRASE a hint lists what was tried. A file that another process
 * replaces while it is read is read again. The fault of a file that does not open has in `advice`
 * how it was made, if `options` has a search and that finds it, or what is unusual in the setting
 * or the passphrase.
 *
 * @param options    copied.
 * @param crypt      for the decryption; must outlive *ret_file.
 * @param log        copied; may be NULL.
 * @param ret_file   for kh_keyfile_free(); untouched on failure.
 * @param ret_fault  may be NULL; has the file, and line and column if there are any.
 * @return KH_OK; the codes of kh_unlock() and kh_file_read(); KH_E_FILE_TOO_LARGE,
 * KH_E_FILE_UNSAFE; KH_E_NOT_ENCRYPTED, KH_E_NO_PASSPHRASE, KH_E_WRONG_PASSPHRASE,
 * KH_E_CONTAINER_SIZE, KH_E_CONTAINER_CIPHER, KH_E_CONTAINER_ARMOUR; the codes of kh_sealed_open()
 * and kh_keyfile_parse_text(). As thread-safe as
 * the log. May wait for the disk, the passphrase and the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_open(const kh_keyfile_options *options, const kh_crypt *crypt,
                                      const kh_log *log, kh_keyfile **ret_file,
                                      kh_fault *ret_fault);

/** Drops a change that was not saved, releases the lock, wipes and frees; sets the pointer to
 * NULL. Takes NULL and a pointer to NULL. */
void kh_keyfile_free(kh_keyfile **file);

/*
 * What the file holds, as it is on the disk: as it was opened, as it was read under the lock by the
 * last change, or as it was saved. A change that is not saved does not show. What is returned is
 * owned by the key file, and valid until the next change, kh_keyfile_save() or kh_keyfile_free().
 */

/** Returns the keys, key id 1 among them. */
const kh_keylist *kh_keyfile_keys(const kh_keyfile *file);

/** Returns the text, with its keys. */
kh_bytes kh_keyfile_text(const kh_keyfile *file);

/** Returns the format. */
const kh_keyfile_format *kh_keyfile_format_of(const kh_keyfile *file);

/** Returns the slots; count 0: the format has none. */
kh_sealed_slots kh_keyfile_slots(const kh_keyfile *file);

/** Returns the stamp of the content. */
kh_file_stamp kh_keyfile_stamp(const kh_keyfile *file);

/** Returns whether the file is text and its last line has a line end, or it is of another format.
 */
bool kh_keyfile_ends_line(const kh_keyfile *file);

/** Returns whether all memory that held the passphrase, the file, its text and the keys was locked
 * into RAM. */
bool kh_keyfile_memory_is_locked(const kh_keyfile *file);

/*
 * Changes. Each begins with the lock, and works on the file as it is then on the disk. It drops an
 * earlier change that was not saved. All may return, beside their own codes: those of
 * kh_random_start(), kh_lockfile_take() and, since the file is read again, kh_keyfile_open();
 * KH_E_KEY_DUPLICATE, also in a file of `id;key` lines where a change of keys could not be told
 * from the repetition; KH_E_NO_MEMORY, KH_E_CRYPTO. They may wait for the disk, up to
 * KH_KEYFILE_LOCK_WAIT for another process, and, where the format has a salt for each file, for a
 * key derivation. `ret_fault` may be NULL. A change that fails leaves the file as it is; the lock
 * may still be held then, until the next change or kh_keyfile_free().
 */

/** What is requested for a new key or version. All zero: nothing. */
typedef struct kh_key_changes {
  uint32_t len;     /**< in bytes: 16, 24 or 32; 0: not given */
  bool sets_cipher; /**< `cipher` is given */
  bool sets_rotate; /**< `rotate` is given */
  kh_cipher cipher; /**< one with a name, or KH_CIPHER_UNSET: none of its own */
  uint32_t rotate;  /**< the interval in seconds; 0: no automatic rotation */
} kh_key_changes;

/** A new key. */
typedef struct kh_keyfile_addition {
  uint32_t id;      /**< 0: one above the highest in the file, and above KH_KEY_ID_TEMPORARY */
  uint32_t len;     /**< in bytes: 16, 24 or 32 */
  kh_policy policy; /**< of its version 1; fits its length */
} kh_keyfile_addition;

/**
 * Adds a key with random bytes at the end of the text.
 *
 * @param ret_id  the key's id; untouched on failure.
 * @return KH_OK; KH_E_KEY_EXISTS, KH_E_NO_KEY_ID.
 */
KH_MUST_USE kh_status kh_keyfile_add_key(kh_keyfile *file, const kh_keyfile_addition *addition,
                                         uint32_t *ret_id, kh_fault *ret_fault);

/** Which new versions kh_keyfile_rotate() makes. */
typedef struct kh_rotation {
  const kh_keytable *known; /**< the keys in use */
  uint32_t id;              /**< of the key, or 0: all */
  kh_version_floor floor;   /**< a key of which the file lacks that version gets none */
  bool due_only; /**< only keys whose interval has passed at `now`; and a file that may be
                    incomplete is refused */
  const kh_file_stamp *loaded; /**< of the file that `known` is from, which is complete;
                                  NULL: not known */
  uint32_t now;                /**< UNIX time; the new versions' time of creation */
  kh_cipher default_cipher;    /**< as for kh_keytable_check_follows() */
  kh_key_changes changes;      /**< of the new versions; what is not given is as before */
} kh_rotation;

/** What kh_keyfile_rotate() did. */
typedef struct kh_rotated {
  size_t made;  /**< new versions */
  size_t taken; /**< keys of which the file already had a newer version than the one in use, made by
                   another server, so that none was made */
  size_t passed_over; /**< keys without a version number left, or with a version that is missing,
                         when all keys were to be rotated; each was logged as a warning */
} kh_rotated;

/**
 * Makes new versions of keys: comments, order and line ends stay, and a new version is after the
 * last line of its key.
 *
 * A new version is KH_ROTATION_STEP above kh_keytable_highest() of the file, has random bytes
 * (kh_random_bytes()), as many as the attribute `bits` of the latest version specifies, or else as
 * many as that version has, the same attributes, and `created`. The `changes` replace them; a
 * length drops the attribute `bits`, and a cipher that needs 256 bits gets them unless another
 * length is given. The versions before stay as they are. Without changes, a key of which the file
 * has a version that is KH_ROTATION_STEP or more above that of `known` gets none: another server
 * made it.
 * Even when none is made, the caller must call kh_keyfile_save(): it flushes the file, since the
 * process that made the others may not have done so.
 *
 * @param ret_rotated  untouched on failure.
 * @return KH_OK, also when there is nothing to make; KH_E_FILE_UNFINISHED (with `due_only`: no line
 * end after the last line); KH_E_KEY_NOT_FOUND (no such key id in the file); KH_E_VERSION_LIMIT,
 * KH_E_VERSION_NEEDED, KH_E_CIPHER_LENGTH (of the one key that was to be rotated, or of the first
 * where no other is);
 * those of kh_keytable_check_follows().
 */
KH_MUST_USE kh_status kh_keyfile_rotate(kh_keyfile *file, const kh_rotation *rotation,
                                        kh_rotated *ret_rotated, kh_fault *ret_fault);

/**
 * Adds the key versions of a table that the file lacks, with their keys and attributes. Versions
 * that the file has as retired stay retired. When none is added, the caller must call
 * kh_keyfile_save() all the same: it flushes the file.
 *
 * @param keys            may have any key ids.
 * @param default_cipher  as for kh_keytable_check_agrees().
 * @param ret_added       how many; untouched on failure.
 * @return KH_OK, also when the file lacks none; the codes of kh_keytable_check_agrees(): then
 * nothing is added.
 */
KH_MUST_USE kh_status kh_keyfile_add_missing(kh_keyfile *file, const kh_keytable *keys,
                                             kh_cipher default_cipher, size_t *ret_added,
                                             kh_fault *ret_fault);

/**
 * Removes old versions of keys from the file that was opened. A line in place of each marks it as
 * retired, so that a server that uses them (kh_keytable_check_follows()) can distinguish that from
 * a loss.
 *
 * @param retired  none of them the latest of its key; which keys they are does not matter.
 * @return KH_OK; KH_E_FILE_CHANGED: the file is no longer the one that kh_keyfile_open() read or
 * kh_keyfile_save() wrote, for which the removal was decided; KH_E_KEY_NOT_FOUND,
 * KH_E_KEY_LATEST.
 */
KH_MUST_USE kh_status kh_keyfile_retire_versions(kh_keyfile *file, const kh_keytable *retired,
                                                 kh_fault *ret_fault);

/**
 * Changes the form of the file. Its text stays the same, byte for byte.
 *
 * @param form  "text" takes the text as it is; "openssl" makes a new salt, with two key
 * derivations; "sealed" makes a new file key and one slot, whatever slots there were, with two.
 * They happen before the lock is taken.
 * @return KH_OK; KH_E_NO_PASSPHRASE, KH_E_NOT_ENCRYPTED (the form's passphrase is missing, or
 * not allowed); the codes of kh_sealed_new().
 */
KH_MUST_USE kh_status kh_keyfile_set_form(kh_keyfile *file, const kh_keyfile_form *form,
                                          kh_fault *ret_fault);

/**
 * Adds, changes or removes a slot (kh_sealed_change_slot()). Its key derivations happen before the
 * lock is taken, and again under it if another process changed the slots meanwhile.
 *
 * @param entry  the slot and its new passphrase; of a slot that is removed only the label: then the
 * passphrase of the file must be that of a slot that stays.
 * @return KH_OK; the codes of kh_sealed_change_slot(); KH_E_SEALED_DAMAGED for a file of another
 * format; KH_E_FILE_CHANGED for one that another process converted to such a format since.
 */
KH_MUST_USE kh_status kh_keyfile_change_slot(kh_keyfile *file, kh_slot_change change,
                                             const kh_sealed_entry *entry, kh_fault *ret_fault);

/**
 * Writes the last change, and releases the lock.
 *
 * The file keeps its form unless that was changed: one of `openssl enc` is encrypted again, with
 * the same passphrase and a new salt; a sealed one keeps its slots, byte for byte. Nothing is
 * written unless the whole new content was read back from memory and has exactly the keys that it
 * must have, one by one. Then the file is replaced by kh_file_replace_seen(), and `file` has its
 * new content. Without a change, or when it made nothing, the file on the disk is flushed by
 * kh_file_flush().
 *
 * What another process wrote to the file without its lock, between the last reading and the
 * replacement, is kept in a file beside it, and a warning names that: kh_keyfile_had_unseen().
 *
 * Reading back takes no key derivation: the new slots of a sealed file were proved when they were
 * made, and a file of `openssl enc` must have the salt for which the key was derived.
 *
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_FILE_TOO_LARGE; KH_E_KEY_LOST, KH_E_KEY_CHANGED; the codes of
 * kh_sealed_read_back() and kh_keyfile_parse_text(); those of kh_file_replace() or
 * kh_file_flush(). After KH_E_FILE_FLUSH the file on the disk has the new content, which a
 * power failure may undo and which must not be used yet. After a failure the change is dropped.
 */
KH_MUST_USE kh_status kh_keyfile_save(kh_keyfile *file, kh_fault *ret_fault);

/** Returns whether the last kh_keyfile_save() replaced a file that another process had changed
 * meanwhile, or still has open for writing: the new file does not have what that process writes,
 * and a warning has named it. */
bool kh_keyfile_had_unseen(const kh_keyfile *file);

/**
 * Writes a copy of what was opened into a new file, by kh_file_create(). The key file itself is
 * not locked or changed.
 *
 * @param form       the form of the copy; its text is the same, and it is read back
 * and compared as in kh_keyfile_save(). NULL: byte for byte as the file.
 * @param path       must not exist.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_set_form(), kh_keyfile_save() and kh_file_create().
 */
KH_MUST_USE kh_status kh_keyfile_save_as(kh_keyfile *file, const kh_keyfile_form *form,
                                         const char *path, kh_fault *ret_fault);

/**
 * Creates a key file by kh_file_create(), after its content was read back from memory and compared.
 *
 * @param path       must not exist.
 * @param keys       key id 1 among them; no version twice.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_keyfile_set_form(); KH_E_FILE_TOO_LARGE; the codes of
 * kh_keyfile_parse_text() and kh_file_create(); KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe for
 * different paths. May wait for the disk, and for the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_create(const char *path, const kh_keyfile_form *form,
                                        const kh_crypt *crypt, const kh_keylist *keys,
                                        kh_fault *ret_fault);

/**
 * Writes a key file anew, from keys that are in use: sealed, with one slot of the usual costs, if
 * there is a passphrase, else text.
 *
 * The file is either gone, and must not come back meanwhile; or it is kept under another name, as
 * it is, under the lock, before the new one replaces it.
 *
 * @param options    of the file; the passphrase is what opens the new one.
 * @param log        may be NULL.
 * @param keys       key id 1 among them. All are written, also versions that are retired, of which
 * a warning tells; a retired version without a key is marked as retired.
 * @param kept_as    NULL: the file is gone; else the path that it is kept under, which must not
 * exist.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_unlock() and kh_keyfile_create(); with `kept_as` also those of
 * kh_lockfile_take(), kh_file_read() and kh_file_replace(), KH_E_FILE_TOO_LARGE. As thread-safe as
 * the log. May wait for the disk, the passphrase, the lock and the key derivation.
 */
KH_MUST_USE kh_status kh_keyfile_write_anew(const kh_keyfile_options *options,
                                            const kh_crypt *crypt, const kh_log *log,
                                            const kh_keytable *keys, const char *kept_as,
                                            kh_fault *ret_fault);

/** For `__attribute__((cleanup))`: frees the key file when the scope ends. */
static inline void kh_keyfile_cleanup(kh_keyfile **file)
{
  kh_keyfile_free(file);
}
/** A pointer to a key file, freed when its scope ends. */
#define KH_AUTO_KEYFILE __attribute__((cleanup(kh_keyfile_cleanup))) kh_keyfile *

#endif
