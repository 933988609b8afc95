/* SPDX-License-Identifier: GPL-2.0-only */
/* The container of `openssl enc -aes-256-cbc`: "Salted__", 8 bytes of salt, ciphertext. */
#include <string.h>

#include "keyhold/cursor.h"
#include "keyhold/keyfile.h"
#include "keyhold/secret.h"

static const char magic[] = "Salted__";
enum { MAGIC_SIZE = sizeof magic - 1, KEY_SIZE = 32 };

bool kh_keyfile_is_openssl(kh_bytes file)
{
  return file.len > MAGIC_SIZE && memcmp(file.data, magic, MAGIC_SIZE) == 0;
}

static kh_status check_size(const kh_keyfile_options *options, kh_bytes file, kh_fault *ret_fault)
{
  size_t head = MAGIC_SIZE + KH_KDF_SALT_SIZE;
  if (file.len >= head + KH_AES_BLOCK && (file.len - head) % KH_AES_BLOCK == 0)
    return KH_OK;
  kh_fault_set(ret_fault, KH_E_CONTAINER_SIZE, options->path, 0);
  if (ret_fault != NULL)
    ret_fault->size = file.len;
  return KH_E_CONTAINER_SIZE;
}

static kh_status decrypt(const kh_keyfile_options *options, const kh_crypt *crypt, kh_bytes file,
                         kh_bytes passphrase, kh_secret *derived, kh_secret *text)
{
  kh_cursor cursor = kh_cursor_over(file);
  kh_cursor_skip(&cursor, MAGIC_SIZE);
  kh_bytes salt = kh_cursor_take(&cursor, KH_KDF_SALT_SIZE);
  kh_bytes ciphertext = kh_cursor_take(&cursor, file.len);
  kh_status status = kh_kdf_openssl_enc(passphrase, salt.data, options->digest,
                                        options->pbkdf2_iterations, derived);
  if (status != KH_OK)
    return status;
  kh_bytes both = kh_secret_bytes(derived);
  kh_crypt_key key = {{both.data, KEY_SIZE}, {both.data + KEY_SIZE, KH_AES_BLOCK}};
  size_t len = 0;
  status = kh_crypt_once(crypt, KH_CIPHER_AES_CBC, 0, &key, ciphertext, kh_secret_data(text), &len);
  kh_crypt_forget(crypt); /* the file's key is not needed again */
  kh_secret_set_len(text, len);
  return status == KH_E_BAD_DATA ? KH_E_WRONG_PASSPHRASE : status;
}

kh_status kh_keyfile_decrypt_openssl(const kh_keyfile_options *options, const kh_crypt *crypt,
                                     kh_bytes file, kh_bytes passphrase, kh_secret **ret_text,
                                     kh_fault *ret_fault)
{
  kh_status status = check_size(options, file, ret_fault);
  if (status != KH_OK)
    return status;
  KH_AUTO_SECRET derived = NULL;
  KH_AUTO_SECRET text = NULL;
  status = kh_secret_new(KH_KDF_OPENSSL_ENC_SIZE, &derived);
  if (status == KH_OK)
    status = kh_secret_new(file.len + KH_AES_BLOCK, &text);
  if (status == KH_OK)
    status = decrypt(options, crypt, file, passphrase, derived, text);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->path, 0);
  *ret_text = text;
  text = NULL;
  return KH_OK;
}
