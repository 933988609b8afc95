/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/base64.h"

#include <sodium.h>

enum { VARIANT = sodium_base64_VARIANT_ORIGINAL };

size_t kh_base64_length(size_t len)
{
  return sodium_base64_ENCODED_LEN(len, VARIANT) - 1;
}

void kh_base64_encode(kh_bytes data, uint8_t *ret_text)
{
  sodium_bin2base64((char *)ret_text, kh_base64_length(data.len) + 1, data.data, data.len, VARIANT);
}

bool kh_base64_decode(kh_bytes text, uint8_t *ret_data, size_t *ret_len)
{
  size_t len = 0;
  if (sodium_base642bin(ret_data, text.len / 4 * 3, (const char *)text.data, text.len, NULL, &len,
                        NULL, VARIANT) != 0)
    return false;
  *ret_len = len;
  return true;
}
