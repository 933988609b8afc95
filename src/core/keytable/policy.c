/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/policy.h"

#include <string.h>

static const char *const cipher_names[KH_KEY_CIPHER_COUNT] = {
    [KH_KEY_CIPHER_UNSET] = "",
    [KH_KEY_CIPHER_AES_CBC] = "aes-cbc",
    [KH_KEY_CIPHER_AES_CTR] = "aes-ctr",
    [KH_KEY_CIPHER_AES256_CBC] = "aes256-cbc",
    [KH_KEY_CIPHER_AES256_CTR] = "aes256-ctr",
};

const char *kh_key_cipher_name(kh_key_cipher cipher)
{
  return cipher_names[cipher];
}

bool kh_key_cipher_by_name(kh_bytes name, kh_key_cipher *ret_cipher)
{
  for (int i = KH_KEY_CIPHER_UNSET + 1; i < KH_KEY_CIPHER_COUNT; i++)
    if (strlen(cipher_names[i]) == name.len && memcmp(cipher_names[i], name.data, name.len) == 0) {
      *ret_cipher = (kh_key_cipher)i;
      return true;
    }
  return false;
}

bool kh_key_cipher_is_derived(kh_key_cipher cipher)
{
  return cipher == KH_KEY_CIPHER_AES256_CBC || cipher == KH_KEY_CIPHER_AES256_CTR;
}

uint64_t kh_policy_due(const kh_policy *policy)
{
  return policy->rotate == 0 ? KH_POLICY_NEVER : (uint64_t)policy->created + policy->rotate;
}
