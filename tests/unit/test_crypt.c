/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: EVP_CipherUpdate EVP_CIPHER_CTX_new EVP_CipherInit_ex2 EVP_CIPHER_fetch dlopen
 * wraps: pthread_key_create pthread_setspecific */
/*
 * tests/harness/test_plugin_crypt.c compares the bytes with vectors and a reference. These tests:
 * what is refused, what is wiped, and what happens when OpenSSL fails (its calls are wrapped).
 */
#include <dlfcn.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#include "engines.h"
#include "keyhold/crypt.h"
#include "reference.h"
#include "unit.h"
#include "wrap.h"

static int fail_in = -1; /* calls of OpenSSL until one fails; -1: none fails */

static int wrong_in = -1; /* results of OpenSSL until one has wrong bits; -1: none has */
static int no_library;    /* no library can be opened at run time */

static const char *failed_call; /* the one that failed last */

static bool call_fails(const char *name)
{
  bool fails = fail_in >= 0 && fail_in-- == 0;
  if (fails)
    failed_call = name;
  return fails;
}

WRAP_EVP_CIPHER_CTX_NEW(call_fails)
WRAP_EVP_CIPHERINIT_EX2(call_fails)
WRAP(call_fails, EVP_CIPHER *, EVP_CIPHER_fetch, NULL,
     (OSSL_LIB_CTX * lib, const char *name, const char *properties), (lib, name, properties))
WRAPS(EVP_CipherUpdate);

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
                            const unsigned char *in, int inl)
{
  int done = call_fails("EVP_CipherUpdate") ? 0 : __real_EVP_CipherUpdate(ctx, out, outl, in, inl);
  if (done && out != NULL && *outl > 0 && wrong_in >= 0 && wrong_in-- == 0)
    for (int i = 0; i < *outl; i++) /* FF1 does not use all of a block */
      out[i] ^= 1;
  return done;
}

WRAPS(dlopen);

void *__wrap_dlopen(const char *name, int mode)
{
  return no_library ? NULL : __real_dlopen(name, mode);
}

static const uint8_t key_bytes[32] = "0123456789abcdefghijklmnopqrstuv";
static const uint8_t iv_bytes[32] = "IV IV IV IV IV IV IV IV IV";
static const kh_cipher ciphers[] = {KH_CIPHER_AES_CBC, KH_CIPHER_AES_CTR, KH_CIPHER_AES_ECB};

static int heal(void **state)
{
  (void)state;
  fail_in = -1;
  wrong_in = -1;
  no_library = 0;
  return 0;
}

static kh_crypt_key key_of(size_t key_len, size_t iv_len)
{
  return (kh_crypt_key){{key_bytes, key_len}, {iv_bytes, iv_len}};
}

static void sizes_of_key_and_iv(void **state)
{
  (void)state;
  _Alignas(16) uint8_t ctx[512];
  assert_in_range(kh_crypt_ctx_size(), 1, 320); /* the server puts it on its stack at every call */
  for (size_t len = 0; len <= 32; len++) {
    size_t made;
    kh_crypt_key key = key_of(len, 16);
    kh_status status =
        kh_crypt_init(test_engines, (kh_crypt_ctx *)(void *)ctx, KH_CIPHER_AES_CBC, 0, &key);
    assert_int_equal(status, len == 16 || len == 24 || len == 32 ? KH_OK : KH_E_KEY_SIZE);
    if (status == KH_OK)
      assert_int_equal(kh_crypt_finish((kh_crypt_ctx *)(void *)ctx, ctx, &made), KH_E_BAD_DATA);
    if (len != 16) {
      key = key_of(16, len);
      assert_int_equal(
          kh_crypt_init(test_engines, (kh_crypt_ctx *)(void *)ctx, KH_CIPHER_AES_CBC, 0, &key),
          KH_E_IV_SIZE);
    }
  }
}

