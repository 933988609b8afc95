/* SPDX-License-Identifier: GPL-2.0-only */
/* needs: openssl */
/* slow: derives keys with many iterations */
/* Containers are made by the openssl command, as users make them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keyfile/envelope.h"
#include "engines.h"
#include "files.h"
#include "keyhold/file.h"
#include "keyhold/keyfile_openssl.h"
#include "unit.h"

static kh_secret *container_of(const char *text, const char *passphrase, const char *options)
{
  kh_secret *file = NULL;
  const char *pw = test_text("pw", passphrase, 0600);
  const char *plain = test_text("plain", text, 0600);
  const char *enc = test_path("enc");
  test_run("openssl enc -aes-256-cbc %s -pass file:'%s' -in '%s' -out '%s' 2>/dev/null", options,
           pw, plain, enc);
  assert_int_equal(kh_file_read(enc, KH_KEYFILE_MAX, KH_FILE_REGULAR, &file, NULL, NULL), KH_OK);
  return file;
}

static kh_status decrypt(const kh_secret *file, const char *passphrase, kh_digest digest,
                         uint32_t iterations, kh_secret **text)
{
  kh_keyfile_options options = {.path = "enc", .digest = digest, .pbkdf2_iterations = iterations};
  kh_bytes pw = bytes_of(passphrase);
  return kh_keyfile_decrypt_openssl(&options, test_engines, kh_secret_bytes(file), pw, text, NULL);
}

static void every_digest_with_and_without_pbkdf2(void **state)
{
  (void)state;
  static const uint32_t iterations[] = {0, 1, 1000, 10000};
  for (int digest = 0; digest < KH_DIGEST_COUNT; digest++) {
    for (size_t i = 0; i < COUNT(iterations); i++) {
      char options[64];
      if (iterations[i] == 0)
        snprintf(options, sizeof options, "-md %s", kh_digest_name((kh_digest)digest));
      else
        snprintf(options, sizeof options, "-md %s -pbkdf2 -iter %u",
                 kh_digest_name((kh_digest)digest), iterations[i]);
      kh_secret *file = container_of("some text", "p4ss phrase", options);
      kh_secret *text = NULL;
      assert_true(kh_keyfile_is_openssl(kh_secret_bytes(file)));
      assert_int_equal(decrypt(file, "p4ss phrase", (kh_digest)digest, iterations[i], &text),
                       KH_OK);
      assert_int_equal(kh_secret_bytes(text).len, 9);
      assert_memory_equal(kh_secret_bytes(text).data, "some text", 9);
      kh_secret_free(&text);
      kh_secret_free(&file);
    }
  }
}

static void texts_of_every_length_around_a_block(void **state)
{
  (void)state;
  char plain[40] = "";
  for (size_t len = 0; len < 34; len++) {
    kh_secret *file = container_of(plain, "x", "-md sha1");
    kh_secret *text = NULL;
    assert_int_equal(decrypt(file, "x", KH_DIGEST_SHA1, 0, &text), KH_OK);
    assert_int_equal(kh_secret_bytes(text).len, len);
    kh_secret_free(&text);
    kh_secret_free(&file);
    plain[len] = 'a';
    plain[len + 1] = '\0';
  }
}

static void an_empty_passphrase(void **state)
{
  (void)state;
  kh_secret *file = container_of("some text", "\n", "-md sha256");
  kh_secret *text = NULL;
  assert_int_equal(decrypt(file, "", KH_DIGEST_SHA256, 0, &text), KH_OK);
  assert_memory_equal(kh_secret_bytes(text).data, "some text", 9);
  kh_secret_free(&text);
  kh_secret_free(&file);
}

/* the format has no integrity check: about one of 256 wrong passphrases is not noticed */
static void most_wrong_passphrases_are_seen(void **state)
{
  (void)state;
  kh_secret *file = container_of("some text", "right", "-md sha1");
  unsigned unseen = 0;
  for (unsigned i = 0; i < 512; i++) {
    char wrong[16];
    kh_secret *text = NULL;
    snprintf(wrong, sizeof wrong, "wrong%u", i);
    kh_status status = decrypt(file, wrong, KH_DIGEST_SHA1, 0, &text);
    if (status == KH_OK)
      unseen++;
    else
      assert_int_equal(status, KH_E_WRONG_PASSPHRASE);
    assert_int_equal(status == KH_OK, text != NULL);
    kh_secret_free(&text);
  }
  assert_true(unseen < 30);
  kh_secret_free(&file);
}

