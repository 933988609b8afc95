/* SPDX-License-Identifier: GPL-2.0-only */
/* The container of `openssl enc -aes-256-cbc`: "Salted__", 8 bytes of salt, ciphertext; and the
 * same in base64, by its option -a. */
#include <string.h>

#include "armour.h"
#include "envelope.h"
#include "keyhold/cursor.h"
#include "keyhold/keyfile_openssl.h"
#include "keyhold/random.h"
#include "keyhold/secret.h"

static const char magic[] = "Salted__";
enum { MAGIC_SIZE = sizeof magic - 1, HEAD_SIZE = MAGIC_SIZE + KH_KDF_SALT_SIZE, KEY_SIZE = 32 };

bool kh_keyfile_is_openssl(kh_bytes file)
{
  return (file.len > MAGIC_SIZE && memcmp(file.data, magic, MAGIC_SIZE) == 0) ||
         kh_armour_is_salted(file);
}

/* Replaces a file in base64 by the file that it is the form of, which `ret_bare` owns; leaves any
 * other one. */
static kh_status strip_armour(const kh_keyfile_options *options, kh_bytes *file,
                              kh_secret **ret_bare, kh_fault *ret_fault)
{
  if (!kh_armour_is_salted(*file))
    return KH_OK;
  kh_status status = kh_armour_decode(*file, ret_bare);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->path, 0);
  *file = kh_secret_bytes(*ret_bare);
  return KH_OK;
}

static kh_status check_size(const kh_keyfile_options *options, kh_bytes file, kh_fault *ret_fault)
{
  bool is_short = file.len < HEAD_SIZE + KH_AES_BLOCK;
  if (!is_short && (file.len - HEAD_SIZE) % KH_AES_BLOCK == 0)
    return KH_OK;
  kh_status status = is_short ? KH_E_CONTAINER_SIZE : KH_E_CONTAINER_CIPHER;
  kh_fault_set(ret_fault, status, options->path, 0);
  if (ret_fault != NULL)
    ret_fault->size = file.len;
  return status;
}

/* A derived key: key, IV, and the salt that they belong to. */
enum { DERIVED_SIZE = KH_KDF_OPENSSL_ENC_SIZE + KH_KDF_SALT_SIZE };

static kh_status derive_file_key(const kh_keyfile_options *options, kh_bytes passphrase,
                                 const uint8_t *salt, kh_secret **ret_derived)
{
  KH_AUTO_SECRET derived = NULL;
  kh_status status = kh_secret_new(DERIVED_SIZE, &derived);
  if (status == KH_OK)
    status =
        kh_kdf_openssl_enc(passphrase, salt, options->digest, options->pbkdf2_iterations, derived);
  if (status != KH_OK)
    return status;
  memcpy(kh_secret_data(derived) + KH_KDF_OPENSSL_ENC_SIZE, salt, KH_KDF_SALT_SIZE);
  kh_secret_set_len(derived, DERIVED_SIZE);
  *ret_derived = derived;
  derived = NULL;
  return KH_OK;
}

static kh_status derive_for_new_salt(const kh_keyfile_options *options, kh_bytes passphrase,
                                     kh_secret **ret_derived)
{
  uint8_t salt[KH_KDF_SALT_SIZE];
  kh_random_bytes(salt, sizeof salt);
  return derive_file_key(options, passphrase, salt, ret_derived);
}

static const uint8_t *salt_of(const kh_secret *derived)
{
  return kh_secret_bytes(derived).data + KH_KDF_OPENSSL_ENC_SIZE;
}

/* `flags` are of kh_crypt_init() */
static kh_status crypt_under(const kh_secret *derived, const kh_crypt *crypt, unsigned flags,
                             kh_bytes src, uint8_t *dst, size_t *ret_len)
{
  const uint8_t *bytes = kh_secret_bytes(derived).data;
  kh_crypt_key key = {{bytes, KEY_SIZE}, {bytes + KEY_SIZE, KH_AES_BLOCK}};
  kh_status status = kh_crypt_once(crypt, KH_CIPHER_AES_CBC, flags, &key, src, dst, ret_len);
  kh_crypt_forget(crypt); /* the thread keeps no schedule of the file's key */
  return status;
}

