/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole key file, loaded as the plugin does. The first bytes of the input choose digest,
 * iterations, whether the rest is the file itself or the text that is encrypted into one, and which
 * call of a library fails.
 */
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "keyhold/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int calls_to_failure = -1; /* -1: none fails */

static int fails(void)
{
  return calls_to_failure >= 0 && calls_to_failure-- == 0;
}

void *__real_sodium_malloc(size_t size);
void *__wrap_sodium_malloc(size_t size);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
int __real_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[]);
int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[]);
EVP_MD *__real_EVP_MD_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties);
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties);
ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);

void *__wrap_sodium_malloc(size_t size)
{
  return fails() ? NULL : __real_sodium_malloc(size);
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
  return fails() ? NULL : __real_EVP_CIPHER_CTX_new();
}

int __wrap_EVP_CipherInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
                              const unsigned char *key, const unsigned char *iv, int enc,
                              const OSSL_PARAM params[])
{
  return fails() ? 0 : __real_EVP_CipherInit_ex2(ctx, cipher, key, iv, enc, params);
}

EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *lib, const char *name, const char *properties)
{
  return fails() ? NULL : __real_EVP_MD_fetch(lib, name, properties);
}

ssize_t __wrap_read(int fd, void *data, size_t size)
{
  return fails() ? -1 : __real_read(fd, data, size);
}

/* Encrypts a text as `openssl enc` would, under the passphrase "p". Gives the container's length.
 */
static size_t wrap(const kh_crypt *crypt, const kh_keyfile_options *options, kh_bytes text,
                   uint8_t *container)
{
  kh_secret *derived = NULL;
  size_t len = 0;
  memcpy(container, "Salted__saltsalt", 16);
  MUST(kh_secret_new(KH_KDF_OPENSSL_ENC_SIZE, &derived) == KH_OK);
  MUST(kh_kdf_openssl_enc((kh_bytes){(const uint8_t *)"p", 1}, container + 8, options->digest,
                          options->pbkdf2_iterations, derived) == KH_OK);
  const uint8_t *both = kh_secret_bytes(derived).data;
  kh_crypt_key key = {{both, 32}, {both + 32, 16}};
  MUST(kh_crypt_once(crypt, KH_CIPHER_AES_CBC, KH_CRYPT_ENCRYPT, &key, text, container + 16,
                     &len) == KH_OK);
  kh_secret_free(&derived);
  return 16 + len;
}

static void load(const kh_crypt *crypt, const kh_keyfile_options *options, kh_bytes file)
{
  static int fd = -1;
  static char path[32];
  if (fd < 0) {
    fd = memfd_create("fuzz", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  }
  MUST(ftruncate(fd, 0) == 0 && pwrite(fd, file.data, file.len, 0) == (ssize_t)file.len);
  KH_AUTO_KEYLIST list = NULL;
  kh_fault fault = {0};
  kh_keyfile_options with_path = *options;
  with_path.path = path;
  kh_status status = kh_keyfile_load(&with_path, crypt, NULL, &list, NULL, &fault);
  check_outcome(status, list, &fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static kh_crypt *crypt;
  static uint8_t container[1 << 17];
  if (size < 2 || size > (1 << 16))
    return -1;
  calls_to_failure = -1;
  if (crypt == NULL)
    MUST(kh_crypt_new(KH_ENGINE_AUTO, &crypt) == KH_OK);
  kh_keyfile_options options = {
      .filekey = (data[0] & 1) != 0 ? "p" : NULL,
      .digest = (kh_digest)(data[0] / 8 % KH_DIGEST_COUNT),
      .pbkdf2_iterations = (data[0] & 2) != 0 ? 1 : 0,
  };
  kh_bytes file = {data + 2, size - 2};
  if ((data[0] & 4) != 0)
    file = (kh_bytes){container, wrap(crypt, &options, file, container)};
  calls_to_failure = data[1] < 16 ? data[1] : -1;
  load(crypt, &options, file);
  calls_to_failure = -1;
  return 0;
}