/* right or wrong, the key that was derived from the passphrase must not stay among the cached
 * schedules */
static void the_key_of_the_file_is_not_kept(void **state)
{
  (void)state;
  kh_secret *file = container_of("some text", "right", "-md sha1");
  kh_secret *text = NULL;
  assert_int_equal(decrypt(file, "right", KH_DIGEST_SHA1, 0, &text), KH_OK);
  assert_int_equal(kh_crypt_thread_count(test_engines), 0);
  kh_secret_free(&text);
  kh_status ignored = decrypt(file, "wrong", KH_DIGEST_SHA1, 0, &text);
  (void)ignored;
  assert_int_equal(kh_crypt_thread_count(test_engines), 0);
  kh_secret_free(&text);
  kh_secret_free(&file);
}

static kh_secret *encrypt(kh_bytes text, const char *passphrase, kh_digest digest,
                          uint32_t iterations)
{
  kh_keyfile_options options = {.path = "enc", .digest = digest, .pbkdf2_iterations = iterations};
  kh_secret *file = NULL;
  assert_int_equal(
      kh_keyfile_encrypt_openssl(&options, test_engines, text, bytes_of(passphrase), &file, NULL),
      KH_OK);
  return file;
}

static void the_openssl_command_opens_what_was_encrypted(void **state)
{
  (void)state;
  static const uint32_t iterations[] = {0, 1, 1000};
  static const kh_bytes text = {(const uint8_t *)"some text", 9};
  for (int digest = 0; digest < KH_DIGEST_MD5; digest++) {
    for (size_t i = 0; i < COUNT(iterations); i++) {
      char pbkdf2[64] = "";
      if (iterations[i] != 0)
        snprintf(pbkdf2, sizeof pbkdf2, "-pbkdf2 -iter %u", iterations[i]);
      kh_secret *file = encrypt(text, "p4ss phrase", (kh_digest)digest, iterations[i]);
      kh_bytes bytes = kh_secret_bytes(file);
      test_run("test \"$(openssl enc -d -aes-256-cbc -md %s %s -pass 'pass:p4ss phrase' -in '%s' "
               "2>/dev/null)\" = 'some text'",
               kh_digest_name((kh_digest)digest), pbkdf2,
               test_file("made", bytes.data, bytes.len, 0600));
      kh_secret_free(&file);
    }
  }
}

static void nothing_is_encrypted_with_md5(void **state)
{
  (void)state;
  KH_AUTO_ENVELOPE envelope = {
      .format = &kh_keyfile_format_openssl,
      .options = {.path = "enc", .digest = KH_DIGEST_MD5, .pbkdf2_iterations = 7},
      .crypt = test_engines};
  kh_bytes passphrase = bytes_of("secret");
  kh_secret *file = NULL;
  kh_fault fault = {0};
  assert_int_equal(kh_keyfile_encrypt_openssl(&envelope.options, test_engines, passphrase,
                                              passphrase, &file, &fault),
                   KH_E_DIGEST_READ_ONLY);
  assert_null(file);
  assert_int_equal(fault.size, 7);
  assert_int_equal(kh_envelope_set_passphrase(&envelope, &passphrase), KH_OK);
  assert_int_equal(kh_envelope_prepare(&envelope, &fault), KH_E_DIGEST_READ_ONLY);
  assert_int_equal(fault.status, KH_E_DIGEST_READ_ONLY);
  assert_null(envelope.prepared);
}

static void base64_by_openssl_is_read(void **state)
{
  (void)state;
  static const char *const options[] = {"-a -md sha1", "-a -A -md sha1"};
  char plain[300] = "";
  for (size_t len = 0; len < sizeof plain - 1; len += 7)
    for (size_t i = 0; i < COUNT(options); i++) {
      memset(plain, 'a', len);
      kh_secret *file = container_of(plain, "x", options[i]);
      kh_secret *text = NULL;
      assert_true(kh_keyfile_is_openssl(kh_secret_bytes(file)));
      assert_memory_equal(kh_secret_bytes(file).data, "U2FsdGVkX1", 10);
      assert_int_equal(decrypt(file, "x", KH_DIGEST_SHA1, 0, &text), KH_OK);
      assert_int_equal(kh_secret_bytes(text).len, len);
      kh_secret_free(&text);
      kh_secret_free(&file);
    }
}