/* of a file whose size is right */
static kh_status decrypt_under(const kh_secret *derived, const kh_crypt *crypt, kh_bytes file,
                               kh_secret **ret_text)
{
  KH_AUTO_SECRET text = NULL;
  size_t len = 0;
  kh_cursor cursor = kh_cursor_over(file);
  kh_cursor_skip(&cursor, HEAD_SIZE);
  kh_status status = kh_secret_new(file.len + KH_AES_BLOCK, &text);
  if (status == KH_OK)
    status = crypt_under(derived, crypt, 0, kh_cursor_take(&cursor, file.len), kh_secret_data(text),
                         &len);
  if (status != KH_OK)
    return status == KH_E_BAD_DATA ? KH_E_WRONG_PASSPHRASE : status;
  kh_secret_set_len(text, len);
  *ret_text = text;
  text = NULL;
  return KH_OK;
}

static kh_status encrypt_under(const kh_secret *derived, const kh_crypt *crypt, kh_bytes text,
                               kh_secret **ret_file)
{
  KH_AUTO_SECRET file = NULL;
  size_t len = 0;
  kh_status status = kh_secret_new(HEAD_SIZE + text.len + KH_AES_BLOCK, &file);
  if (status != KH_OK)
    return status;
  uint8_t *head = kh_secret_data(file);
  memcpy(head, magic, MAGIC_SIZE);
  memcpy(head + MAGIC_SIZE, salt_of(derived), KH_KDF_SALT_SIZE);
  status = crypt_under(derived, crypt, KH_CRYPT_ENCRYPT, text, head + HEAD_SIZE, &len);
  if (status != KH_OK)
    return status;
  kh_secret_set_len(file, HEAD_SIZE + len);
  *ret_file = file;
  file = NULL;
  return KH_OK;
}

static kh_bytes salt_in(kh_bytes file)
{
  kh_cursor cursor = kh_cursor_over(file);
  kh_cursor_skip(&cursor, MAGIC_SIZE);
  return kh_cursor_take(&cursor, KH_KDF_SALT_SIZE);
}

kh_status kh_keyfile_decrypt_openssl(const kh_keyfile_options *options, const kh_crypt *crypt,
                                     kh_bytes file, kh_bytes passphrase, kh_secret **ret_text,
                                     kh_fault *ret_fault)
{
  KH_AUTO_SECRET derived = NULL;
  KH_AUTO_SECRET bare = NULL;
  kh_status status = strip_armour(options, &file, &bare, ret_fault);
  if (status == KH_OK)
    status = check_size(options, file, ret_fault);
  if (status != KH_OK)
    return status;
  status = derive_file_key(options, passphrase, salt_in(file).data, &derived);
  if (status == KH_OK)
    status = decrypt_under(derived, crypt, file, ret_text);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, options->path, 0);
}

/* MD5 is only for files that exist. */
static kh_status check_digest(const kh_keyfile_options *options, kh_fault *ret_fault)
{
  if (options->digest != KH_DIGEST_MD5)
    return KH_OK;
  kh_fault_set(ret_fault, KH_E_DIGEST_READ_ONLY, options->path, 0);
  if (ret_fault != NULL)
    ret_fault->size = options->pbkdf2_iterations;
  return KH_E_DIGEST_READ_ONLY;
}

kh_status kh_keyfile_encrypt_openssl(const kh_keyfile_options *options, const kh_crypt *crypt,
                                     kh_bytes text, kh_bytes passphrase, kh_secret **ret_file,
                                     kh_fault *ret_fault)
{
  KH_AUTO_SECRET derived = NULL;
  kh_status status = check_digest(options, ret_fault);
  if (status != KH_OK)
    return status;
  status = derive_for_new_salt(options, passphrase, &derived);
  if (status == KH_OK)
    status = encrypt_under(derived, crypt, text, ret_file);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, options->path, 0);
}

