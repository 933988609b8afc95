/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed.h
 * The sealed key file: the text of a key file encrypted under a random file key, which is wrapped
 * once for each passphrase, in a slot. docs/format-sealed.md is the format.
 *
 * A kh_sealed holds the slots and the file key of an opened file, but not its text. All functions
 * work in memory. A key derivation may take seconds (KH_SEALED_WORK_MAX) and up to
 * KH_ARGON2_MEMORY_MAX of memory; each function lists how many it makes.
 */
#ifndef KEYHOLD_SEALED_H
#define KEYHOLD_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/fault.h"
#include "keyhold/limits.h"
#include "keyhold/secret.h"
#include "keyhold/status.h"

/** Most parameters that a kind of slot has. */
#define KH_SEALED_PARAMETERS_MAX 4u

/** A parameter of a kind of slot: a number or a text, which is written as "name=value" in the slot.
 */
typedef struct kh_sealed_parameter {
  const char *name; /**< NULL after the last one */
  const char *unit; /**< "KiB"; "": a number without a unit, or a text */
  uint32_t least;   /**< of a text: its length, at least 1 */
  uint32_t usual;   /**< the default; a text has none */
  uint32_t most;    /**< of a text: its length, at most KH_SEALED_TEXT_MAX */
  bool is_text;     /**< of a to z, A to Z, 0 to 9 and "%&*+,-./:;=?@_~" */
} kh_sealed_parameter;

/** A kind of slot: how the file key is wrapped in it. A constant; kinds are compared by address. */
typedef struct kh_sealed_kind {
  const char *name;      /**< as in the slot */
  uint32_t version;      /**< the first version of the format that has it: at least 1 */
  bool needs_passphrase; /**< false: the key that wraps the file key is held elsewhere */
  kh_sealed_parameter parameters[KH_SEALED_PARAMETERS_MAX + 1]; /**< in the order of the slot */
  const struct kh_sealed_kind_functions *functions;             /**< for src/core/keyfile only */
} kh_sealed_kind;

/** "argon2id": a key derived by RFC 9106, version 0x13, one lane. The default. */
extern const kh_sealed_kind kh_sealed_argon2id;
/** "pbkdf2-hmac-sha512": a key derived by RFC 8018, 5.2. */
extern const kh_sealed_kind kh_sealed_pbkdf2_hmac_sha512;

/** Returns the kind at an index of the list of all kinds; NULL after the last one. Thread-safe. */
const kh_sealed_kind *kh_sealed_kind_at(size_t index);

/** Finds a kind by its name; NULL: no kind has that name. Thread-safe. */
const kh_sealed_kind *kh_sealed_kind_by_name(kh_bytes name);

/** Returns the highest version of the format that can be read: that of the newest kind.
 * Thread-safe. */
uint32_t kh_sealed_newest_version(void);

/** The part of a slot that can be read without a passphrase. */
typedef struct kh_sealed_slot {
  char label[KH_SEALED_LABEL_MAX + 1]; /**< a to z, A to Z, 0 to 9, '.', '_' and '-'; at least one;
                                          unique in a file */
  const kh_sealed_kind *kind;          /**< what opens it */
  uint32_t values[KH_SEALED_PARAMETERS_MAX]; /**< of the kind's parameters, in their order; of a
                                                text, and the rest: 0 */
  char texts[KH_SEALED_PARAMETERS_MAX][KH_SEALED_TEXT_MAX + 1]; /**< the same for texts; of a
                                                                   number, and the rest: "" */
} kh_sealed_slot;

/** The slots of a file, in its order. */
typedef struct kh_sealed_slots {
  kh_sealed_slot at[KH_SEALED_SLOTS_MAX]; /**< the first `count` are in use */
  size_t count;                           /**< at most KH_SEALED_SLOTS_MAX */
} kh_sealed_slots;

/**
 * Returns whether a file with these slots can be opened only by a passphrase. If not, a slot is of
 * a kind that needs none, though it may fail to open. The only place that decides this.
 * Thread-safe.
 */
bool kh_sealed_needs_passphrase(const kh_sealed_slots *slots);

/** A slot to make, and the passphrase that will open it: at most KH_SECRET_LITERAL_MAX bytes, and
 * not empty unless the kind needs none. */
typedef struct kh_sealed_entry {
  kh_sealed_slot slot; /**< its label, kind and parameters */
  kh_bytes passphrase; /**< owned by the caller */
} kh_sealed_entry;

/** The default label of a slot. */
#define KH_SEALED_LABEL_DEFAULT "main"

/** Returns a slot with the default values and without texts; a label that is too long becomes "",
 * which is not valid. Thread-safe. */
kh_sealed_slot kh_sealed_slot_default(const char *label, const kh_sealed_kind *kind);

/** Returns the value of a number; 0: the slot's kind does not have it. Thread-safe. */
uint32_t kh_sealed_slot_get(const kh_sealed_slot *slot, const char *parameter);