static void base64_that_is_damaged(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    kh_status status;
  } files[] = {
      {"U2FsdGVkX18xMjM0NTY3ODEyMzQ1Njc4MTIzNDU2Nzg=\n", KH_E_WRONG_PASSPHRASE},
      {"U2FsdGVkX18xMjM0NTY3ODEyMzQ1Njc4MTIzNDU2Nzg\n", KH_E_CONTAINER_ARMOUR},
      {"U2FsdGVkX18xMjM0NTY3ODEyMzQ1!jc4MTIzNDU2Nzg=\n", KH_E_CONTAINER_ARMOUR},
      {"U2FsdGVkX18xMjM0NTY3ODEyMzQ1Njc4MTIzNDU2\n", KH_E_CONTAINER_SIZE},
      {"U2FsdGVkX18xMjM0NTY3ODEyMzQ1Njc4MTIzNDU2Nzg5\r\n", KH_E_CONTAINER_CIPHER},
  };
  kh_keyfile_options options = {.path = "enc"};
  for (size_t i = 0; i < COUNT(files); i++) {
    kh_secret *text = NULL;
    kh_fault fault = {0};
    kh_bytes file = bytes_of(files[i].text);
    print_message("  %zu\n", i);
    assert_true(kh_keyfile_is_openssl(file));
    assert_int_equal(
        kh_keyfile_decrypt_openssl(&options, test_engines, file, bytes_of("x"), &text, &fault),
        files[i].status);
    assert_int_equal(fault.status, files[i].status);
  }
}

/* A file that was read in base64 is written in base64, which openssl reads. */
static void base64_is_kept(void **state)
{
  (void)state;
  KH_AUTO_ENVELOPE envelope = {
      .format = &kh_keyfile_format_openssl, .options = {.path = "enc"}, .crypt = test_engines};
  KH_AUTO_ENVELOPE clone = {.format = NULL};
  KH_AUTO_SECRET text = NULL;
  KH_AUTO_SECRET made = NULL;
  KH_AUTO_SECRET back = NULL;
  KH_AUTO_SECRET file = container_of("some text that is longer than a line of base64 can be, so "
                                     "that there are two of them at the least",
                                     "secret", "-a -md sha1");
  const kh_keyfile_format_functions *functions = envelope.format->functions;
  kh_bytes passphrase = bytes_of("secret");
  assert_int_equal(kh_envelope_set_passphrase(&envelope, &passphrase), KH_OK);
  assert_int_equal(functions->open(&envelope, kh_secret_bytes(file), &text, NULL), KH_OK);
  assert_int_equal(kh_envelope_clone(&envelope, &clone), KH_OK);
  assert_true(clone.is_armoured);
  assert_int_equal(kh_envelope_prepare(&envelope, NULL), KH_OK);
  assert_int_equal(functions->make(&envelope, kh_secret_bytes(text), &made, NULL), KH_OK);
  assert_int_equal(functions->read_back(&envelope, kh_secret_bytes(made), &back, NULL), KH_OK);
  assert_memory_equal(kh_secret_bytes(back).data, kh_secret_bytes(text).data,
                      kh_secret_bytes(text).len);
  kh_bytes bytes = kh_secret_bytes(made);
  test_run("test \"$(openssl enc -d -a -aes-256-cbc -md sha1 -pass pass:secret -in '%s' "
           "2>/dev/null | head -c 9)\" = 'some text'",
           test_file("made", bytes.data, bytes.len, 0600));
  /* one that was not read so is not written so, and not read back */
  envelope.is_armoured = false;
  kh_secret_free(&back);
  assert_int_equal(functions->read_back(&envelope, kh_secret_bytes(made), &back, NULL),
                   KH_E_WRONG_PASSPHRASE);
}

