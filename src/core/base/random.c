/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/random.h"

#include <sodium.h>

kh_status kh_random_start(void)
{
  if (sodium_init() < 0)
    return KH_E_CRYPTO;
  (void)randombytes_random(); /* opens what it reads from */
  return KH_OK;
}

uint32_t kh_random_below(uint32_t bound)
{
  return randombytes_uniform(bound);
}

void kh_random_bytes(uint8_t *ret_data, size_t len)
{
  randombytes_buf(ret_data, len);
}
