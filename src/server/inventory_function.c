/* SPDX-License-Identifier: GPL-2.0-only */
#include "inventory_function.h"

#include "server/encryption.h"
#include "server/keeper_source.h"
#include "server/udf.h"

my_bool kh_inventory_init(UDF_INIT *init, const UDF_ARGS *args, char *message,
                          const char *plugin_name)
{
  if (kh_encryption_in_use() == NULL)
    return kh_udf_refuse(message, "plugin %s of Keyhold is not loaded; see the error log",
                         plugin_name);
  return kh_udf_start(init, args, message);
}

static kh_status write_keys_in_use(char **ret_text, size_t *ret_len)
{
  const kh_keeper_keys *keys = kh_encryption_in_use();
  return keys == NULL ? KH_E_KEY_NOT_FOUND : kh_keeper_keys_inventory(keys, ret_text, ret_len);
}

char *kh_inventory_text(const UDF_INIT *init, const char *name, unsigned long *ret_len,
                        char *ret_error)
{
  return kh_udf_text(init, name, write_keys_in_use, ret_len, ret_error);
}

void kh_inventory_deinit(UDF_INIT *init)
{
  kh_udf_stop(init);
}