/** Sets the value of a number. @return false: the slot's kind does not have it. Thread-safe. */
bool kh_sealed_slot_set(kh_sealed_slot *slot, const char *parameter, uint32_t value);

/** Returns a text; "": the slot's kind does not have it. Valid as long as the slot. Thread-safe. */
const char *kh_sealed_slot_get_text(const kh_sealed_slot *slot, const char *parameter);

/** Sets a text. @return false: the slot's kind does not have it, or it is longer than
 * KH_SEALED_TEXT_MAX. Thread-safe. */
bool kh_sealed_slot_set_text(kh_sealed_slot *slot, const char *parameter, const char *text);

/**
 * Checks whether a slot could be in a file: its label and its parameters.
 *
 * @param ret_fault  may be NULL; without a path.
 * @return KH_OK, KH_E_SLOT_LABEL (without the label, which may be a secret),
 * KH_E_SLOT_COST, KH_E_SLOT_TEXT. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_slot_validate(const kh_sealed_slot *slot, kh_fault *ret_fault);

/** Returns the work for all slots together, in the unit of KH_SEALED_WORK_MAX. Thread-safe. */
uint64_t kh_sealed_work(const kh_sealed_slots *slots);

/** Limits of what opening a file may cost, below those of the format. */
typedef struct kh_sealed_limits {
  uint32_t memory; /**< of Argon2id in KiB, for one slot */
  uint64_t work;   /**< for all slots together, in the unit of KH_SEALED_WORK_MAX */
} kh_sealed_limits;

/**
 * Checks what slots cost.
 *
 * @param path       for messages.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_SEALED_MEMORY, KH_E_SEALED_WORK. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_check_limits(const char *path, const kh_sealed_slots *slots,
                                             const kh_sealed_limits *limits, kh_fault *ret_fault);

/** How a slot of a sealed key file is changed. */
typedef enum kh_slot_change {
  KH_SLOT_ADD,    /**< after the others */
  KH_SLOT_CHANGE, /**< another passphrase, kind and parameters for the slot with this label */
  KH_SLOT_REMOVE, /**< the slot with this label */
} kh_slot_change;

/**
 * Checks whether a change of a slot is possible, as far as that is visible without a passphrase.
 *
 * @param path       for messages.
 * @param slots      of the file.
 * @param slot       the slot to add, or the new content of the slot with its label; to remove one,
 * only the label.
 * @param ret_fault  may be NULL.
 * @return KH_OK; KH_E_SLOT_COUNT, KH_E_SLOT_LABEL, KH_E_SLOT_COST (also when all together would
 * cost too much), KH_E_SLOT_TEXT, KH_E_SLOT_EXISTS, KH_E_SLOT_NOT_FOUND, KH_E_SLOT_LAST.
 * Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_check_change(const char *path, const kh_sealed_slots *slots,
                                             kh_slot_change change, const kh_sealed_slot *slot,
                                             kh_fault *ret_fault);

/** Returns whether a file is sealed, in any version of the format: it begins with
 * "keyhold-sealed ", or its last line is that of a sealed file (its first bytes are then damaged).
 * Thread-safe. */
bool kh_sealed_knows(kh_bytes file);

/**
 * Reads the slots, without a passphrase: their content is not authenticated. No derivation.
 *
 * @param path       for messages.
 * @param ret_slots  untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_SEALED_DAMAGED (with the line and the column; without, when only the checksum
 * is wrong), KH_E_SEALED_NEWER, KH_E_SEALED_COST (with the line), KH_E_NO_MEMORY. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_list(const char *path, kh_bytes file, kh_sealed_slots *ret_slots,
                                     kh_fault *ret_fault);

/** The slots and the file key of a sealed file, which open and write it without a derivation.
 * Not thread-safe. */
typedef struct kh_sealed kh_sealed;

/**
 * Makes a new file key and its slots. Two derivations for each slot: one makes it, one proves that
 * its passphrase opens it.
 *
 * @param path        for messages, of this function and of all that get *ret_sealed; must outlive
 * it.
 * @param entries     1 to KH_SEALED_SLOTS_MAX.
 * @param ret_sealed  for kh_sealed_free(); untouched on failure.
 * @param ret_fault   may be NULL; `slot` has the label of the entry that is wrong.
 * @return KH_OK; KH_E_SLOT_COUNT, KH_E_SLOT_LABEL, KH_E_SLOT_COST (also when all together cost too
 * much), KH_E_SLOT_TEXT, KH_E_SLOT_EXISTS; KH_E_NO_PASSPHRASE (empty, for a kind that needs
 * one), KH_E_SECRET_TOO_LONG;
 * KH_E_WRONG_PASSPHRASE (a slot that was made does not open); KH_E_SEALED_DAMAGED (a kind wrote an
 * invalid slot); KH_E_NO_MEMORY, KH_E_CRYPTO; the codes of the kind.
 * Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_new(const char *path, const kh_sealed_entry *entries, size_t count,
                                    kh_sealed **ret_sealed, kh_fault *ret_fault);

/**
 * Opens a sealed file: tries the passphrase in each slot, in the file's order. One derivation for
 * each slot that is tried. An empty passphrase is tried only in slots of kinds that need none.
 * After a failure of one of these the next slots are tried.
 *
 * @param path        as for kh_sealed_new().
 * @param ret_sealed  for kh_sealed_free(); untouched on failure.
 * @param ret_text    for kh_secret_free(); untouched on failure.
 * @param ret_fault   may be NULL.
 * @return KH_OK; the codes of kh_sealed_list(); KH_E_WRONG_PASSPHRASE; KH_E_SEALED_CHANGED;
 * KH_E_NO_MEMORY, KH_E_CRYPTO; when no slot opens, the first code of its own that a kind
 * returned. Thread-safe.
 */
