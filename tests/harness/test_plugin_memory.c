/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that the server has just made, when the process gets no more memory: InnoDB ends the
 * server if a page or a record of the redo log cannot be encrypted, or a key not be found. This
 * program replaces the C library's functions that allocate; the plugin and its libraries call them
 * here.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "files.h"
#include "plugin.h"
#include "unit.h"

#define EXPORT __attribute__((visibility("default")))

/* of the redo log, and a page of 16 KiB: other ways for XTS */
enum { RECORD = 500, PAGE = 16354, ROOM = PAGE + 32, ROUNDS = 40 };

/* as glibc names them */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local bool is_refused; /* memory, for this thread */
static _Thread_local unsigned refused;

static bool refuse(void)
{
  if (!is_refused)
    return false;
  refused++;
  errno = ENOMEM;
  return true;
}

EXPORT void *malloc(size_t size)
{
  return refuse() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
  return refuse() ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
  return refuse() ? NULL : __libc_realloc(old, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
  return refuse() ? NULL : __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
  if (refuse())
    return ENOMEM;
  *ret_memory = __libc_memalign(alignment, size);
  return *ret_memory == NULL ? ENOMEM : 0;
}

/* --- What the server does --- */

static test_plugin loaded;

static const unsigned char key_bytes[] = "0123456789abcdefghijklmnopqrstuvw";
static const unsigned char iv_bytes[] = "IV IV IV IV IV I";

/* One way to encrypt, and what came out while there was memory. */
struct way {
  const unsigned char *key;
  unsigned key_len, version, size;
  unsigned char made[ROOM];
  unsigned len;
};

static struct way ways[18];
static size_t way_count;

static bool crypt(const struct way *way, int direction, const unsigned char *src, unsigned len,
                  unsigned char *ret_made, unsigned *ret_len)
{
  test_plugin own = loaded;
  own.version = way->version;
  return plugin_crypt(&own, src, len, ret_made, ret_len, way->key, way->key_len, iv_bytes,
                      direction | ENCRYPTION_FLAG_NOPAD) == 0;
}

static unsigned char plain[PAGE];

static void remember(unsigned version, unsigned size)
{
  for (unsigned key_len = 16; key_len <= 32; key_len += 8) {
    assert_true(way_count < sizeof ways / sizeof ways[0]);
    struct way *way = &ways[way_count++];
    *way = (struct way){.key = key_bytes, .key_len = key_len, .version = version, .size = size};
    assert_true(crypt(way, ENCRYPTION_FLAG_ENCRYPT, plain, size, way->made, &way->len));
  }
}

static bool looks_up(void)
{
  unsigned char key[32];
  unsigned length = sizeof key;
  return loaded.methods->get_latest_key_version(1) == 3 &&
         loaded.methods->get_key(1, 1, key, &length) == 0 && length == 16;
}

static bool makes_the_same(const struct way *way)
{
  unsigned char made[ROOM];
  unsigned len = 0;
  return crypt(way, ENCRYPTION_FLAG_ENCRYPT, plain, way->size, made, &len) && len == way->len &&
         memcmp(made, way->made, len) == 0;
}

static bool reads_back(const struct way *way)
{
  unsigned char back[ROOM];
  unsigned len = 0;
  return crypt(way, 0, way->made, way->len, back, &len) && len == way->size &&
         memcmp(back, plain, way->size) == 0;
}

/* with a key that no thread has used: where a data key is needed, it must be derived */
static bool encrypts_with_new_key(const struct way *way)
{
  struct way other = *way;
  other.key = key_bytes + 1;
  return crypt(&other, ENCRYPTION_FLAG_ENCRYPT, plain, way->size, other.made, &other.len) &&
         reads_back(&other);
}

static void *work_without_memory(void *unused)
{
  (void)unused;
  const char *failed = NULL;
  is_refused = true;
  if (!looks_up())
    failed = "look-up";
  for (size_t i = 0; failed == NULL && i < way_count * ROUNDS; i++) {
    const struct way *way = &ways[i % way_count];
    if (!makes_the_same(way) || !reads_back(way))
      failed = "message";
    else if (!encrypts_with_new_key(way))
      failed = "message with a new key";
  }
  (void)loaded.methods->get_latest_key_version(77); /* there is none: it is logged */
  is_refused = false;
  if (failed == NULL && refused == 0)
    failed = "this test: nothing was allocated";
  return (void *)failed;
}

/* They share contexts, and must not disturb each other. */
static const char *work_in_threads_without_memory(void)
{
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  const char *first = NULL;
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, work_without_memory, NULL), 0);
  for (size_t i = 0; i < THREADS; i++) {
    void *failed = NULL;
    assert_int_equal(pthread_join(threads[i], &failed), 0);
    first = first == NULL ? failed : first;
  }
  return first;
}

static void new_threads_without_memory(void **state)
{
  (void)state;
  enum { CBC, CTR };
  static const char *const keys = "1;1;000102030405060708090a0b0c0d0e0f\n"
                                  "1;2;101112131415161718191a1b1c1d1e1f"
                                  "202122232425262728292a2b2c2d2e2f;cipher=aes256-ctr\n"
                                  "1;3;303132333435363738393a3b3c3d3e3f"
                                  "404142434445464748494a4b4c4d4e4f;cipher=aes256-xts\n";
  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (unsigned char)(i * 7);
  for (unsigned long algorithm = CBC; algorithm <= CTR; algorithm++) {
    plugin_run_file(&loaded, test_text("keys", keys, 0600), "", algorithm);
    way_count = 0;
    for (unsigned version = 1; version <= 3; version++) {
      remember(version, RECORD);
      remember(version, PAGE);
    }
    const char *failed = work_in_threads_without_memory();
    if (failed != NULL)
      fail_msg("algorithm %lu: %s", algorithm, failed);
    assert_true(plugin_must_say("key id 77 is missing in"));
    plugin_close(&loaded, true);
  }
}

int main(int argc, char **argv)
{
  (void)argc;
  plugin_folder = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(new_threads_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
