/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/aead.h"
#include "reference.h"
#include "unit.h"

static const char plain[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one "
    "tip for the future, sunscreen would be it.";
enum { PLAIN = sizeof plain - 1, SEALED = PLAIN + KH_AEAD_TAG_SIZE };

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static const char published[] =
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e"
    "39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3"
    "fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";

struct vector {
  uint8_t key[KH_AEAD_KEY_SIZE], nonce[KH_AEAD_NONCE_SIZE], bound[12], sealed[SEALED];
};

static struct vector published_vector(void)
{
  struct vector vector;
  for (size_t i = 0; i < sizeof vector.key; i++)
    vector.key[i] = (uint8_t)(0x80 + i);
  for (size_t i = 0; i < sizeof vector.nonce; i++)
    vector.nonce[i] = (uint8_t)(0x40 + i);
  assert_int_equal(test_unhex("50515253c0c1c2c3c4c5c6c7", vector.bound), sizeof vector.bound);
  assert_int_equal(test_unhex(published, vector.sealed), SEALED);
  return vector;
}

static kh_aead_input input_of(const struct vector *vector)
{
  return (kh_aead_input){vector->key, vector->nonce, {vector->bound, sizeof vector->bound}};
}

static bool opens(const struct vector *vector, size_t len)
{
  kh_aead_input input = input_of(vector);
  uint8_t text[SEALED];
  memset(text, 0x55, sizeof text);
  bool opened = kh_aead_open(&input, (kh_bytes){vector->sealed, len}, text);
  if (opened)
    assert_memory_equal(text, plain, PLAIN);
  else if (len >= KH_AEAD_TAG_SIZE)
    assert_memory_equal(text, (uint8_t[PLAIN]){0}, len - KH_AEAD_TAG_SIZE);
  return opened;
}

static void a_published_vector(void **state)
{
  (void)state;
  struct vector vector = published_vector();
  kh_aead_input input = input_of(&vector);
  uint8_t sealed[SEALED];
  kh_aead_seal(&input, (kh_bytes){(const uint8_t *)plain, PLAIN}, sealed);
  assert_memory_equal(sealed, vector.sealed, SEALED);
  assert_true(opens(&vector, SEALED));
}

static void it_works_in_place(void **state)
{
  (void)state;
  struct vector vector = published_vector();
  kh_aead_input input = input_of(&vector);
  uint8_t data[SEALED];
  memcpy(data, plain, PLAIN);
  kh_aead_seal(&input, (kh_bytes){data, PLAIN}, data);
  assert_memory_equal(data, vector.sealed, SEALED);
  assert_true(kh_aead_open(&input, (kh_bytes){data, SEALED}, data));
  assert_memory_equal(data, plain, PLAIN);
}

static void every_change_is_noticed(void **state)
{
  (void)state;
  struct vector vector = published_vector();
  uint8_t *bytes = (uint8_t *)&vector;
  for (size_t bit = 0; bit < 8 * sizeof vector; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    assert_false(opens(&vector, SEALED));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  assert_true(opens(&vector, SEALED));
}

static void a_shorter_message_does_not_open(void **state)
{
  (void)state;
  struct vector vector = published_vector();
  for (size_t len = 0; len < SEALED; len++)
    assert_false(opens(&vector, len));
}

static void no_text_has_a_tag_too(void **state)
{
  (void)state;
  struct vector vector = published_vector();
  kh_aead_input input = input_of(&vector);
  uint8_t tag[KH_AEAD_TAG_SIZE];
  uint8_t none[1];
  kh_aead_seal(&input, (kh_bytes){NULL, 0}, tag);
  assert_true(kh_aead_open(&input, (kh_bytes){tag, sizeof tag}, none));
  tag[0] ^= 1;
  assert_false(kh_aead_open(&input, (kh_bytes){tag, sizeof tag}, none));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_published_vector),      cmocka_unit_test(it_works_in_place),
      cmocka_unit_test(every_change_is_noticed), cmocka_unit_test(a_shorter_message_does_not_open),
      cmocka_unit_test(no_text_has_a_tag_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
