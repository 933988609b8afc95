/* SPDX-License-Identifier: GPL-2.0-only */
#include "keyhold/aead.h"

#include <sodium.h>

_Static_assert(KH_AEAD_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   KH_AEAD_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   KH_AEAD_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "libsodium disagrees");

void kh_aead_seal(const kh_aead_input *input, kh_bytes text, uint8_t *ret_sealed)
{
  crypto_aead_xchacha20poly1305_ietf_encrypt(ret_sealed, NULL, text.data, text.len,
                                             input->bound.data, input->bound.len, NULL,
                                             input->nonce, input->key);
}

bool kh_aead_open(const kh_aead_input *input, kh_bytes sealed, uint8_t *ret_text)
{
  return crypto_aead_xchacha20poly1305_ietf_decrypt(ret_text, NULL, NULL, sealed.data, sealed.len,
                                                    input->bound.data, input->bound.len,
                                                    input->nonce, input->key) == 0;
}
