/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: calloc sodium_malloc sodium_init EVP_MD_fetch PKCS5_PBKDF2_HMAC crypto_pwhash_argon2id */
/* Each call of memory and of the libraries that may fail does so in turn. */
#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "calls.h"
#include "sealed.h"
#include "unit.h"
#include "wrap.h"

WRAP_CALLOC(calls_strike)
WRAP_SODIUM_MALLOC(calls_strike)
WRAP_SODIUM_INIT(calls_strike)
WRAP_EVP_MD_FETCH(calls_strike)
WRAP(calls_strike, int, PKCS5_PBKDF2_HMAC, 0,
     (const char *pass, int pass_len, const unsigned char *salt, int salt_len, int iterations,
      const EVP_MD *md, int len, unsigned char *out),
     (pass, pass_len, salt, salt_len, iterations, md, len, out))
WRAP(calls_strike, int, crypto_pwhash_argon2id, -1,
     (unsigned char *const out, unsigned long long len, const char *const pass,
      unsigned long long pass_len, const unsigned char *const salt, unsigned long long passes,
      size_t memory, int algorithm),
     (out, len, pass, pass_len, salt, passes, memory, algorithm))

static kh_status make(kh_secret **ret_made, kh_fault *ret_fault)
{
  kh_sealed_entry entries[] = {sealed_entry("one", &kh_sealed_argon2id, "first"),
                               sealed_entry("two", &kh_sealed_pbkdf2_hmac_sha512, "second")};
  return sealed_make(bytes_of(sealed_original_text), entries, 2, ret_made, ret_fault);
}

static kh_status open_it(kh_secret **ret_made, kh_fault *ret_fault)
{
  return sealed_open_with(kh_secret_bytes(sealed_original), bytes_of("second"), ret_made, NULL,
                          ret_fault);
}

static kh_status replace_text(kh_secret **ret_made, kh_fault *ret_fault)
{
  return sealed_replace_text(kh_secret_bytes(sealed_original), bytes_of("second"), bytes_of("x"),
                             ret_made, ret_fault);
}

static kh_status add_slot(kh_secret **ret_made, kh_fault *ret_fault)
{
  kh_sealed_entry added = sealed_entry("three", &kh_sealed_pbkdf2_hmac_sha512, "third");
  return sealed_add_slot(kh_secret_bytes(sealed_original), bytes_of("first"), &added, ret_made,
                         ret_fault);
}

static kh_status change_slot(kh_secret **ret_made, kh_fault *ret_fault)
{
  kh_sealed_entry changed = sealed_entry("one", &kh_sealed_argon2id, "third");
  return sealed_change_slot(kh_secret_bytes(sealed_original), bytes_of("second"), &changed,
                            ret_made, ret_fault);
}

static kh_status remove_slot(kh_secret **ret_made, kh_fault *ret_fault)
{
  return sealed_remove_slot(kh_secret_bytes(sealed_original), bytes_of("first"), "two", ret_made,
                            ret_fault);
}

static void each_call_fails_in_turn(void **state)
{
  (void)state;
  static kh_status (*const works[])(kh_secret * *ret_made, kh_fault * ret_fault) = {
      make, open_it, replace_text, add_slot, change_slot, remove_slot};
  for (size_t i = 0; i < COUNT(works); i++) {
    kh_secret *made = NULL;
    unsigned at = 0;
    kh_status status;
    do {
      kh_fault fault = {.status = KH_OK};
      at++;
      test_calls = (calls){.armed = true, .at = at, .error = at % 2 != 0 ? ENOMEM : EIO};
      status = works[i](&made, &fault);
      test_calls.armed = false;
      assert_int_equal(fault.status, status);
      assert_int_equal(status == KH_OK, made != NULL);
      assert_true(status == KH_OK || status == KH_E_NO_MEMORY || status == KH_E_CRYPTO);
      if (status != KH_OK)
        assert_string_equal(fault.path.text, SEALED_PATH);
    } while (status != KH_OK);
    assert_in_range(at, 10, 60); /* each was reported as what it is */
    assert_int_equal(test_calls.made, at - 1);
    kh_secret_free(&made);
  }
}

/* a lack of memory is not a wrong passphrase, even if another slot could be tried */
static void a_lack_of_memory_is_not_a_wrong_passphrase(void **state)
{
  (void)state;
  kh_secret *text = NULL;
  test_calls = (calls){.armed = true, .at = 1, .only = "crypto_pwhash_argon2id", .error = ENOMEM};
  assert_int_equal(open_it(&text, NULL), KH_E_NO_MEMORY);
  test_calls.armed = false;
  assert_null(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_call_fails_in_turn),
      cmocka_unit_test(a_lack_of_memory_is_not_a_wrong_passphrase),
  };
  return cmocka_run_group_tests(tests, sealed_make_original, sealed_free_original);
}
