/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keyhold/secret.h"
#include "unit.h"

static kh_secret *new_secret(size_t capacity)
{
  kh_secret *secret = NULL;
  assert_int_equal(kh_secret_new(capacity, &secret), KH_OK);
  return secret;
}

static void a_new_secret_is_empty_zero_and_aligned(void **state)
{
  (void)state;
  for (size_t capacity = 0; capacity < 200; capacity++) {
    kh_secret *secret = new_secret(capacity);
    assert_int_equal(kh_secret_bytes(secret).len, 0);
    assert_int_equal(kh_secret_capacity(secret), capacity);
    assert_int_equal((uintptr_t)kh_secret_data(secret) % 64, 0);
    for (size_t i = 0; i < capacity; i++)
      assert_int_equal(kh_secret_data(secret)[i], 0);
    kh_secret_free(&secret);
    assert_null(secret);
  }
}

static void shortening_wipes_the_rest(void **state)
{
  (void)state;
  kh_secret *secret = new_secret(100);
  memset(kh_secret_data(secret), 'x', 100);
  kh_secret_set_len(secret, 10);
  assert_int_equal(kh_secret_data(secret)[9], 'x');
  for (size_t i = 10; i < 100; i++)
    assert_int_equal(kh_secret_data(secret)[i], 0);
  kh_secret_free(&secret);
}

/* the "VmFlags:" line of the mapping that holds an address (proc(5)) */
static void flags_of(const void *address, char *flags, size_t size)
{
  FILE *maps = fopen("/proc/self/smaps", "r");
  assert_non_null(maps);
  char line[512];
  int inside = 0;
  flags[0] = '\0';
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long from, to;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
      inside = (uintptr_t)address >= from && (uintptr_t)address < to;
    else if (inside && strncmp(line, "VmFlags:", 8) == 0)
      snprintf(flags, size, "%s", line);
  }
  fclose(maps);
}

static void secrets_are_kept_out_of_core_dumps_and_locked(void **state)
{
  (void)state;
  kh_secret *secret = new_secret(5000);
  char flags[512];
  flags_of(kh_secret_data(secret), flags, sizeof flags);
  assert_non_null(strstr(flags, " dd"));                            /* MADV_DONTDUMP */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their mlock() does nothing  \
                                                                     */
  if (kh_secret_is_locked(secret))
    assert_non_null(strstr(flags, " lo"));
#endif
  kh_secret_free(&secret);

  char on_stack;
  flags_of(&on_stack, flags, sizeof flags);
  assert_non_null(strstr(flags, "VmFlags"));
  assert_null(strstr(flags, " dd")); /* so the test above can fail */
}

static int in_child(void (*action)(kh_secret *), kh_secret *secret)
{
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL); /* cmocka and the sanitizers have their own */
    signal(SIGBUS, SIG_DFL);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    action(secret);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void write_first(kh_secret *secret)
{
  *(volatile uint8_t *)kh_secret_data(secret) = 1;
}

static void write_behind(kh_secret *secret)
{
  ((volatile uint8_t *)kh_secret_data(secret))[64] = 1;
}

static void a_frozen_secret_cannot_be_written(void **state)
{
  (void)state;
  kh_secret *secret = new_secret(64);
  assert_int_equal(in_child(write_first, secret), 0);
  kh_secret_freeze(secret);
  assert_int_equal(in_child(write_first, secret), SIGSEGV);
  kh_secret_free(&secret); /* freeing must make the memory writable to wipe it */
}

static void a_guard_page_follows(void **state)
{
  (void)state;
  kh_secret *secret = new_secret(64);
  assert_int_equal(in_child(write_behind, secret), SIGSEGV);
  kh_secret_free(&secret);
}

static void free_takes_nothing(void **state)
{
  (void)state;
  kh_secret *secret = NULL;
  kh_secret_free(&secret);
  kh_secret_free(NULL);
  assert_int_equal(kh_secret_bytes(NULL).len, 0);
  assert_true(kh_secret_is_locked(NULL));
}

static void an_impossible_size_is_refused(void **state)
{
  (void)state;
  kh_secret *secret = NULL;
  assert_int_equal(kh_secret_new(SIZE_MAX, &secret), KH_E_NO_MEMORY);
  assert_int_equal(kh_secret_new(SIZE_MAX / 2, &secret), KH_E_NO_MEMORY);
  assert_null(secret);
}

static void wipe_and_compare(void **state)
{
  (void)state;
  char a[] = "secret";
  char b[] = "secreT";
  assert_true(kh_is_same_secret(a, a, 6));
  assert_false(kh_is_same_secret(a, b, 6));
  assert_true(kh_is_same_secret(a, b, 5));
  kh_wipe(a, 6);
  assert_memory_equal(a, "\0\0\0\0\0\0", 6);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_secret_is_empty_zero_and_aligned),
      cmocka_unit_test(shortening_wipes_the_rest),
      cmocka_unit_test(secrets_are_kept_out_of_core_dumps_and_locked),
      cmocka_unit_test(a_frozen_secret_cannot_be_written),
      cmocka_unit_test(a_guard_page_follows),
      cmocka_unit_test(free_takes_nothing),
      cmocka_unit_test(an_impossible_size_is_refused),
      cmocka_unit_test(wipe_and_compare),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
