/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/sha256.h"
#include "reference.h"
#include "unit.h"

/* FIPS 180-4: the examples of one block and of two, and the empty message */
static void published_vectors(void **state)
{
  (void)state;
  static const struct {
    const char *message, *digest;
  } vectors[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  for (size_t i = 0; i < COUNT(vectors); i++) {
    uint8_t digest[KH_SHA256_SIZE], expected[KH_SHA256_SIZE];
    kh_sha256(bytes_of(vectors[i].message), digest);
    assert_int_equal(test_unhex(vectors[i].digest, expected), sizeof expected);
    assert_memory_equal(digest, expected, sizeof digest);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(published_vectors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
