/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: EVP_CipherUpdate EVP_CIPHER_CTX_new kh_wipe */
/* What the server is told when OpenSSL or a key source fails (calls are wrapped): one table or the
 * whole server. And that data keys are used, and wiped. */
#include <openssl/evp.h>
#include <string.h>

#include "keyhold/secret.h"
#include "reference.h"
#include "server/encryption.h"
#include "unit.h"
#include "wrap.h"

static bool failing;             /* both wrapped calls */
static uint8_t *data_key_buffer; /* where the adapter last asked for a data key */
static int data_key_wipes;       /* of that buffer, with a data key in it */

static bool call_fails(const char *name)
{
  (void)name;
  return failing;
}

WRAP(call_fails, int, EVP_CipherUpdate, 0,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *outl, const unsigned char *in, int inl),
     (ctx, out, outl, in, inl))
WRAP_EVP_CIPHER_CTX_NEW(call_fails)

WRAPS(kh_wipe);

void __wrap_kh_wipe(void *data, size_t len)
{
  if (data == data_key_buffer && len == KH_DATAKEY_STORED && data_key_buffer[0] != 0)
    data_key_wipes++;
  __real_kh_wipe(data, len);
}

static kh_cipher cipher_of(void *keys, uint32_t id, uint32_t version)
{
  (void)keys;
  (void)version;
  if (id > 2)
    return KH_CIPHER_UNSET;
  return id == 1 ? KH_CIPHER_AES_CBC : KH_CIPHER_AES_CTR;
}

static const kh_key_source source = {.cipher = cipher_of};

/* what data_key_of() answers, and what it was last asked for */
static kh_status data_key_status;
static int data_key_calls;
static uint32_t asked_id, asked_version;
static uint8_t asked_passed[KH_KEY_MAX];
static size_t asked_len;

static kh_cipher derived_cipher_of(void *keys, uint32_t id, uint32_t version)
{
  (void)keys;
  (void)version;
  return id == 1 ? KH_CIPHER_AES256_CBC : KH_CIPHER_AES256_CTR;
}

static void expected_data_key(uint8_t *key)
{
  for (size_t i = 0; i < KH_DATAKEY_STORED; i++)
    key[i] = (uint8_t)(0xa0 + i);
}

static kh_status data_key_of(void *keys, const kh_datakey *wanted, uint8_t *ret_key)
{
  (void)keys;
  data_key_calls++;
  asked_id = wanted->id;
  asked_version = wanted->version;
  asked_len = wanted->passed.len;
  memcpy(asked_passed, wanted->passed.data, wanted->passed.len);
  data_key_buffer = ret_key;
  expected_data_key(ret_key); /* also when it fails: the buffer must be wiped then too */
  return data_key_status;
}

static const kh_key_source derived_source = {.cipher = derived_cipher_of, .data_key = data_key_of};

/* a source that has only key id 1 version 1, and the misses that it was told */
static uint32_t missed_id, missed_version;
static int misses;

static kh_status latest_of_one(void *keys, uint32_t id, uint32_t *ret_version)
{
  (void)keys;
  *ret_version = 1;
  return id == 1 ? KH_OK : KH_E_KEY_NOT_FOUND;
}

static kh_status copy_of_one(void *keys, uint32_t id, uint32_t version, uint8_t *ret_key,
                             size_t room, size_t *ret_len)
{
  (void)keys;
  (void)ret_key;
  (void)room;
  *ret_len = 16;
  if (id == 3)
    return KH_E_CRYPTO;
  return id == 1 && version == 1 ? KH_OK : KH_E_KEY_NOT_FOUND;
}

static void note_miss(void *keys, uint32_t id, uint32_t version)
{
  (void)keys;
  missed_id = id;
  missed_version = version;
  misses++;
}

static const kh_key_source source_of_one = {.latest = latest_of_one,
                                            .copy = copy_of_one,
                                            .cipher = derived_cipher_of,
                                            .data_key = data_key_of,
                                            .miss = note_miss};

static int start_with(const kh_key_source *wanted)
{
  kh_crypt *crypt = NULL;
  assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &crypt), KH_OK);
  kh_encryption_start(wanted, NULL, crypt);
  data_key_status = KH_OK;
  data_key_calls = data_key_wipes = 0;
  data_key_buffer = NULL;
  return 0;
}