static void finish_wipes_the_context(void **state)
{
  (void)state;
  static const uint8_t
      zeros[512]; /* the context was zero before, so bytes that a mode does not use stay zero */
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    for (unsigned flags = 0; flags < 4; flags++) {
      _Alignas(16) uint8_t ctx[512] = {0};
      uint8_t out[64];
      size_t made;
      kh_crypt_key key = key_of(32, 16);
      kh_crypt_ctx *typed = (kh_crypt_ctx *)(void *)ctx;
      assert_int_equal(kh_crypt_init(test_engines, typed, ciphers[c], flags, &key), KH_OK);
      assert_int_equal(kh_crypt_update(typed, (kh_bytes){iv_bytes, 21}, out, &made), KH_OK);
      assert_memory_not_equal(ctx, zeros, kh_crypt_ctx_size());
      kh_status ignored = kh_crypt_finish(typed, out, &made);
      (void)ignored;
      assert_memory_equal(ctx, zeros, kh_crypt_ctx_size());
    }
  }
}

static void encrypted_lengths(void **state)
{
  (void)state;
  static const size_t lengths[][3] = {
      {0, 16, 16}, {1, 16, 17}, {15, 16, 31}, {16, 32, 32}, {17, 32, 33}};
  for (size_t i = 0; i < COUNT(lengths); i++) {
    assert_int_equal(kh_cipher_encrypted_length(KH_CIPHER_AES_CBC, lengths[i][0]), lengths[i][1]);
    assert_int_equal(kh_cipher_encrypted_length(KH_CIPHER_AES_CTR, lengths[i][0]), lengths[i][2]);
    assert_int_equal(kh_cipher_encrypted_length(KH_CIPHER_AES_ECB, lengths[i][0]), lengths[i][1]);
  }
}

/* A thread that gets no context of its own uses one that all share; but not for GCM, whose messages
 * keep theirs between calls. */
static bool has_slow_way(kh_cipher cipher, unsigned flags)
{
  bool is_gcm = cipher == KH_CIPHER_AES_CTR && (flags & KH_CRYPT_NOPAD) == 0;
  return !is_gcm && strcmp(failed_call, "EVP_CipherUpdate") != 0;
}

/*
 * Every call of OpenSSL fails in turn: the result is right by the slow way, or it is an error
 * without output. ASan finds no leak, and the next message with the same key, whose cached context
 * had failed, is right.
 */
static void failures_of_openssl(void **state)
{
  (void)state;
  uint8_t src[64] = "some bytes of which the last are no whole block";
  for (size_t c = 0; c < COUNT(ciphers); c++) {
    for (unsigned flags = 0; flags < 4; flags++) {
      if (flags == 0) /* data that is not a ciphertext fails in any case */
        continue;
      int calls = 0;
      for (; calls < 20; calls++) {
        kh_crypt *fresh = NULL; /* which has no contexts yet */
        uint8_t dst[128];
        uint8_t expected[128];
        size_t len = 77;
        size_t expected_len;
        kh_crypt_key key = key_of(16, 16);
        assert_int_equal(kh_crypt_once(test_engines, ciphers[c], flags, &key, (kh_bytes){src, 39},
                                       expected, &expected_len),
                         KH_OK);
        assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &fresh), KH_OK);
        fail_in = calls;
        kh_status status =
            kh_crypt_once(fresh, ciphers[c], flags, &key, (kh_bytes){src, 39}, dst, &len);
        int all_done = fail_in >= 0;
        fail_in = -1;
        if (all_done || has_slow_way(ciphers[c], flags)) {
          assert_int_equal(status, KH_OK);
          assert_int_equal(len, expected_len);
          assert_memory_equal(dst, expected, expected_len);
        } else {
          assert_true(status == KH_E_CRYPTO || status == KH_E_NO_MEMORY);
          assert_int_equal(len, 0);
        }
        assert_int_equal(
            kh_crypt_once(fresh, ciphers[c], flags, &key, (kh_bytes){src, 39}, dst, &len), KH_OK);
        assert_int_equal(len, expected_len);
        assert_memory_equal(dst, expected, expected_len);
        kh_crypt_free(&fresh);
        if (all_done)
          break;
      }
      assert_in_range(calls, 2, 19);
    }
  }
}

