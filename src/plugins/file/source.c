/* SPDX-License-Identifier: GPL-2.0-only */
#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "keyhold/inventory.h"

struct kh_file_keys {
  kh_keytable *table;
  kh_cipher cipher;
};

kh_status kh_file_keys_new(kh_keytable *table, kh_cipher cipher, kh_file_keys **ret_keys)
{
  kh_file_keys *keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return KH_E_NO_MEMORY;
  keys->table = table;
  keys->cipher = cipher;
  *ret_keys = keys;
  return KH_OK;
}

kh_status kh_file_keys_inventory(const kh_file_keys *keys, char **ret_text, size_t *ret_len)
{
  kh_key_cipher cipher =
      keys->cipher == KH_CIPHER_AES_CTR ? KH_KEY_CIPHER_AES_CTR : KH_KEY_CIPHER_AES_CBC;
  return kh_inventory_json(keys->table, cipher, ret_text, ret_len);
}

static kh_status file_latest(void *keys, uint32_t id, uint32_t *ret_version)
{
  return kh_keytable_latest(((const kh_file_keys *)keys)->table, id, ret_version);
}

/* Constant sizes, which need no call: this and the look-up are all that get_key is. */
static void copy_key(uint8_t *dst, const kh_key *key)
{
  memcpy(dst, key->bytes, 16);
  if (key->len > 16)
    memcpy(dst + 16, key->bytes + 16, 8);
  if (key->len > 24)
    memcpy(dst + 24, key->bytes + 24, 8);
}

static kh_status file_copy(void *keys, uint32_t id, uint32_t version, uint8_t *ret_key, size_t room,
                           size_t *ret_len)
{
  const kh_key *found = kh_keytable_find(((const kh_file_keys *)keys)->table, id, version);
  if (found == NULL)
    return KH_E_KEY_NOT_FOUND;
  if (found->len <= room)
    copy_key(ret_key, found);
  *ret_len = found->len;
  return KH_OK;
}

static kh_cipher file_cipher(void *keys, uint32_t id, uint32_t version)
{
  (void)id;
  (void)version;
  return ((const kh_file_keys *)keys)->cipher;
}

static void file_free(void *keys)
{
  if (keys != NULL)
    kh_keytable_free(&((kh_file_keys *)keys)->table);
  free(keys);
}

const kh_key_source kh_file_source = {file_latest, file_copy, file_cipher, file_free};
