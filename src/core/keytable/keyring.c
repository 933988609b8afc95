/* SPDX-License-Identifier: GPL-2.0-only */
#define _LGPL_SOURCE /* the readers' part of liburcu inline, which its licence allows here */
#include "keyhold/keyring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/tls-compat.h>

/*
 * In a library that is opened at run time each access to a thread-local variable is a call, and
 * liburcu accesses its own four times. Its address does not change while a function runs: with a
 * const function the compiler calls it once. This file is built with TLS descriptors, for which the
 * C library has room in every thread: without them it allocates the room at a thread's first
 * look-up, and ends the process where there is no memory. Before version 2.40 its code of a
 * descriptor may change vector registers, so the compiler must not look into this function.
 */
struct urcu_bp_reader;
#if __has_attribute(noipa)
#define KH_OPAQUE noipa
#else
#define KH_OPAQUE noinline
#endif
__attribute__((const, KH_OPAQUE)) static struct urcu_bp_reader **own_reader(void);
#undef URCU_TLS
#define URCU_TLS(name) (*own_reader())
#include <urcu/urcu-bp.h>

__attribute__((const, KH_OPAQUE)) static struct urcu_bp_reader **own_reader(void)
{
  return &urcu_bp_reader;
}

/*
 * Informs ThreadSanitizer of an order between threads that it cannot see, since liburcu is not
 * built with it: the accesses before a release happen before those after an acquire of the same
 * address. Empty in other builds.
 */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define order_acquire(address) __tsan_acquire((void *)(address))
#define order_release(address) __tsan_release((void *)(address))
#else
#define order_acquire(address) ((void)(address))
#define order_release(address) ((void)(address))
#endif

struct kh_keyring {
  _Atomic(kh_keytable *) table;
  atomic_bool has_ciphers; /* of a table that is or was in force, or is about to be */
};

static inline void end_reading(const kh_keyring *ring)
{
  order_release(ring);
  urcu_bp_read_unlock();
}

static inline const kh_keytable *in_force(const kh_keyring *ring)
{
  return atomic_load_explicit(&((kh_keyring *)ring)->table, memory_order_acquire);
}

kh_status kh_keyring_new(kh_keytable *table, kh_keyring **ret_ring)
{
  kh_keyring *ring = calloc(1, sizeof *ring);
  if (ring == NULL)
    return KH_E_NO_MEMORY;
  atomic_init(&ring->table, table);
  atomic_init(&ring->has_ciphers, kh_keytable_has_ciphers(table));
  *ret_ring = ring;
  return KH_OK;
}

void kh_keyring_free(kh_keyring **ring)
{
  if (ring == NULL || *ring == NULL)
    return;
  kh_keytable *table = atomic_load(&(*ring)->table);
  kh_keytable_free(&table);
  free(*ring);
  *ring = NULL;
}

const kh_keytable *kh_keyring_begin(const kh_keyring *ring)
{
  urcu_bp_read_lock();
  return in_force(ring);
}

void kh_keyring_end(const kh_keyring *ring)
{
  end_reading(ring);
}

kh_status kh_keyring_latest(const kh_keyring *ring, uint32_t id, uint32_t *ret_version)
{
  urcu_bp_read_lock();
  kh_status status = kh_keytable_latest(in_force(ring), id, ret_version);
  end_reading(ring);
  return status;
}

/* Copies constant sizes, which need no call. */
static void copy_key_bytes(uint8_t *dst, const kh_key *key)
{
  memcpy(dst, key->bytes, 16);
  if (key->len > 16)
    memcpy(dst + 16, key->bytes + 16, 8);
  if (key->len > 24)
    memcpy(dst + 24, key->bytes + 24, 8);
}

kh_status kh_keyring_copy(const kh_keyring *ring, uint32_t id, uint32_t version, uint8_t *ret_key,
                          size_t room, size_t *ret_len)
{
  urcu_bp_read_lock();
  const kh_key *found = kh_keytable_find(in_force(ring), id, version);
  if (found != NULL) {
    if (found->len <= room)
      copy_key_bytes(ret_key, found);
    *ret_len = found->len;
  }
  end_reading(ring);
  return found == NULL ? KH_E_KEY_NOT_FOUND : KH_OK;
}

static kh_cipher cipher_of_version(const kh_key *key, kh_cipher default_cipher)
{
  if (key == NULL)
    return KH_CIPHER_UNSET;
  return key->policy.cipher == KH_CIPHER_UNSET ? default_cipher : (kh_cipher)key->policy.cipher;
}

kh_cipher kh_keyring_cipher(const kh_keyring *ring, uint32_t id, uint32_t version,
                            kh_cipher default_cipher)
{
  if (!atomic_load_explicit(&((kh_keyring *)ring)->has_ciphers, memory_order_acquire))
    return default_cipher;
  urcu_bp_read_lock();
  kh_cipher cipher =
      cipher_of_version(kh_keytable_find(in_force(ring), id, version), default_cipher);
  end_reading(ring);
  return cipher;
}

kh_keytable *kh_keyring_exchange(kh_keyring *ring, kh_keytable *table)
{
  if (kh_keytable_has_ciphers(table))
    atomic_store(&ring->has_ciphers, true); /* before any thread can see a version of the table */
  kh_keytable *old = atomic_exchange(&ring->table, table);
  urcu_bp_synchronize_rcu();
  order_acquire(ring);
  return old;
}