static void texts_of_every_length_come_back(void **state)
{
  (void)state;
  static const uint8_t plain[70] = "0123456789abcdef\0line\r\n";
  static const char *const passphrases[] = {"x", ""};
  for (size_t len = 0; len <= sizeof plain; len++) {
    const char *passphrase = passphrases[len % 2];
    kh_secret *file = encrypt((kh_bytes){plain, len}, passphrase, KH_DIGEST_SHA1, 0);
    kh_secret *text = NULL;
    assert_int_equal(kh_secret_bytes(file).len, 16 + (len / 16 + 1) * 16);
    assert_true(kh_keyfile_is_openssl(kh_secret_bytes(file)));
    assert_int_equal(decrypt(file, passphrase, KH_DIGEST_SHA1, 0, &text), KH_OK);
    assert_int_equal(kh_secret_bytes(text).len, len);
    assert_memory_equal(kh_secret_bytes(text).data, plain, len);
    kh_secret_free(&text);
    kh_secret_free(&file);
  }
}

static void every_container_has_a_salt_of_its_own(void **state)
{
  (void)state;
  enum { FILES = 8, HEAD = 16 };
  uint8_t heads[FILES][HEAD];
  for (size_t i = 0; i < FILES; i++) {
    kh_secret *file = encrypt((kh_bytes){heads[0], 0}, "x", KH_DIGEST_SHA1, 0);
    memcpy(heads[i], kh_secret_bytes(file).data, HEAD);
    kh_secret_free(&file);
    for (size_t k = 0; k < i; k++)
      assert_memory_not_equal(heads[i], heads[k], HEAD);
  }
}

static void the_key_of_a_new_file_is_not_kept(void **state)
{
  (void)state;
  kh_secret *file = encrypt((kh_bytes){(const uint8_t *)"x", 1}, "x", KH_DIGEST_SHA1, 0);
  assert_int_equal(kh_crypt_thread_count(test_engines), 0);
  kh_secret_free(&file);
}

static void a_derivation_that_fails_gives_no_file(void **state)
{
  (void)state;
  kh_keyfile_options options = {.path = "enc", .pbkdf2_iterations = UINT32_MAX};
  kh_secret *file = NULL;
  kh_fault fault = {0};
  assert_int_equal(kh_keyfile_encrypt_openssl(&options, test_engines, (kh_bytes){NULL, 0},
                                              (kh_bytes){NULL, 0}, &file, &fault),
                   KH_E_CRYPTO);
  assert_int_equal(fault.status, KH_E_CRYPTO);
  assert_string_equal(fault.path.text, "enc");
  assert_null(file);
}

static void what_is_a_container(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    int is;
  } files[] = {{"", 0},
               {"Salted_", 0},
               {"Salted__", 0},
               {"Salted__x", 1},
               {"salted__x", 0},
               {"1;Salted__x", 0},
               {"U2FsdGVkX1", 0},
               {"U2FsdGVkX18", 1},
               {"U2FsdGVkX19", 1},
               {"U2FsdGVkX1+", 1},
               {"U2FsdGVkX1/", 1},
               {"U2FsdGVkX17", 0}};
  for (size_t i = 0; i < COUNT(files); i++)
    assert_int_equal(kh_keyfile_is_openssl(bytes_of(files[i].bytes)), files[i].is);
}

static void lengths_that_no_container_has(void **state)
{
  (void)state;
  uint8_t bytes[100] = "Salted__12345678";
  kh_keyfile_options options = {.path = "enc"};
  for (size_t len = 9; len < sizeof bytes; len++) {
    kh_secret *text = NULL;
    kh_fault fault = {0};
    kh_status status =
        kh_keyfile_decrypt_openssl(&options, test_engines, (kh_bytes){bytes, len},
                                   (kh_bytes){(const uint8_t *)"x", 1}, &text, &fault);
    if (len < 32 || len % 16 != 0) {
      assert_int_equal(status, len < 32 ? KH_E_CONTAINER_SIZE : KH_E_CONTAINER_CIPHER);
      assert_int_equal(fault.size, len);
    } else {
      assert_int_not_equal(status, KH_E_CONTAINER_SIZE);
      assert_int_not_equal(status, KH_E_CONTAINER_CIPHER);
    }
    kh_secret_free(&text);
  }
}

