/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded into a server by test_ends.py: a thread that ends waits SLOW_ENDS_US microseconds
 * before it calls the functions that the plugin, or a library of it, registered for the end of a
 * thread. That library may have been unloaded in the meantime.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void destructor(void *value);

int pthread_key_create(pthread_key_t *key, destructor *wanted);

enum { MOST = 4 };
static destructor *late[MOST];
static atomic_uint count;

static void call_late(unsigned which, void *value)
{
  static const char mark[] = "a thread ends slowly\n";
  const char *microseconds = getenv("SLOW_ENDS_US");
  if (microseconds != NULL && write(STDERR_FILENO, mark, sizeof mark - 1) > 0)
    usleep((useconds_t)atoi(microseconds));
  late[which](value);
}

static void late_0(void *value)
{
  call_late(0, value);
}

static void late_1(void *value)
{
  call_late(1, value);
}

static void late_2(void *value)
{
  call_late(2, value);
}

static void late_3(void *value)
{
  call_late(3, value);
}

static bool is_ours(const void *caller)
{
  Dl_info info;
  return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
         (strstr(info.dli_fname, "keyhold_file") != NULL || strstr(info.dli_fname, "urcu") != NULL);
}

__attribute__((visibility("default"))) int pthread_key_create(pthread_key_t *key,
                                                              destructor *wanted)
{
  static destructor *const calls[MOST] = {late_0, late_1, late_2, late_3};
  int (*create)(pthread_key_t *, destructor *);
  *(void **)&create = dlsym(RTLD_NEXT, "pthread_key_create");
  if (wanted == NULL || !is_ours(__builtin_return_address(0)))
    return create(key, wanted);
  unsigned which = atomic_fetch_add(&count, 1);
  if (which >= MOST)
    abort();
  late[which] = wanted;
  return create(key, calls[which]);
}
