/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file secret.h
 * The only memory that keys, passphrases and decrypted key files live in: locked into RAM where the
 * system's limit allows, left out of core dumps, between guard pages, wiped when it is freed
 * (libsodium, sodium_malloc).
 */
#ifndef KEYHOLD_SECRET_H
#define KEYHOLD_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyhold/bytes.h"
#include "keyhold/status.h"

/** A buffer of secret memory with a fixed capacity and a length. One owner. */
typedef struct kh_secret kh_secret;

/**
 * Makes an empty buffer. Its bytes are zero and start at a multiple of 64. Thread-safe.
 *
 * @param capacity    in bytes; 0 is allowed.
 * @param ret_secret  the new buffer, for kh_secret_free(); untouched on failure.
 * @return KH_OK, KH_E_NO_MEMORY, KH_E_CRYPTO (libsodium could not start).
 */
KH_MUST_USE kh_status kh_secret_new(size_t capacity, kh_secret **ret_secret);

/** Wipes and frees; sets the pointer to NULL. Takes NULL and a pointer to NULL. */
void kh_secret_free(kh_secret **secret);

/** Returns the bytes, for writing up to the capacity. Never NULL. Owned by the secret. */
uint8_t *kh_secret_data(kh_secret *secret);

/** Returns the capacity in bytes. */
size_t kh_secret_capacity(const kh_secret *secret);

/** Sets the length in bytes, at most the capacity; the bytes beyond it are wiped at once. */
void kh_secret_set_len(kh_secret *secret, size_t len);

/** Returns the bytes up to the length. Valid until the secret is freed; secret NULL gives no bytes.
 */
kh_bytes kh_secret_bytes(const kh_secret *secret);

/** Makes the memory read-only for good: a write to it ends the process. Freeing still wipes. */
void kh_secret_freeze(kh_secret *secret);

/** Returns whether the memory is locked into RAM. False: RLIMIT_MEMLOCK was too small, and it may
 * reach swap. No secret at all, NULL, counts as locked. */
bool kh_secret_is_locked(const kh_secret *secret);

/** Wipes memory that is not a kh_secret (a stack buffer); never optimised away. */
void kh_wipe(void *data, size_t len);

/** Returns whether two secrets of `len` bytes are the same; takes the same time wherever they
 * differ. */
bool kh_is_same_secret(const void *a, const void *b, size_t len);

/** For `__attribute__((cleanup))`: frees the secret when the scope ends. */
static inline void kh_secret_cleanup(kh_secret **secret)
{
  kh_secret_free(secret);
}
/** A pointer to a secret, freed when its scope ends. */
#define KH_AUTO_SECRET __attribute__((cleanup(kh_secret_cleanup))) kh_secret *

#endif
