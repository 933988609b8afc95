/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/argon2.h"

#include <errno.h>
#include <sodium.h>

#include "keyhold/limits.h"

_Static_assert(KH_ARGON2_SALT_SIZE == crypto_pwhash_argon2id_SALTBYTES &&
                   KH_ARGON2_MEMORY_MIN * 1024 == crypto_pwhash_argon2id_MEMLIMIT_MIN &&
                   KH_ARGON2_PASSES_MIN == crypto_pwhash_argon2id_OPSLIMIT_MIN,
               "libsodium disagrees");

/* more than the derivation takes, which keeps a few of its blocks of 1 KiB there */
enum { STACK_USED = 32768 };

kh_status kh_argon2id(kh_bytes passphrase, const uint8_t *salt, const kh_argon2_cost *cost,
                      kh_secret *ret_derived)
{
  size_t len = kh_secret_capacity(ret_derived);
  const char *data = passphrase.len == 0 ? "" : (const char *)passphrase.data;
  errno = 0;
  int result = crypto_pwhash_argon2id(kh_secret_data(ret_derived), len, data, passphrase.len, salt,
                                      cost->passes, (size_t)cost->memory * 1024,
                                      crypto_pwhash_argon2id_ALG_ARGON2ID13);
  int error = errno;
  sodium_stackzero(STACK_USED); /* libsodium leaves a copy of the key there */
  if (result != 0)
    return error == ENOMEM ? KH_E_NO_MEMORY : KH_E_CRYPTO;
  kh_secret_set_len(ret_derived, len);
  return KH_OK;
}
