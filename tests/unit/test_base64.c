/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "keyhold/base64.h"
#include "reference.h"
#include "unit.h"

/* RFC 4648, 10 */
static const struct {
  const char *data, *text;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};

static bool decode(const char *text, uint8_t *ret_data, size_t *ret_len)
{
  return kh_base64_decode(bytes_of(text), ret_data, ret_len);
}

static void published_vectors(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(vectors); i++) {
    uint8_t text[16], data[16];
    size_t len = strlen(vectors[i].data);
    kh_base64_encode((kh_bytes){(const uint8_t *)vectors[i].data, len}, text);
    assert_string_equal((const char *)text, vectors[i].text);
    assert_int_equal(kh_base64_length(len), strlen(vectors[i].text));
    assert_true(decode(vectors[i].text, data, &len));
    assert_int_equal(len, strlen(vectors[i].data));
    assert_memory_equal(data, vectors[i].data, len);
  }
}

static void every_byte_in_every_place(void **state)
{
  (void)state;
  for (unsigned i = 0; i < 3 * 256; i++) {
    uint8_t data[3] = {1, 2, 3}, text[5], back[3];
    size_t len = 0;
    data[i / 256] = (uint8_t)i;
    kh_base64_encode((kh_bytes){data, 3}, text);
    assert_true(decode((const char *)text, back, &len));
    assert_int_equal(len, 3);
    assert_memory_equal(back, data, 3);
  }
}

/* of all texts of four characters that decode, each is what its bytes are written as */
static void one_spelling_only(void **state)
{
  (void)state;
  static const char characters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n\r\t.";
  size_t count = sizeof characters - 1;
  for (size_t i = 0; i < count * count * count; i++) {
    char text[5] = {'Q', characters[i % count], characters[i / count % count],
                    characters[i / count / count], '\0'};
    uint8_t data[4], again[5];
    size_t len = 0;
    if (!decode(text, data, &len))
      continue;
    kh_base64_encode((kh_bytes){data, len}, again);
    assert_string_equal((const char *)again, text);
  }
}

static void other_texts_are_refused(void **state)
{
  (void)state;
  static const char *const texts[] = {"Z",     "Zg",     "Zg=",  "Zg===",     "Zh==",  "Zm9=",
                                      "Zm9v=", "=",      "====", "Zg==Zg==",  "Zm9v ", " Zm9v",
                                      "Zm 9v", "Zm9v\n", "Zm-v", "Zm9vZm9v=", "Zm_v"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    uint8_t data[16];
    size_t len = 77;
    if (decode(texts[i], data, &len))
      fail_msg("'%s' was taken", texts[i]);
    assert_int_equal(len, 77);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors),
      cmocka_unit_test(every_byte_in_every_place),
      cmocka_unit_test(one_spelling_only),
      cmocka_unit_test(other_texts_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