static void a_changed_byte_is_seen_by_gcm(void **state)
{
  (void)state;
  uint8_t sealed[64];
  uint8_t opened[64];
  size_t sealed_len;
  size_t len;
  kh_crypt_key key = key_of(32, 16);
  assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES_CTR, KH_CRYPT_ENCRYPT, &key,
                                 (kh_bytes){iv_bytes, 20}, sealed, &sealed_len),
                   KH_OK);
  assert_int_equal(sealed_len, 36);
  for (size_t i = 0; i < sealed_len; i++) {
    sealed[i] ^= 1;
    assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES_CTR, 0, &key,
                                   (kh_bytes){sealed, sealed_len}, opened, &len),
                     KH_E_BAD_DATA);
    sealed[i] ^= 1;
  }
  assert_int_equal(kh_crypt_once(test_engines, KH_CIPHER_AES_CTR, 0, &key,
                                 (kh_bytes){sealed, sealed_len}, opened, &len),
                   KH_OK);
  assert_int_equal(len, 20);
}

static kh_status start(kh_crypt *with, uint8_t *ctx, kh_cipher cipher, unsigned flags)
{
  kh_crypt_key key = key_of(16, 16);
  return kh_crypt_init(with, (kh_crypt_ctx *)(void *)ctx, cipher, flags, &key);
}

/* The server may leave out finish after init. That must leak nothing, however often. */
static void messages_that_are_never_finished(void **state)
{
  (void)state;
  static const kh_engine_choice choices[] = {KH_ENGINE_AUTO, KH_ENGINE_OPENSSL};
  for (size_t e = 0; e < COUNT(choices); e++) {
    kh_crypt *with = NULL;
    assert_int_equal(kh_crypt_new(choices[e], &with), KH_OK);
    for (unsigned i = 0; i < 4000; i++) {
      _Alignas(16) uint8_t ctx[512];
      uint8_t out[64];
      size_t made;
      assert_int_equal(start(with, ctx, ciphers[i % 2], i / 2 % 4), KH_OK);
      assert_int_equal(
          kh_crypt_update((kh_crypt_ctx *)(void *)ctx, (kh_bytes){iv_bytes, 21}, out, &made),
          KH_OK);
    }
    a_changed_byte_is_seen_by_gcm(state);
    kh_crypt_free(&with); /* ASan finds leaks */
  }
}

/* OpenSSL's GCM contexts are few: a fifth open message takes the first one's, which must then fail,
 * not give wrong bytes */
static void more_open_gcm_messages_than_contexts(void **state)
{
  (void)state;
  enum { OPEN = 5 };
  _Alignas(16) static uint8_t ctx[OPEN][512];
  uint8_t first[OPEN][64];
  uint8_t tag[16];
  size_t made;
  kh_crypt *with = NULL;
  assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &with), KH_OK);
  for (int i = 0; i < OPEN; i++)
    assert_int_equal(start(with, ctx[i], KH_CIPHER_AES_CTR, KH_CRYPT_ENCRYPT), KH_OK);
  for (int i = 0; i < OPEN; i++)
    assert_int_equal(
        kh_crypt_update((kh_crypt_ctx *)(void *)ctx[i], (kh_bytes){iv_bytes, 20}, first[i], &made),
        i == 0 ? KH_E_CRYPTO : KH_OK);
  for (int i = 0; i < OPEN; i++)
    assert_int_equal(kh_crypt_finish((kh_crypt_ctx *)(void *)ctx[i], tag, &made),
                     i == 0 ? KH_E_CRYPTO : KH_OK);
  for (int i = 2; i < OPEN; i++)
    assert_memory_equal(first[i], first[1], 20);
  kh_crypt_free(&with);
}

static void *one_message(void *with)
{
  uint8_t out[64];
  size_t len;
  kh_crypt_key key = key_of(16, 16);
  return kh_crypt_once(with, KH_CIPHER_AES_CTR, KH_CRYPT_NOPAD, &key, (kh_bytes){iv_bytes, 20}, out,
                       &len) == KH_OK
             ? NULL
             : with;
}

static void threads_that_end_keep_nothing(void **state)
{
  (void)state;
  kh_crypt *with = NULL;
  assert_int_equal(kh_crypt_new(KH_ENGINE_AUTO, &with), KH_OK);
  size_t before = kh_crypt_thread_count(with);
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    void *failed = NULL;
    assert_int_equal(pthread_create(&thread, NULL, one_message, with), 0);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
  }
  assert_int_equal(kh_crypt_thread_count(with), before);
  kh_crypt_free(&with);
}

static void (*at_thread_end)(void *);    /* the function that the C library was asked to call */
static _Thread_local void *thread_value; /* and its argument */

