/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/md5.h"

#include <openssl/err.h>
#include <openssl/evp.h>

kh_status kh_md5(kh_bytes data, uint8_t *ret_digest)
{
  if (EVP_Q_digest(NULL, "MD5", NULL, data.data, data.len, ret_digest, NULL) == 1)
    return KH_OK;
  ERR_clear_error();
  return KH_E_CRYPTO;
}