KH_MUST_USE kh_status kh_sealed_open(const char *path, kh_bytes file, kh_bytes passphrase,
                                     kh_sealed **ret_sealed, kh_secret **ret_text,
                                     kh_fault *ret_fault);

/** Wipes and frees; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_sealed_free(kh_sealed **sealed);

/** Copies, for kh_sealed_free(). @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO. */
KH_MUST_USE kh_status kh_sealed_clone(const kh_sealed *sealed, kh_sealed **ret_clone);

/** Returns the slots. */
kh_sealed_slots kh_sealed_slots_of(const kh_sealed *sealed);

/** Returns the index of the slot that the passphrase opened. */
size_t kh_sealed_opened_slot(const kh_sealed *sealed);

/** Returns whether two have the same slots, byte for byte, and so the same file key. */
bool kh_sealed_is_same(const kh_sealed *a, const kh_sealed *b);

/**
 * Makes a sealed file of a text. No derivation.
 *
 * @param ret_file   for kh_secret_free(); untouched on failure. It may be longer than
 * KH_KEYFILE_MAX.
 * @param ret_fault  may be NULL.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe while `sealed` is not changed.
 */
KH_MUST_USE kh_status kh_sealed_write(const kh_sealed *sealed, kh_bytes text, kh_secret **ret_file,
                                      kh_fault *ret_fault);

/**
 * Reads a file back that kh_sealed_write() made: it must have exactly these slots. No derivation.
 *
 * @param ret_text   for kh_secret_free(); untouched on failure.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_sealed_list(), KH_E_SEALED_DAMAGED also for other slots;
 * KH_E_SEALED_CHANGED; KH_E_NO_MEMORY, KH_E_CRYPTO. Thread-safe while `sealed` is not changed.
 */
KH_MUST_USE kh_status kh_sealed_read_back(const kh_sealed *sealed, kh_bytes file,
                                          kh_secret **ret_text, kh_fault *ret_fault);

/**
 * Opens the file after another process changed it, without a derivation: the slot that the
 * passphrase opened must still exist, byte for byte, with the same file key. The other slots become
 * those of the file.
 *
 * @param ret_text   for kh_secret_free(); untouched on failure, as is `sealed`.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_sealed_list(); KH_E_WRONG_PASSPHRASE: the slot no longer exists,
 * and only kh_sealed_open() can find out whether the passphrase still opens the file;
 * KH_E_SEALED_CHANGED; KH_E_NO_MEMORY, KH_E_CRYPTO.
 */
KH_MUST_USE kh_status kh_sealed_follow(kh_sealed *sealed, kh_bytes file, kh_secret **ret_text,
                                       kh_fault *ret_fault);

/**
 * Adds, changes or removes a slot. A slot that is made costs two derivations, one of which proves
 * that its passphrase opens it.
 *
 * A new file key is made when the only slot is changed, and when one slot is left, which is then
 * made again, with two derivations. In any other case the file key stays, since a new one could
 * only be wrapped with the passphrases of the other slots: an attacker with an old passphrase and
 * an old copy of the file can still decrypt the file key, and with it newer copies. kh_sealed_new()
 * makes a new one.
 *
 * A slot that the passphrase of `sealed` opened can be removed only with the passphrase of
 * another one, so that no user is locked out: the slots after it are tried, with a derivation for
 * each.
 *
 * @param sealed     unchanged on failure.
 * @param entry      the slot and its new passphrase; to remove one, the label, and the passphrase
 * that opened `sealed`.
 * @param ret_fault  may be NULL.
 * @return KH_OK; the codes of kh_sealed_check_change() and kh_sealed_new().
 */
KH_MUST_USE kh_status kh_sealed_change_slot(kh_sealed *sealed, kh_slot_change change,
                                            const kh_sealed_entry *entry, kh_fault *ret_fault);

/** For `__attribute__((cleanup))`: frees it when the scope ends. */
static inline void kh_sealed_cleanup(kh_sealed **sealed)
{
  kh_sealed_free(sealed);
}
/** A pointer to a sealed file, freed when its scope ends. */
#define KH_AUTO_SEALED __attribute__((cleanup(kh_sealed_cleanup))) kh_sealed *

#endif