static kh_status open_openssl(kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                              kh_fault *ret_fault)
{
  envelope->is_armoured = kh_armour_is_salted(file);
  return kh_keyfile_decrypt_openssl(&envelope->options, envelope->crypt, file,
                                    kh_secret_bytes(envelope->passphrase), ret_text, ret_fault);
}

/* Derives the key again: one that the passphrase does not give a second time would lose the file.
 */
static kh_status prove_derived(const kh_envelope *envelope, const kh_secret *derived)
{
  KH_AUTO_SECRET again = NULL;
  kh_bytes first = kh_secret_bytes(derived);
  kh_status status = derive_file_key(&envelope->options, kh_secret_bytes(envelope->passphrase),
                                     salt_of(derived), &again);
  if (status != KH_OK)
    return status;
  return kh_is_same_secret(first.data, kh_secret_bytes(again).data, first.len) ? KH_OK
                                                                               : KH_E_CRYPTO;
}

static kh_status prepare_openssl(kh_envelope *envelope, kh_fault *ret_fault)
{
  KH_AUTO_SECRET derived = NULL;
  kh_status status = check_digest(&envelope->options, ret_fault);
  if (status != KH_OK)
    return status;
  status = kh_random_start();
  if (status == KH_OK)
    status =
        derive_for_new_salt(&envelope->options, kh_secret_bytes(envelope->passphrase), &derived);
  if (status == KH_OK)
    status = prove_derived(envelope, derived);
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, envelope->options.path, 0);
  envelope->prepared = derived;
  derived = NULL;
  return KH_OK;
}

/* The prepared key is valid only with the salt from which it will be derived again. */
static kh_status read_openssl_back(const kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                                   kh_fault *ret_fault)
{
  KH_AUTO_SECRET bare = NULL;
  bool is_right_form =
      kh_keyfile_is_openssl(file) && kh_armour_is_salted(file) == envelope->is_armoured;
  kh_status status = strip_armour(&envelope->options, &file, &bare, ret_fault);
  if (status == KH_OK)
    status = check_size(&envelope->options, file, ret_fault);
  if (status != KH_OK)
    return status;
  if (!is_right_form ||
      memcmp(salt_in(file).data, salt_of(envelope->prepared), KH_KDF_SALT_SIZE) != 0)
    status = KH_E_WRONG_PASSPHRASE;
  if (status == KH_OK)
    status = decrypt_under(envelope->prepared, envelope->crypt, file, ret_text);
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, envelope->options.path, 0);
}

static kh_status make_openssl(const kh_envelope *envelope, kh_bytes text, kh_secret **ret_file,
                              kh_fault *ret_fault)
{
  KH_AUTO_SECRET file = NULL;
  kh_status status = encrypt_under(envelope->prepared, envelope->crypt, text, &file);
  if (status == KH_OK && envelope->is_armoured) {
    status = kh_armour_encode(kh_secret_bytes(file), ret_file);
  } else if (status == KH_OK) {
    *ret_file = file;
    file = NULL;
  }
  return status == KH_OK ? KH_OK : kh_fault_set(ret_fault, status, envelope->options.path, 0);
}

static void hint_derivation(const kh_keyfile_options *options, const kh_log *log)
{
  kh_log_write(
      log, KH_LOG_HINT,
      "tried '%s' with the passphrase%s, digest %s and %u PBKDF2 iterations (0: no PBKDF2); "
      "use the values of the 'openssl enc' command that made the file (-pass, -md, -pbkdf2 "
      "-iter)",
      kh_show_path(options->path).text, options->passphrase == NULL ? " of filekey" : "",
      kh_digest_name(options->digest), options->pbkdf2_iterations);
}

static const kh_keyfile_format_functions functions = {
    .hides_wrong_passphrase = true,
    .knows = kh_keyfile_is_openssl,
    .open = open_openssl,
    .prepare = prepare_openssl,
    .read_back = read_openssl_back,
    .make = make_openssl,
    .hint_what_was_tried = hint_derivation,
};

const kh_keyfile_format kh_keyfile_format_openssl = {
    .name = "openssl", .is_encrypted = true, .has_digest = true, .functions = &functions};
