/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: EVP_Q_digest */
#include <openssl/evp.h>
#include <string.h>

#include "keyhold/md5.h"
#include "reference.h"
#include "unit.h"
#include "wrap.h"

static int fails;

WRAPS(EVP_Q_digest);

int __wrap_EVP_Q_digest(OSSL_LIB_CTX *lib, const char *name, const char *properties,
                        const void *data, size_t len, unsigned char *md, size_t *md_len)
{
  return fails ? 0 : __real_EVP_Q_digest(lib, name, properties, data, len, md, md_len);
}

/* RFC 1321, appendix A.5 */
static void published_vectors(void **state)
{
  (void)state;
  static const struct {
    const char *text, *digest;
  } vectors[] = {
      {"", "d41d8cd98f00b204e9800998ecf8427e"},
      {"a", "0cc175b9c0f1b6a831c399e269772661"},
      {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
      {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
       "57edf4a22be3c955ac49da2e2107b67a"},
  };
  for (size_t i = 0; i < COUNT(vectors); i++) {
    uint8_t digest[KH_MD5_SIZE], expected[KH_MD5_SIZE];
    kh_bytes text = bytes_of(vectors[i].text);
    assert_int_equal(test_unhex(vectors[i].digest, expected), KH_MD5_SIZE);
    assert_int_equal(kh_md5(text, digest), KH_OK);
    assert_memory_equal(digest, expected, KH_MD5_SIZE);
  }
}

static void without_md5_in_openssl(void **state)
{
  (void)state;
  uint8_t digest[KH_MD5_SIZE];
  fails = 1;
  assert_int_equal(kh_md5((kh_bytes){NULL, 0}, digest), KH_E_CRYPTO);
  fails = 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors),
      cmocka_unit_test(without_md5_in_openssl),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
