/* SPDX-License-Identifier: GPL-2.0-only */
#include <nettle/hmac.h>
#include <string.h>

#include "keyhold/hmac.h"
#include "reference.h"
#include "unit.h"

/* RFC 4231, test cases 1, 2, 6 and 7 */
static void published_vectors(void **state)
{
  (void)state;
  static const struct {
    uint8_t key_byte; /* repeated; 0: the key is "Jefe" */
    size_t key_len;
    const char *message, *mac;
  } vectors[] = {
      {0x0b, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {0, 4, "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {0xaa, 131,
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (size_t i = 0; i < COUNT(vectors); i++) {
    uint8_t key[131], mac[KH_HMAC_SHA256_SIZE], expected[KH_HMAC_SHA256_SIZE];
    memset(key, vectors[i].key_byte, sizeof key);
    if (vectors[i].key_byte == 0)
      memcpy(key, "Jefe", 4);
    kh_bytes message = bytes_of(vectors[i].message);
    kh_hmac_sha256((kh_bytes){key, vectors[i].key_len}, message, mac);
    assert_int_equal(test_unhex(vectors[i].mac, expected), sizeof expected);
    assert_memory_equal(mac, expected, sizeof mac);
  }
}

static void keys_and_messages_of_every_length(void **state)
{
  (void)state;
  uint8_t data[300], mac[KH_HMAC_SHA256_SIZE], expected[KH_HMAC_SHA256_SIZE];
  uint32_t seed = 7;
  test_random_bytes(&seed, data, sizeof data);
  for (size_t len = 0; len <= 150; len++) {
    struct hmac_sha256_ctx ctx;
    hmac_sha256_set_key(&ctx, len, data);
    hmac_sha256_update(&ctx, 150 - len, data + 150);
    hmac_sha256_digest(&ctx, sizeof expected, expected);
    kh_hmac_sha256((kh_bytes){data, len}, (kh_bytes){data + 150, 150 - len}, mac);
    assert_memory_equal(mac, expected, sizeof mac);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors),
      cmocka_unit_test(keys_and_messages_of_every_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