WRAPS(pthread_key_create);
WRAPS(pthread_setspecific);

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
  at_thread_end = destructor;
  return __real_pthread_key_create(key, destructor);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
  thread_value = (void *)value;
  return __real_pthread_setspecific(key, value);
}

static pthread_barrier_t has_worked, is_closed;

/* The C library has read the key's value before, and calls the destructor only now. */
static void *end_late(void *with)
{
  void *failed = one_message(with);
  pthread_barrier_wait(&has_worked);
  pthread_barrier_wait(&is_closed);
  at_thread_end(thread_value);
  return failed;
}

/* as the threads of a server that ends while its plugin is unloaded */
static void a_thread_that_ends_after_the_plugin(void **state)
{
  (void)state;
  kh_crypt *with = NULL;
  pthread_t thread;
  void *failed = NULL;
  pthread_barrier_init(&has_worked, NULL, 2);
  pthread_barrier_init(&is_closed, NULL, 2);
  assert_int_equal(kh_crypt_new(KH_ENGINE_AUTO, &with), KH_OK);
  assert_int_equal(pthread_create(&thread, NULL, end_late, with), 0);
  pthread_barrier_wait(&has_worked);
  kh_crypt_free(&with);
  pthread_barrier_wait(&is_closed);
  assert_int_equal(pthread_join(thread, &failed), 0);
  assert_null(failed);
}

#if !defined(__SANITIZE_ADDRESS__) &&                                                              \
    !defined(__SANITIZE_THREAD__) /* they have allocators of their own */
enum { MANY = 200, KEYS = 20, THREAD_MAX = 16 * 1024, XTS_MAX = 20 * 1024 };

static pthread_barrier_t all_have_worked, all_may_end;

/* fills everything that a thread can cache: every operation and key length, many keys, GCM messages
 * that are never finished */
static void *fill_what_is_kept(void *with)
{
  uint8_t out[1024];
  static const uint8_t in[600];
  size_t len;
  for (unsigned i = 0; i < KEYS * 24; i++) {
    _Alignas(16) uint8_t ctx[512];
    uint8_t bytes[32] = {(uint8_t)(i / 24)};
    kh_crypt_key key = {{bytes, 16 + 8 * (i / 8 % 3)}, {iv_bytes, 16}};
    kh_status status =
        kh_crypt_once(with, ciphers[i & 1], i / 2 % 4, &key, (kh_bytes){in, sizeof in}, out, &len);
    status = kh_crypt_init(with, (kh_crypt_ctx *)(void *)ctx, KH_CIPHER_AES_CTR, i & 1, &key);
    (void)status;
  }
  pthread_barrier_wait(&all_have_worked);
  pthread_barrier_wait(&all_may_end);
  return NULL;
}

/* the same for aes256-xts: messages with long and short runs and a last part, in both directions */
static void *fill_what_is_kept_for_xts(void *with)
{
  uint8_t out[1041];
  static const uint8_t in[1041];
  size_t len;
  for (unsigned i = 0; i < KEYS * 2; i++) {
    uint8_t bytes[128] = {[0] = (uint8_t)i, [32] = 64, [64] = 65, [96] = 66};
    kh_crypt_key key = {{bytes, sizeof bytes}, {iv_bytes, 16}};
    kh_status status = kh_crypt_once(with, KH_CIPHER_AES256_XTS, KH_CRYPT_NOPAD | (i & 1), &key,
                                     (kh_bytes){in, sizeof in}, out, &len);
    assert_int_equal(status, KH_OK);
  }
  pthread_barrier_wait(&all_have_worked);
  pthread_barrier_wait(&all_may_end);
  return NULL;
}

static void assert_memory_of_threads(kh_engine_choice choice, void *(*fill)(void *), size_t most)
{
  pthread_t threads[MANY];
  kh_crypt *with = NULL;
  assert_int_equal(kh_crypt_new(choice, &with), KH_OK);
  pthread_barrier_init(&all_have_worked, NULL, MANY + 1);
  pthread_barrier_init(&all_may_end, NULL, MANY + 1);
  size_t before = mallinfo2().uordblks;
  for (size_t i = 0; i < MANY; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, fill, with), 0);
  pthread_barrier_wait(&all_have_worked);
  size_t used = (mallinfo2().uordblks - before) / MANY;
  print_message("  %zu bytes a thread\n", used);
  pthread_barrier_wait(&all_may_end);
  for (size_t i = 0; i < MANY; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_in_range(used, 1024, most);
  kh_crypt_free(&with);
}

