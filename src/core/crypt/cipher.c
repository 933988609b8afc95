/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/cipher.h"

#include <stdio.h>
#include <string.h>

#include "mode.h"

const kh_cipher_info kh_ciphers[KH_CIPHER_COUNT] = {
    [KH_CIPHER_UNSET] = {.name = ""},
    [KH_CIPHER_AES_CBC] = {.name = "aes-cbc",
                           .key_min = 16,
                           .padded = &kh_mode_cbc,
                           .unpadded = &kh_mode_cbc_nopad},
    [KH_CIPHER_AES_CTR] = {.name = "aes-ctr",
                           .key_min = 16,
                           .tag_size = KH_AES_BLOCK,
                           .padded = &kh_mode_gcm,
                           .unpadded = &kh_mode_ctr},
    [KH_CIPHER_AES256_CBC] = {.name = "aes256-cbc",
                              .key_min = 32,
                              .padded_key = KH_DATAKEY_AES256,
                              .unpadded_key = KH_DATAKEY_AES256,
                              .padded = &kh_mode_cbc,
                              .unpadded = &kh_mode_cbc_nopad},
    [KH_CIPHER_AES256_CTR] = {.name = "aes256-ctr",
                              .key_min = 32,
                              .padded_key = KH_DATAKEY_AES256,
                              .unpadded_key = KH_DATAKEY_AES256,
                              .tag_size = KH_AES_BLOCK,
                              .padded = &kh_mode_gcm,
                              .unpadded = &kh_mode_ctr},
    [KH_CIPHER_AES256_XTS] = {.name = "aes256-xts",
                              .key_min = 32,
                              .padded_key = KH_DATAKEY_GCM,
                              .unpadded_key = KH_DATAKEY_XTS,
                              .tag_size = KH_AES_BLOCK,
                              .padded = &kh_mode_gcm,
                              .unpadded = &kh_mode_xts},
    [KH_CIPHER_AES_ECB] = {.name = "",
                           .key_min = 16,
                           .padded = &kh_mode_ecb,
                           .unpadded = &kh_mode_ecb_nopad},
};

bool kh_cipher_by_name(kh_bytes name, kh_cipher *ret_cipher)
{
  for (int i = 0; i < KH_CIPHER_COUNT && name.len > 0; i++)
    if (strlen(kh_ciphers[i].name) == name.len &&
        memcmp(kh_ciphers[i].name, name.data, name.len) == 0) {
      *ret_cipher = (kh_cipher)i;
      return true;
    }
  return false;
}

/* returns the next cipher that has a name, or KH_CIPHER_COUNT */
static int next_named(int cipher)
{
  while (cipher < KH_CIPHER_COUNT && kh_ciphers[cipher].name[0] == '\0')
    cipher++;
  return cipher;
}

kh_cipher_names_text kh_cipher_names(void)
{
  kh_cipher_names_text names = {.text = ""};
  const char *separator = "";
  for (int i = next_named(0); i < KH_CIPHER_COUNT;) {
    size_t len = strlen(names.text);
    snprintf(names.text + len, sizeof names.text - len, "%s%s", separator, kh_ciphers[i].name);
    i = next_named(i + 1);
    separator = next_named(i + 1) < KH_CIPHER_COUNT ? ", " : " or ";
  }
  return names;
}
