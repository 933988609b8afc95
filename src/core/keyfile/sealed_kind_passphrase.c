/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of a slot that a passphrase opens: a key is derived from it, which wraps the file key.
 * They differ in the derivation. */
#include "keyhold/argon2.h"
#include "keyhold/kdf.h"
#include "keyhold/random.h"
#include "sealed_kind.h"

enum {
  SALT_SIZE = 16,
  WRAPPED_SIZE = KH_SEALED_KEY_SIZE + KH_AEAD_TAG_SIZE,
};
_Static_assert((int)SALT_SIZE == (int)KH_ARGON2_SALT_SIZE, "one size for both");

enum { SALT, NONCE, KEY };
static const kh_sealed_field fields[] = {
    [SALT] = {"salt", SALT_SIZE, SALT_SIZE},
    [NONCE] = {"nonce", KH_AEAD_NONCE_SIZE, KH_AEAD_NONCE_SIZE},
    [KEY] = {"key", WRAPPED_SIZE, WRAPPED_SIZE},
    {NULL, 0, 0}};

enum { MEMORY, PASSES };
enum { ITERATIONS };

static kh_status derive_argon2id(const kh_sealed_slot *slot, kh_bytes passphrase,
                                 const uint8_t *salt, kh_secret *ret_key)
{
  kh_argon2_cost cost = {slot->values[MEMORY], slot->values[PASSES]};
  return kh_argon2id(passphrase, salt, &cost, ret_key);
}

static kh_status derive_pbkdf2(const kh_sealed_slot *slot, kh_bytes passphrase, const uint8_t *salt,
                               kh_secret *ret_key)
{
  return kh_kdf_pbkdf2(passphrase, (kh_bytes){salt, SALT_SIZE}, KH_DIGEST_SHA512,
                       slot->values[ITERATIONS], ret_key);
}

static kh_status derive_slot_key(const kh_sealed_slot *slot, kh_bytes passphrase,
                                 const uint8_t *salt, kh_secret **ret_key)
{
  KH_AUTO_SECRET key = NULL;
  kh_status status = kh_secret_new(KH_SEALED_KEY_SIZE, &key);
  if (status == KH_OK)
    status = slot->kind == &kh_sealed_argon2id ? derive_argon2id(slot, passphrase, salt, key)
                                               : derive_pbkdf2(slot, passphrase, salt, key);
  if (status != KH_OK)
    return status;
  *ret_key = key;
  key = NULL;
  return KH_OK;
}

/* with a new salt and a new nonce */
static kh_status wrap_by_passphrase(kh_sealed_line *line, kh_bytes passphrase,
                                    const kh_secret *file_key)
{
  uint8_t salt[SALT_SIZE];
  uint8_t nonce[KH_AEAD_NONCE_SIZE];
  uint8_t wrapped[WRAPPED_SIZE];
  KH_AUTO_SECRET key = NULL;
  kh_random_bytes(salt, sizeof salt);
  kh_random_bytes(nonce, sizeof nonce);
  kh_status status = derive_slot_key(&line->slot, passphrase, salt, &key);
  if (status != KH_OK)
    return status;
  kh_sealed_line_put_field(line, "salt", (kh_bytes){salt, sizeof salt});
  kh_sealed_line_put_field(line, "nonce", (kh_bytes){nonce, sizeof nonce});
  kh_sealed_line_begin_field(line, "key");
  kh_aead_input input = {kh_secret_bytes(key).data, nonce, kh_sealed_line_bound(line)};
  kh_aead_seal(&input, kh_secret_bytes(file_key), wrapped);
  kh_sealed_line_put_digits(line, (kh_bytes){wrapped, sizeof wrapped});
  return KH_OK;
}

static kh_status unwrap_by_passphrase(const kh_sealed_line *line, kh_bytes passphrase,
                                      kh_secret *ret_file_key)
{
  KH_AUTO_SECRET key = NULL;
  kh_status status =
      derive_slot_key(&line->slot, passphrase, kh_sealed_line_field(line, SALT).data, &key);
  if (status != KH_OK)
    return status;
  kh_aead_input input = {kh_secret_bytes(key).data, kh_sealed_line_field(line, NONCE).data,
                         kh_sealed_line_bound(line)};
  if (!kh_aead_open(&input, kh_sealed_line_field(line, KEY), kh_secret_data(ret_file_key)))
    return KH_E_WRONG_PASSPHRASE;
  kh_secret_set_len(ret_file_key, KH_SEALED_KEY_SIZE);
  return KH_OK;
}

static uint64_t work_argon2id(const kh_sealed_slot *slot)
{
  return (uint64_t)slot->values[MEMORY] * slot->values[PASSES];
}

static uint64_t work_pbkdf2(const kh_sealed_slot *slot)
{
  return slot->values[ITERATIONS];
}

static const kh_sealed_kind_functions argon2id = {fields, work_argon2id, wrap_by_passphrase,
                                                  unwrap_by_passphrase};
static const kh_sealed_kind_functions pbkdf2 = {fields, work_pbkdf2, wrap_by_passphrase,
                                                unwrap_by_passphrase};

const kh_sealed_kind kh_sealed_argon2id = {
    .name = "argon2id",
    .version = 1,
    .needs_passphrase = true,
    .parameters = {[MEMORY] = {"memory", "KiB", KH_ARGON2_MEMORY_MIN, KH_ARGON2_MEMORY_DEFAULT,
                               KH_ARGON2_MEMORY_MAX, false},
                   [PASSES] = {"passes", "", KH_ARGON2_PASSES_MIN, KH_ARGON2_PASSES_DEFAULT,
                               KH_ARGON2_PASSES_MAX, false}},
    .functions = &argon2id,
};

const kh_sealed_kind kh_sealed_pbkdf2_hmac_sha512 = {
    .name = "pbkdf2-hmac-sha512",
    .version = 1,
    .needs_passphrase = true,
    .parameters = {[ITERATIONS] = {"iterations", "", KH_PBKDF2_ITERATIONS_MIN,
                                   KH_PBKDF2_ITERATIONS_DEFAULT, KH_PBKDF2_ITERATIONS_MAX, false}},
    .functions = &pbkdf2,
};