static void a_thread_keeps_at_most_16_KiB(void **state)
{
  (void)state;
  assert_memory_of_threads(KH_ENGINE_AUTO, fill_what_is_kept, THREAD_MAX);
  assert_memory_of_threads(KH_ENGINE_OPENSSL, fill_what_is_kept, THREAD_MAX);
}

static void a_thread_keeps_at_most_20_KiB_for_xts(void **state)
{
  (void)state;
  assert_memory_of_threads(KH_ENGINE_OPENSSL, fill_what_is_kept_for_xts, XTS_MAX);
}
#endif

static void engines_are_described(void **state)
{
  (void)state;
  kh_crypt *with = NULL;
  char text[128];
  assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &with), KH_OK);
  kh_crypt_describe_engines(with, text, sizeof text);
  assert_string_equal(text,
                      "CTR openssl; CBC encryption openssl; CBC decryption openssl; GCM openssl");
  kh_crypt_free(&with);
}

static void an_engine_that_is_not_there(void **state)
{
  (void)state;
  kh_crypt *with = NULL;
  char text[256];
  no_library = 1;
  assert_int_equal(kh_crypt_new(KH_ENGINE_IPSEC_MB, &with), KH_E_NO_ENGINE);
  assert_null(with);
  assert_int_equal(kh_crypt_new(KH_ENGINE_AUTO, &with), KH_OK);
  kh_crypt_describe_engines(with, text, sizeof text);
  assert_string_equal(text,
                      "CTR openssl; CBC encryption openssl; CBC decryption openssl; GCM openssl");
  kh_crypt_free(&with);
}

/* every answer of OpenSSL that the self-test asks for is wrong in turn */
static void an_engine_that_gives_wrong_answers(void **state)
{
  (void)state;
  enum { ANSWERS = 7, XTS = 60 }; /* CTR, CBC, ECB in both directions where there are two, GCM */
  kh_status status = KH_E_SELF_TEST;
  int answer = 0;
  for (; status == KH_E_SELF_TEST; answer++) {
    kh_crypt *with = NULL;
    wrong_in = answer;
    status = kh_crypt_new(KH_ENGINE_OPENSSL, &with);
    kh_crypt_free(&with);
  }
  assert_int_equal(status, KH_OK);
  assert_in_range(answer, ANSWERS + XTS, 1000); /* until no answer was left to be wrong */
}

static void failures_of_the_start(void **state)
{
  (void)state;
  enum { CIPHERS = 7 * 3 + 2, SPARES = 5 * 3 + 7, CALLS = CIPHERS + 2 * SPARES };
  for (int i = 0; i < CALLS; i++) {
    kh_crypt *none = NULL;
    fail_in = i;
    assert_int_equal(kh_crypt_new(KH_ENGINE_OPENSSL, &none), KH_E_CRYPTO);
    assert_null(none);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sizes_of_key_and_iv),
    cmocka_unit_test(finish_wipes_the_context),
    cmocka_unit_test(encrypted_lengths),
    cmocka_unit_test_teardown(failures_of_openssl, heal),
    cmocka_unit_test_teardown(an_engine_that_is_not_there, heal),
    cmocka_unit_test_teardown(an_engine_that_gives_wrong_answers, heal),
    cmocka_unit_test_teardown(failures_of_the_start, heal),
    cmocka_unit_test(a_changed_byte_is_seen_by_gcm),
    cmocka_unit_test(messages_that_are_never_finished),
    cmocka_unit_test(more_open_gcm_messages_than_contexts),
    cmocka_unit_test(threads_that_end_keep_nothing),
    cmocka_unit_test(a_thread_that_ends_after_the_plugin),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    cmocka_unit_test(a_thread_keeps_at_most_16_KiB),
    cmocka_unit_test(a_thread_keeps_at_most_20_KiB_for_xts),
#endif
    cmocka_unit_test(engines_are_described),
  };
  return cmocka_run_group_tests(tests, test_engines_open, test_engines_close);
}
