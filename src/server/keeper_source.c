/* SPDX-License-Identifier: GPL-2.0-only */
#include "keeper_source.h"

#include <stdlib.h>

#include "keyhold/inventory.h"

struct kh_keeper_keys {
  kh_keeper *keeper;
  const kh_keyring *ring;
  kh_datakeys *data_keys;
  kh_cipher default_cipher;
};

static void keeper_free(void *argument)
{
  kh_keeper_keys *keys = argument;
  if (keys == NULL)
    return;
  kh_keeper_free(&keys->keeper);
  kh_datakeys_free(&keys->data_keys);
  free(keys);
}

kh_status kh_keeper_keys_new(const kh_keeper_options *options, kh_store *store,
                             kh_keeper_keys **ret_keys, kh_fault *ret_fault)
{
  kh_keeper_keys *keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return kh_store_fail(store, KH_E_NO_MEMORY, ret_fault);
  kh_status status = kh_datakeys_new(&keys->data_keys);
  if (status != KH_OK)
    kh_store_fail(store, status, ret_fault);
  else
    status = kh_keeper_new(options, store, &keys->keeper, ret_fault);
  if (status != KH_OK) {
    keeper_free(keys);
    return status;
  }
  keys->ring = kh_keeper_ring(keys->keeper);
  keys->default_cipher = options->default_cipher;
  *ret_keys = keys;
  return KH_OK;
}

kh_keeper *kh_keeper_keys_keeper(const kh_keeper_keys *keys)
{
  return keys->keeper;
}

kh_status kh_keeper_keys_inventory(const kh_keeper_keys *keys, char **ret_text, size_t *ret_len)
{
  const kh_keytable *table = kh_keyring_begin(keys->ring);
  kh_status status = kh_inventory_json(table, keys->default_cipher, ret_text, ret_len);
  kh_keyring_end(keys->ring);
  return status;
}

static kh_status keeper_latest(void *argument, uint32_t id, uint32_t *ret_version)
{
  const kh_keeper_keys *keys = argument;
  return kh_keyring_latest(keys->ring, id, ret_version);
}

static kh_status keeper_copy(void *argument, uint32_t id, uint32_t version, uint8_t *ret_key,
                             size_t room, size_t *ret_len)
{
  const kh_keeper_keys *keys = argument;
  return kh_keyring_copy(keys->ring, id, version, ret_key, room, ret_len);
}

static kh_cipher keeper_cipher(void *argument, uint32_t id, uint32_t version)
{
  const kh_keeper_keys *keys = argument;
  return kh_keyring_cipher(keys->ring, id, version, keys->default_cipher);
}

static kh_status keeper_data_key(void *argument, const kh_datakey *wanted, uint8_t *ret_key)
{
  const kh_keeper_keys *keys = argument;
  if (kh_datakeys_find(keys->data_keys, wanted, ret_key))
    return KH_OK;
  kh_status status = KH_E_KEY_NOT_FOUND;
  const kh_key *found = kh_keytable_find(kh_keyring_begin(keys->ring), wanted->id, wanted->version);
  if (found != NULL)
    status =
        kh_datakeys_derive(keys->data_keys, wanted, (kh_bytes){found->bytes, found->len}, ret_key);
  kh_keyring_end(keys->ring);
  return status;
}

static void keeper_miss(void *argument, uint32_t id, uint32_t version)
{
  const kh_keeper_keys *keys = argument;
  kh_keeper_note_miss(keys->keeper, id, version);
}

const kh_key_source kh_keeper_source = {.latest = keeper_latest,
                                        .copy = keeper_copy,
                                        .cipher = keeper_cipher,
                                        .data_key = keeper_data_key,
                                        .miss = keeper_miss,
                                        .free = keeper_free};