static kh_status read_changed_back(const kh_envelope *envelope, const kh_secret *file, size_t at,
                                   kh_secret **ret_text)
{
  KH_AUTO_SECRET changed = NULL;
  kh_bytes bytes = kh_secret_bytes(file);
  kh_fault fault;
  assert_int_equal(kh_secret_new(bytes.len, &changed), KH_OK);
  memcpy(kh_secret_data(changed), bytes.data, bytes.len);
  kh_secret_set_len(changed, bytes.len);
  kh_secret_data(changed)[at] ^= 1;
  kh_status status =
      envelope->format->functions->read_back(envelope, kh_secret_bytes(changed), ret_text, &fault);
  assert_int_equal(fault.status, status);
  return status;
}

/* The key that is held would still decrypt them. */
static void a_new_file_with_another_salt_is_not_read_back(void **state)
{
  (void)state;
  KH_AUTO_ENVELOPE envelope = {
      .format = &kh_keyfile_format_openssl, .options = {.path = "enc"}, .crypt = test_engines};
  const kh_keyfile_format_functions *functions = envelope.format->functions;
  kh_bytes plain = {(const uint8_t *)"1;2", 3};
  KH_AUTO_SECRET file = NULL;
  KH_AUTO_SECRET text = NULL;
  assert_int_equal(kh_envelope_set_passphrase(&envelope, &plain), KH_OK);
  assert_int_equal(kh_envelope_prepare(&envelope, NULL), KH_OK);
  assert_int_equal(functions->make(&envelope, plain, &file, NULL), KH_OK);
  assert_int_equal(read_changed_back(&envelope, file, 0, &text), KH_E_WRONG_PASSPHRASE);
  assert_int_equal(read_changed_back(&envelope, file, 8, &text), KH_E_WRONG_PASSPHRASE);
  assert_int_equal(read_changed_back(&envelope, file, 15, &text), KH_E_WRONG_PASSPHRASE);
  assert_null(text);
  assert_int_equal(functions->read_back(&envelope, kh_secret_bytes(file), &text, NULL), KH_OK);
  assert_memory_equal(kh_secret_bytes(text).data, plain.data, plain.len);
}

/* A prepared key is for one passphrase and one file. */
static void what_is_prepared_is_not_copied_and_ends_with_its_passphrase(void **state)
{
  (void)state;
  KH_AUTO_ENVELOPE envelope = {
      .format = &kh_keyfile_format_openssl, .options = {.path = "enc"}, .crypt = test_engines};
  KH_AUTO_ENVELOPE clone = {.format = NULL};
  kh_bytes passphrase = {(const uint8_t *)"secret", 6};
  assert_int_equal(kh_envelope_set_passphrase(&envelope, &passphrase), KH_OK);
  assert_int_equal(kh_envelope_prepare(&envelope, NULL), KH_OK);
  const kh_secret *prepared = envelope.prepared;
  assert_int_equal(kh_envelope_prepare(&envelope, NULL), KH_OK);
  assert_ptr_equal(envelope.prepared, prepared);
  assert_int_equal(kh_envelope_clone(&envelope, &clone), KH_OK);
  assert_null(clone.prepared);
  assert_int_equal(kh_envelope_set_passphrase(&envelope, &passphrase), KH_OK);
  assert_null(envelope.prepared);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_digest_with_and_without_pbkdf2),
      cmocka_unit_test(texts_of_every_length_around_a_block),
      cmocka_unit_test(an_empty_passphrase),
      cmocka_unit_test(most_wrong_passphrases_are_seen),
      cmocka_unit_test(the_key_of_the_file_is_not_kept),
      cmocka_unit_test(the_openssl_command_opens_what_was_encrypted),
      cmocka_unit_test(nothing_is_encrypted_with_md5),
      cmocka_unit_test(base64_by_openssl_is_read),
      cmocka_unit_test(base64_that_is_damaged),
      cmocka_unit_test(base64_is_kept),
      cmocka_unit_test(texts_of_every_length_come_back),
      cmocka_unit_test(every_container_has_a_salt_of_its_own),
      cmocka_unit_test(the_key_of_a_new_file_is_not_kept),
      cmocka_unit_test(a_derivation_that_fails_gives_no_file),
      cmocka_unit_test(what_is_a_container),
      cmocka_unit_test(lengths_that_no_container_has),
      cmocka_unit_test(a_new_file_with_another_salt_is_not_read_back),
      cmocka_unit_test(what_is_prepared_is_not_copied_and_ends_with_its_passphrase),
  };
  return cmocka_run_group_tests(tests, test_engines_open, test_engines_close);
}
