/* SPDX-License-Identifier: GPL-2.0-only */
#define _LGPL_SOURCE /* the readers' part of liburcu inline, which its licence allows here */
#include "keyhold/keyring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-bp.h>

#include "race.h"

struct kh_keyring {
  _Atomic(kh_keytable *) table;
  atomic_bool has_ciphers; /* of a table that is or was in force, or is about to be */
};

/*
 * As urcu_bp_read_lock(), but looks for the thread's reader once: in a library that is opened at
 * run time that is a call, and costs as much as looking a key up. So what begins a look-up hands
 * the reader to what ends it.
 */
static inline struct urcu_bp_reader *enter(void)
{
  struct urcu_bp_reader *self = URCU_TLS(urcu_bp_reader);
  if (self == NULL) {
    urcu_bp_register();
    self = URCU_TLS(urcu_bp_reader);
  }
  unsigned long nested = self->ctr;
  if ((nested & URCU_BP_GP_CTR_NEST_MASK) == 0)
    nested = CMM_LOAD_SHARED(urcu_bp_gp.ctr);
  else
    nested += URCU_BP_GP_COUNT;
  CMM_STORE_SHARED(self->ctr, nested);
  urcu_bp_smp_mb_slave();
  return self;
}

static inline void leave(const kh_keyring *ring, struct urcu_bp_reader *self)
{
  kh_race_release(ring);
  urcu_bp_smp_mb_slave();
  CMM_STORE_SHARED(self->ctr, self->ctr - URCU_BP_GP_COUNT);
  cmm_barrier();
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
  enter();
  return in_force(ring);
}

void kh_keyring_end(const kh_keyring *ring)
{
  leave(ring, URCU_TLS(urcu_bp_reader));
}

kh_status kh_keyring_latest(const kh_keyring *ring, uint32_t id, uint32_t *ret_version)
{
  struct urcu_bp_reader *self = enter();
  kh_status status = kh_keytable_latest(in_force(ring), id, ret_version);
  leave(ring, self);
  return status;
}

/* Constant sizes, which need no call. */
static void copy_key(uint8_t *dst, const kh_key *key)
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
  struct urcu_bp_reader *self = enter();
  const kh_key *found = kh_keytable_find(in_force(ring), id, version);
  if (found != NULL) {
    if (found->len <= room)
      copy_key(ret_key, found);
    *ret_len = found->len;
  }
  leave(ring, self);
  return found == NULL ? KH_E_KEY_NOT_FOUND : KH_OK;
}

kh_key_cipher kh_keyring_cipher(const kh_keyring *ring, uint32_t id, uint32_t version)
{
  if (!atomic_load_explicit(&((kh_keyring *)ring)->has_ciphers, memory_order_acquire))
    return KH_KEY_CIPHER_UNSET;
  struct urcu_bp_reader *self = enter();
  const kh_key *found = kh_keytable_find(in_force(ring), id, version);
  kh_key_cipher cipher = found == NULL ? KH_KEY_CIPHER_UNSET : (kh_key_cipher)found->policy.cipher;
  leave(ring, self);
  return cipher;
}

kh_keytable *kh_keyring_exchange(kh_keyring *ring, kh_keytable *table)
{
  if (kh_keytable_has_ciphers(table))
    atomic_store(&ring->has_ciphers, true); /* before anybody can see a version of the table */
  kh_keytable *old = atomic_exchange(&ring->table, table);
  urcu_bp_synchronize_rcu();
  kh_race_acquire(ring);
  return old;
}
