/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Preloaded into the command by test_core.py: crashes it at a moment when it has secrets in memory,
 * and can disable the protections that keep them out of a core dump. By test_change.py: stops it
 * just before a new file replaces the old one; SIGCONT lets it go on.
 *
 * KEYHOLD_CRASH_AT: unwrap (the key of a slot is derived), decrypt (the file key is known) write
 * (the new file is not yet in its place), or rename (it is about to get there: stops only).
 * KEYHOLD_CRASH_BY: abort, or stop, so that gdb writes the core dump.
 * KEYHOLD_CRASH_WITHOUT: protections to disable, private (main.c) or dontdump (libsodium) or both.
 */
#include <dlfcn.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static bool has_word(const char *name, const char *word)
{
  const char *value = getenv(name);
  return value != NULL && strstr(value, word) != NULL;
}

static void crash_at(const char *moment)
{
  if (!has_word("KEYHOLD_CRASH_AT", moment))
    return;
  raise(has_word("KEYHOLD_CRASH_BY", "stop") ? SIGSTOP : SIGABRT);
  _exit(99); /* the signal should have ended it */
}

EXPORT int prctl(int option, ...)
{
  /* the command has no other use of prctl() */
  if (option != PR_SET_DUMPABLE || has_word("KEYHOLD_CRASH_WITHOUT", "private"))
    return 0;
  return (int)syscall(SYS_prctl, option, 0, 0, 0, 0);
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
  if (resource == RLIMIT_CORE && has_word("KEYHOLD_CRASH_WITHOUT", "private"))
    return 0;
  return (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}

EXPORT int madvise(void *address, size_t len, int advice)
{
  if (advice == MADV_DONTDUMP && has_word("KEYHOLD_CRASH_WITHOUT", "dontdump"))
    return 0;
  return (int)syscall(SYS_madvise, address, len, advice);
}

EXPORT int fsync(int fd)
{
  crash_at("write");
  return fdatasync(fd);
}

EXPORT int renameat(int from, const char *old, int to, const char *new)
{
  if (has_word("KEYHOLD_CRASH_AT", "rename"))
    raise(SIGSTOP);
  return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int crypto_aead_xchacha20poly1305_ietf_decrypt(unsigned char *text, unsigned long long *len,
                                               unsigned char *none, const unsigned char *sealed,
                                               unsigned long long sealed_len,
                                               const unsigned char *bound,
                                               unsigned long long bound_len,
                                               const unsigned char *nonce, const unsigned char *key)
{
  static bool is_unwrapped;
  __typeof__(&crypto_aead_xchacha20poly1305_ietf_decrypt) real;
  crash_at(is_unwrapped ? "decrypt" : "unwrap");
  is_unwrapped = true;
  *(void **)&real = dlsym(RTLD_NEXT, __func__);
  return real(text, len, none, sealed, sealed_len, bound, bound_len, nonce, key);
}
