/* SPDX-License-Identifier: GPL-2.0-only */
#include "udf.h"

#include "inventory.h"
#include "server/udf.h"

my_bool file_key_management_keys_init(UDF_INIT *init, UDF_ARGS *args, char *message)
{
  if (!kh_file_is_running())
    return kh_udf_refuse(message, "file_key_management of Keyhold is not loaded");
  return kh_udf_start(init, args, message);
}

/* The server's own buffer, `result`, has room for a short text only. */
char *file_key_management_keys(UDF_INIT *init, UDF_ARGS *args, char *result, unsigned long *ret_len,
                               char *ret_is_null, char *ret_error)
{
  (void)args;
  (void)result;
  (void)ret_is_null;
  return kh_udf_text(init, "file_key_management_keys", kh_file_inventory, ret_len, ret_error);
}

void file_key_management_keys_deinit(UDF_INIT *init)
{
  kh_udf_stop(init);
}
