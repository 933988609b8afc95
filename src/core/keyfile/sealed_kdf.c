/* SPDX-License-Identifier: GPL-2.0-only */
#include "sealed_kdf.h"

#include <assert.h>
#include <string.h>

#include "keyhold/argon2.h"
#include "keyhold/kdf.h"

_Static_assert((int)KH_SEALED_SALT_SIZE == (int)KH_ARGON2_SALT_SIZE, "one size for both");

static uint64_t work_argon2id(const kh_sealed_slot *slot)
{
  return (uint64_t)slot->memory * slot->passes;
}

static kh_status derive_argon2id(const kh_sealed_slot *slot, kh_bytes passphrase,
                                 const uint8_t *salt, kh_secret *ret_key)
{
  kh_argon2_cost cost = {slot->memory, slot->passes};
  return kh_argon2id(passphrase, salt, &cost, ret_key);
}

static uint64_t work_pbkdf2(const kh_sealed_slot *slot)
{
  return slot->iterations;
}

static kh_status derive_pbkdf2(const kh_sealed_slot *slot, kh_bytes passphrase, const uint8_t *salt,
                               kh_secret *ret_key)
{
  return kh_kdf_pbkdf2(passphrase, (kh_bytes){salt, KH_SEALED_SALT_SIZE}, KH_DIGEST_SHA512,
                       slot->iterations, ret_key);
}

static const kh_sealed_derivation derivations[KH_SEALED_KDF_COUNT] = {
    [KH_SEALED_ARGON2ID] = {.name = "argon2id",
                            .costs = {{"memory", offsetof(kh_sealed_slot, memory),
                                       KH_ARGON2_MEMORY_MIN, KH_ARGON2_MEMORY_DEFAULT,
                                       KH_ARGON2_MEMORY_MAX},
                                      {"passes", offsetof(kh_sealed_slot, passes),
                                       KH_ARGON2_PASSES_MIN, KH_ARGON2_PASSES_DEFAULT,
                                       KH_ARGON2_PASSES_MAX}},
                            .work = work_argon2id,
                            .derive = derive_argon2id},
    [KH_SEALED_PBKDF2_HMAC_SHA512] = {.name = "pbkdf2-hmac-sha512",
                                      .costs = {{"iterations", offsetof(kh_sealed_slot, iterations),
                                                 KH_PBKDF2_ITERATIONS_MIN,
                                                 KH_PBKDF2_ITERATIONS_DEFAULT,
                                                 KH_PBKDF2_ITERATIONS_MAX}},
                                      .work = work_pbkdf2,
                                      .derive = derive_pbkdf2},
};

const kh_sealed_derivation *kh_sealed_derivation_of(kh_sealed_kdf kdf)
{
  assert((unsigned)kdf < KH_SEALED_KDF_COUNT);
  return &derivations[kdf];
}

uint32_t kh_sealed_cost_get(const kh_sealed_cost *cost, const kh_sealed_slot *slot)
{
  uint32_t value;
  memcpy(&value, (const uint8_t *)slot + cost->offset, sizeof value);
  return value;
}

void kh_sealed_cost_set(const kh_sealed_cost *cost, kh_sealed_slot *slot, uint32_t value)
{
  memcpy((uint8_t *)slot + cost->offset, &value, sizeof value);
}

const char *kh_sealed_kdf_name(kh_sealed_kdf kdf)
{
  return kh_sealed_derivation_of(kdf)->name;
}

bool kh_sealed_kdf_by_name(kh_bytes name, kh_sealed_kdf *ret_kdf)
{
  for (size_t i = 0; i < KH_SEALED_KDF_COUNT; i++)
    if (strlen(derivations[i].name) == name.len &&
        memcmp(derivations[i].name, name.data, name.len) == 0) {
      *ret_kdf = (kh_sealed_kdf)i;
      return true;
    }
  return false;
}
