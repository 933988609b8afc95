/* SPDX-License-Identifier: GPL-2.0-only */
#define _LGPL_SOURCE /* the readers' part of liburcu inline, which its licence allows here */
#include "keyhold/keyring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-bp.h>

#include "race.h"

struct kh_keyring {
  _Atomic(kh_keytable *) table;
};

kh_status kh_keyring_new(kh_keytable *table, kh_keyring **ret_ring)
{
  kh_keyring *ring = calloc(1, sizeof *ring);
  if (ring == NULL)
    return KH_E_NO_MEMORY;
  atomic_init(&ring->table, table);
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
  return atomic_load_explicit(&((kh_keyring *)ring)->table, memory_order_acquire);
}

void kh_keyring_end(const kh_keyring *ring)
{
  kh_race_release(ring);
  urcu_bp_read_unlock();
}

kh_keytable *kh_keyring_exchange(kh_keyring *ring, kh_keytable *table)
{
  kh_keytable *old = atomic_exchange(&ring->table, table);
  urcu_bp_synchronize_rcu();
  kh_race_acquire(ring);
  return old;
}
