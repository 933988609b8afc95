/* SPDX-License-Identifier: GPL-2.0-only */
/* What the server is told when OpenSSL fails (its calls are wrapped, see CMakeLists.txt): one table
 * or the whole server. */
#include <openssl/evp.h>

#include "server/encryption.h"
#include "unit.h"

static int failing;

int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl)
{
  return failing ? 0 : __real_EVP_CipherUpdate(ctx, out, outl, in, inl);
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
  return failing ? NULL : __real_EVP_CIPHER_CTX_new();
}

static kh_cipher cipher_of(void *keys, uint32_t id, uint32_t version)
{
  (void)keys;
  (void)version;
  return id == 1 ? KH_CIPHER_AES_CBC : KH_CIPHER_AES_CTR;
}

static const kh_key_source source = {.cipher = cipher_of};

/* one message of 20 bytes; the first answer that is not 0 */
static int crypt_one(unsigned id, int flags)
{
  _Alignas(16) unsigned char ctx[512];
  static const unsigned char in[20], key[16], iv[16];
  unsigned char out[64];
  unsigned made = 99;
  unsigned more = 99;
  int init = kh_encryption.crypt_ctx_init(ctx, key, sizeof key, iv, sizeof iv, flags, id, 1);
  if (init != 0)
    return init;
  int update = kh_encryption.crypt_ctx_update(ctx, in, sizeof in, out, &made);
  int finish = kh_encryption.crypt_ctx_finish(ctx, out + made, &more);
  assert_true(update == 0 || made == 0);
  assert_true(finish == 0 || more == 0);
  return update != 0 ? update : finish;
}

/* -1 fails one table; any other number from reading a page aborts the server */
static void a_failure_while_a_page_is_read_is_soft(void **state)
{
  (void)state;
  kh_crypt *crypt = NULL;
  assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &crypt), KH_OK);
  kh_encryption_start(&source, NULL, crypt);
  for (unsigned id = 1; id <= 2; id++) {
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), 0);
    failing = 1;
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), -1);
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD | ENCRYPTION_FLAG_ENCRYPT), -101);
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_ENCRYPT), -101);
    failing = 0;
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), 0);
  }
  kh_encryption_stop();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_failure_while_a_page_is_read_is_soft)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
