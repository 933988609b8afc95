/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file sealed_kdf.h
 * The key derivations of a slot: a table for each.
 */
#ifndef KEYHOLD_KEYFILE_SEALED_KDF_H
#define KEYHOLD_KEYFILE_SEALED_KDF_H

#include "keyhold/sealed.h"

/** Bytes of a slot's salt. */
enum { KH_SEALED_SALT_SIZE = 16 };

/** One cost of a key derivation. */
typedef struct kh_sealed_cost {
  const char *name; /**< as it stands in a slot; NULL behind the last one */
  size_t offset;    /**< of the number in kh_sealed_slot */
  uint32_t least;
  uint32_t usual; /**< of a slot that is made without anybody choosing */
  uint32_t most;
} kh_sealed_cost;

/** One key derivation. */
typedef struct kh_sealed_derivation {
  const char *name;
  kh_sealed_cost costs[3]; /**< in the order of the slot, then one without a name */

  /** What it costs by the measure of KH_SEALED_WORK_MAX. */
  uint64_t (*work)(const kh_sealed_slot *slot);

  /** Makes the slot's key; fills ret_key to its capacity. @return KH_OK, KH_E_NO_MEMORY,
   * KH_E_CRYPTO. */
  kh_status (*derive)(const kh_sealed_slot *slot, kh_bytes passphrase, const uint8_t *salt,
                      kh_secret *ret_key);
} kh_sealed_derivation;

/** The table of a key derivation. */
const kh_sealed_derivation *kh_sealed_derivation_of(kh_sealed_kdf kdf);

/** A cost as it is in a slot. */
uint32_t kh_sealed_cost_get(const kh_sealed_cost *cost, const kh_sealed_slot *slot);

/** Puts a cost into a slot. */
void kh_sealed_cost_set(const kh_sealed_cost *cost, kh_sealed_slot *slot, uint32_t value);

#endif