static int start(void **state)
{
  (void)state;
  return start_with(&source);
}

static int start_derived(void **state)
{
  (void)state;
  return start_with(&derived_source);
}

static int stop(void **state)
{
  (void)state;
  kh_encryption_stop();
  return 0;
}

/* crypts one message of 20 bytes; returns the first result that is not 0 */
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
  for (unsigned id = 1; id <= 2; id++) {
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), 0);
    failing = true;
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), -1);
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD | ENCRYPTION_FLAG_ENCRYPT), -101);
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_ENCRYPT), -101);
    failing = false;
    assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), 0);
  }
}

/* encrypts 40 bytes with a passed key of that length; returns the first result that is not 0 */
static int encrypt_40(unsigned id, int flags, size_t passed_len, uint8_t *out, unsigned *ret_len)
{
  _Alignas(16) unsigned char ctx[512];
  static const uint8_t in[40] = "in", passed[40] = "passed", iv[16] = "iv";
  unsigned made = 0;
  unsigned more = 0;
  int result = kh_encryption.crypt_ctx_init(ctx, passed, (unsigned)passed_len, iv, sizeof iv,
                                            flags | ENCRYPTION_FLAG_ENCRYPT, id, 7);
  if (result == 0)
    result = kh_encryption.crypt_ctx_update(ctx, in, sizeof in, out, &made);
  if (result == 0)
    result = kh_encryption.crypt_ctx_finish(ctx, out + made, &more);
  *ret_len = made + more;
  return result;
}

static void assert_made_with_data_key(reference_form form, const uint8_t *made, size_t len)
{
  static const uint8_t in[40] = "in", iv[16] = "iv";
  uint8_t key[KH_DATAKEY_STORED], expected[sizeof in + 16];
  expected_data_key(key);
  assert_int_equal(len, reference_encrypt(form, key, sizeof key, iv, in, sizeof in, expected));
  assert_memory_equal(made, expected, len);
}

static void a_derived_cipher_encrypts_with_the_data_key(void **state)
{
  (void)state;
  static const struct {
    unsigned id;
    int flags;
    reference_form form;
  } cases[] = {{1, 0, REFERENCE_CBC},
               {1, ENCRYPTION_FLAG_NOPAD, REFERENCE_CBC_NOPAD},
               {2, 0, REFERENCE_GCM},
               {2, ENCRYPTION_FLAG_NOPAD, REFERENCE_CTR}};
  for (size_t i = 0; i < COUNT(cases); i++)
    for (size_t passed_len = 16; passed_len <= 32; passed_len += 8) {
      uint8_t out[64];
      unsigned len = 0;
      assert_int_equal(encrypt_40(cases[i].id, cases[i].flags, passed_len, out, &len), 0);
      assert_made_with_data_key(cases[i].form, out, len);
      assert_int_equal(asked_id, cases[i].id);
      assert_int_equal(asked_version, 7);
      assert_int_equal(asked_len, passed_len);
      assert_memory_equal(asked_passed, "passed", 7);
    }
}

static void the_data_key_is_wiped(void **state)
{
  (void)state;
  uint8_t out[64];
  unsigned len = 0;
  assert_int_equal(encrypt_40(1, 0, 16, out, &len), 0);
  assert_int_equal(data_key_wipes, 1);
  data_key_status = KH_E_CRYPTO;
  assert_int_equal(encrypt_40(1, 0, 16, out, &len), -101);
  assert_int_equal(data_key_wipes, 2);
}

/* a missing version must not end the server */
static void a_missing_data_key_is_soft_when_a_page_is_read(void **state)
{
  (void)state;
  static const kh_status failures[] = {KH_E_KEY_NOT_FOUND, KH_E_CRYPTO, KH_E_NO_MEMORY};
  for (size_t i = 0; i < COUNT(failures); i++)
    for (unsigned id = 1; id <= 2; id++) {
      data_key_status = failures[i];
      assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), -1);
      assert_int_equal(crypt_one(id, 0), -101);
      assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD | ENCRYPTION_FLAG_ENCRYPT), -101);
      data_key_status = KH_OK;
      assert_int_equal(crypt_one(id, ENCRYPTION_FLAG_NOPAD), 0);
    }
}

