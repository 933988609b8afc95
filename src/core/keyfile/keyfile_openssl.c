/* SPDX-License-Identifier: GPL-2.0-only */
/* The container of `openssl enc -aes-256-cbc`: "Salted__", 8 bytes of salt, ciphertext. */
#include <string.h>

#include "envelope.h"
#include "keyhold/cursor.h"
#include "keyhold/keyfile_openssl.h"
#include "keyhold/random.h"
#include "keyhold/secret.h"

static const char magic[] = "Salted__";
enum { MAGIC_SIZE = sizeof magic - 1, HEAD_SIZE = MAGIC_SIZE + KH_KDF_SALT_SIZE, KEY_SIZE = 32 };

bool kh_keyfile_is_openssl(kh_bytes file)
{
  return file.len > MAGIC_SIZE && memcmp(file.data, magic, MAGIC_SIZE) == 0;
}

static kh_status check_size(const kh_keyfile_options *options, kh_bytes file, kh_fault *ret_fault)
{
  if (file.len >= HEAD_SIZE + KH_AES_BLOCK && (file.len - HEAD_SIZE) % KH_AES_BLOCK == 0)
    return KH_OK;
  kh_fault_set(ret_fault, KH_E_CONTAINER_SIZE, options->path, 0);
  if (ret_fault != NULL)
    ret_fault->size = file.len;
  return KH_E_CONTAINER_SIZE;
}

/* What goes through the cipher, and under which key. */
struct passage {
  unsigned flags; /* of kh_crypt_init() */
  const uint8_t *salt;
  kh_bytes passphrase;
  kh_bytes src;
  uint8_t *dst;
};

static kh_status derive_and_crypt(const kh_keyfile_options *options, const kh_crypt *crypt,
                                  const struct passage *passage, size_t *ret_len)
{
  KH_AUTO_SECRET derived = NULL;
  kh_status status = kh_secret_new(KH_KDF_OPENSSL_ENC_SIZE, &derived);
  if (status == KH_OK)
    status = kh_kdf_openssl_enc(passage->passphrase, passage->salt, options->digest,
                                options->pbkdf2_iterations, derived);
  if (status != KH_OK)
    return status;
  kh_bytes both = kh_secret_bytes(derived);
  kh_crypt_key key = {{both.data, KEY_SIZE}, {both.data + KEY_SIZE, KH_AES_BLOCK}};
  status = kh_crypt_once(crypt, KH_CIPHER_AES_CBC, passage->flags, &key, passage->src, passage->dst,
                         ret_len);
  kh_crypt_forget(crypt); /* the file's key is not needed again */
  return status;
}

kh_status kh_keyfile_decrypt_openssl(const kh_keyfile_options *options, const kh_crypt *crypt,
                                     kh_bytes file, kh_bytes passphrase, kh_secret **ret_text,
                                     kh_fault *ret_fault)
{
  kh_status status = check_size(options, file, ret_fault);
  if (status != KH_OK)
    return status;
  KH_AUTO_SECRET text = NULL;
  size_t len = 0;
  status = kh_secret_new(file.len + KH_AES_BLOCK, &text);
  if (status == KH_OK) {
    kh_cursor cursor = kh_cursor_over(file);
    kh_cursor_skip(&cursor, MAGIC_SIZE);
    struct passage passage = {.salt = kh_cursor_take(&cursor, KH_KDF_SALT_SIZE).data,
                              .passphrase = passphrase,
                              .src = kh_cursor_take(&cursor, file.len),
                              .dst = kh_secret_data(text)};
    status = derive_and_crypt(options, crypt, &passage, &len);
  }
  if (status == KH_E_BAD_DATA)
    status = KH_E_WRONG_PASSPHRASE;
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->path, 0);
  kh_secret_set_len(text, len);
  *ret_text = text;
  text = NULL;
  return KH_OK;
}

kh_status kh_keyfile_encrypt_openssl(const kh_keyfile_options *options, const kh_crypt *crypt,
                                     kh_bytes text, kh_bytes passphrase, kh_secret **ret_file,
                                     kh_fault *ret_fault)
{
  KH_AUTO_SECRET file = NULL;
  size_t len = 0;
  kh_status status = kh_secret_new(HEAD_SIZE + text.len + KH_AES_BLOCK, &file);
  if (status == KH_OK) {
    uint8_t *head = kh_secret_data(file);
    memcpy(head, magic, MAGIC_SIZE);
    kh_random_bytes(head + MAGIC_SIZE, KH_KDF_SALT_SIZE);
    struct passage passage = {.flags = KH_CRYPT_ENCRYPT,
                              .salt = head + MAGIC_SIZE,
                              .passphrase = passphrase,
                              .src = text,
                              .dst = head + HEAD_SIZE};
    status = derive_and_crypt(options, crypt, &passage, &len);
  }
  if (status != KH_OK)
    return kh_fault_set(ret_fault, status, options->path, 0);
  kh_secret_set_len(file, HEAD_SIZE + len);
  *ret_file = file;
  file = NULL;
  return KH_OK;
}

/* The passphrase is tried on what was made with it, as it will be when the file is opened. */
static kh_status read_openssl_back(const kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                                   kh_fault *ret_fault)
{
  return kh_keyfile_decrypt_openssl(&envelope->options, envelope->crypt, file,
                                    kh_secret_bytes(envelope->passphrase), ret_text, ret_fault);
}

static kh_status open_openssl(kh_envelope *envelope, kh_bytes file, kh_secret **ret_text,
                              kh_fault *ret_fault)
{
  return read_openssl_back(envelope, file, ret_text, ret_fault);
}

static kh_status make_openssl(const kh_envelope *envelope, kh_bytes text, kh_secret **ret_file,
                              kh_fault *ret_fault)
{
  return kh_keyfile_encrypt_openssl(&envelope->options, envelope->crypt, text,
                                    kh_secret_bytes(envelope->passphrase), ret_file, ret_fault);
}

static void hint_derivation(const kh_keyfile_options *options, const kh_log *log)
{
  kh_log_write(log, KH_LOG_HINT,
               "'%s' was tried with the passphrase%s, digest %s and %u iterations of PBKDF2 "
               "(0: without it); all three must be those of the 'openssl enc' command that made it "
               "(-pass, -md, -pbkdf2 -iter)",
               kh_show_path(options->path).text, options->passphrase == NULL ? " of filekey" : "",
               kh_digest_name(options->digest), options->pbkdf2_iterations);
}

static const kh_keyfile_format_functions functions = {
    .hides_wrong_passphrase = true,
    .knows = kh_keyfile_is_openssl,
    .open = open_openssl,
    .read_back = read_openssl_back,
    .make = make_openssl,
    .hint_what_was_tried = hint_derivation,
};

const kh_keyfile_format kh_keyfile_format_openssl = {
    .name = "openssl", .is_encrypted = true, .has_digest = true, .functions = &functions};
