/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/hex.h"

#include <sodium.h>

bool kh_hex_decode(kh_bytes digits, uint8_t *ret_data)
{
  size_t len = 0;
  if (digits.len % 2 != 0)
    return false;
  return sodium_hex2bin(ret_data, digits.len / 2, (const char *)digits.data, digits.len, NULL, &len,
                        NULL) == 0 &&
         len == digits.len / 2;
}

void kh_hex_encode(kh_bytes data, uint8_t *ret_digits)
{
  sodium_bin2hex((char *)ret_digits, 2 * data.len + 1, data.data, data.len);
}
