/* SPDX-License-Identifier: GPL-2.0-only */
/* Each allocation of OpenSSL's start fails once, each time in a process of its own: an error, and
 * no crash. OpenSSL 3.5 waits for itself after two of the failures: its handler of errors begins
 * the start again that it is in. */
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keyhold/crypt.h"
#include "unit.h"

enum { ALLOCATIONS = 400, OTHER = 100, PATIENCE = 10 /* seconds */, HANGS = 4, HUNG = 2 };

static unsigned left; /* until the one that fails */

static void *allocate(size_t size, const char *file, int line)
{
  (void)file;
  (void)line;
  return --left == 0 ? NULL : malloc(size);
}

static void *allocate_again(void *old, size_t size, const char *file, int line)
{
  (void)file;
  (void)line;
  return --left == 0 ? NULL : realloc(old, size);
}

static void release(void *old, const char *file, int line)
{
  (void)file;
  (void)line;
  free(old);
}

/* in a child */
_Noreturn static void start_openssl(unsigned which)
{
  static const struct rlimit none = {0, 0};
  kh_crypt *crypt = NULL;
  left = which;
  alarm(PATIENCE);
  signal(SIGSEGV, SIG_DFL); /* cmocka would take the child for the test */
  if (setrlimit(RLIMIT_CORE, &none) != 0 ||
      CRYPTO_set_mem_functions(allocate, allocate_again, release) != 1)
    _exit(OTHER);
  kh_status status = kh_crypt_new(KH_ENGINE_OPENSSL, &crypt);
  _exit(status == KH_OK ? 0 : status == KH_E_NO_MEMORY || status == KH_E_CRYPTO ? 1 : OTHER);
}

static int status_of_start(unsigned which)
{
  int ended = 0;
  pid_t child = fork();
  if (child == 0)
    start_openssl(which);
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &ended, 0), child);
  if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGALRM)
    return HUNG;
  if (!WIFEXITED(ended) || WEXITSTATUS(ended) == OTHER)
    fail_msg("allocation %u: wait status %d", which, ended);
  return WEXITSTATUS(ended);
}

static void no_allocation_that_fails_crashes(void **state)
{
  (void)state;
  unsigned failures = 0;
  unsigned hangs = 0;
  for (unsigned i = 1; i <= ALLOCATIONS; i++) {
    int status = status_of_start(i);
    failures += status == 1;
    hangs += status == HUNG;
  }
  assert_in_range(hangs, 0, HANGS);
  assert_true(failures > 10);
  assert_int_equal(status_of_start(1000000), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_allocation_that_fails_crashes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
