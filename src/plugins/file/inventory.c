/* SPDX-License-Identifier: GPL-2.0-only */
#include "inventory.h"

#include "server/encryption.h"
#include "source.h"

bool kh_file_is_running(void)
{
  return kh_encryption_in_use() != NULL;
}

kh_status kh_file_inventory(char **ret_text, size_t *ret_len)
{
  const kh_file_keys *keys = kh_encryption_in_use();
  if (keys == NULL)
    return KH_E_KEY_NOT_FOUND;
  return kh_file_keys_inventory(keys, ret_text, ret_len);
}