static void a_passed_key_without_an_aes_length_is_refused(void **state)
{
  (void)state;
  uint8_t out[64];
  unsigned len = 0;
  for (size_t passed_len = 0; passed_len <= 40; passed_len++) {
    bool is_good = passed_len == 16 || passed_len == 24 || passed_len == 32;
    data_key_calls = 0;
    assert_int_equal(encrypt_40(2, ENCRYPTION_FLAG_NOPAD, passed_len, out, &len),
                     is_good ? 0 : -102);
    assert_int_equal(data_key_calls, is_good);
  }
}

static void a_data_key_does_not_change_the_length(void **state)
{
  (void)state;
  assert_int_equal(kh_encryption.encrypted_length(32, 1, 7), 48);
  assert_int_equal(kh_encryption.encrypted_length(32, 2, 7), 48);
  assert_int_equal(kh_encryption.encrypted_length(31, 1, 7), 32);
  assert_int_equal(kh_encryption.encrypted_length(31, 2, 7), 47);
  assert_int_equal(data_key_calls, 0);
}

static void assert_missed(int count, uint32_t id, uint32_t version)
{
  assert_int_equal(misses, count);
  assert_int_equal(missed_id, id);
  assert_int_equal(missed_version, version);
}

static void the_source_is_told_what_is_missing(void **state)
{
  (void)state;
  unsigned len = 0;
  start_with(&source_of_one);
  misses = 0;
  assert_int_equal(kh_encryption.get_latest_key_version(1), 1);
  assert_int_equal(kh_encryption.get_key(1, 1, NULL, &len), 0);
  assert_int_equal(misses, 0);
  assert_int_equal(kh_encryption.get_latest_key_version(2), ENCRYPTION_KEY_VERSION_INVALID);
  assert_missed(1, 2, 0);
  assert_int_equal(kh_encryption.get_key(1, 5, NULL, &len), ENCRYPTION_KEY_VERSION_INVALID);
  assert_missed(2, 1, 5);
  assert_int_equal(kh_encryption.get_key(3, 5, NULL, &len), ENCRYPTION_KEY_VERSION_INVALID);
  assert_missed(2, 1, 5); /* it failed, but not because the key does not exist */
  data_key_status = KH_E_KEY_NOT_FOUND;
  assert_int_equal(crypt_one(2, ENCRYPTION_FLAG_NOPAD), -1);
  assert_missed(3, 2, 1);
}

/* Encrypted with a guess of the cipher, it could never be read. */
static void a_version_without_a_cipher_is_refused(void **state)
{
  (void)state;
  static const kh_key_source with_misses = {.cipher = cipher_of, .miss = note_miss};
  start_with(&with_misses);
  misses = 0;
  assert_int_equal(crypt_one(1, ENCRYPTION_FLAG_NOPAD), 0);
  assert_int_equal(misses, 0);
  assert_int_equal(crypt_one(3, ENCRYPTION_FLAG_NOPAD), -1);
  assert_missed(1, 3, 1);
  assert_int_equal(crypt_one(4, ENCRYPTION_FLAG_NOPAD | ENCRYPTION_FLAG_ENCRYPT), -101);
  assert_int_equal(crypt_one(4, ENCRYPTION_FLAG_ENCRYPT), -101);
  assert_missed(3, 4, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_failure_while_a_page_is_read_is_soft, start, stop),
      cmocka_unit_test_setup_teardown(a_derived_cipher_encrypts_with_the_data_key, start_derived,
                                      stop),
      cmocka_unit_test_setup_teardown(the_data_key_is_wiped, start_derived, stop),
      cmocka_unit_test_setup_teardown(a_missing_data_key_is_soft_when_a_page_is_read, start_derived,
                                      stop),
      cmocka_unit_test_setup_teardown(a_passed_key_without_an_aes_length_is_refused, start_derived,
                                      stop),
      cmocka_unit_test_setup_teardown(a_data_key_does_not_change_the_length, start_derived, stop),
      cmocka_unit_test_teardown(the_source_is_told_what_is_missing, stop),
      cmocka_unit_test_teardown(a_version_without_a_cipher_is_refused, stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
