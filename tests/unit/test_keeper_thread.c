/* SPDX-License-Identifier: GPL-2.0-only */
/* wraps: eventfd pthread_create */
/* slow: waits for a thread that waits for changes to settle */
/* A background thread that cannot be started. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "keepers.h"
#include "unit.h"
#include "wrap.h"

static fake_store fake;
static recorder said;
static bool no_descriptor, no_thread;

static const fake_key before[] = {FAKE_KEY(1, 1, 0xa1)};
static const fake_key after[] = {FAKE_KEY(1, 1, 0xa1), FAKE_KEY(1, 3, 0xa3)};

WRAPS(eventfd);
int __wrap_eventfd(unsigned count, int flags)
{
  return no_descriptor ? -1 : __real_eventfd(count, flags);
}

WRAPS(pthread_create);
int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument)
{
  return no_thread ? EAGAIN : __real_pthread_create(ret_thread, attributes, run, argument);
}

static void a_thread_that_cannot_start_is_reported_and_started_later(void **state)
{
  (void)state;
  const kh_keeper_background reloads = {.reload = true};
  sigset_t mask;
  kh_keeper *keeper = fake_keeper_start(&fake, &fake_store_ops, before, COUNT(before), &said);
  no_descriptor = true;
  assert_int_equal(kh_keeper_set_background(keeper, reloads), KH_E_NO_MEMORY);
  no_descriptor = false;
  no_thread = true;
  assert_int_equal(kh_keeper_set_background(keeper, reloads), KH_E_NO_MEMORY);
  assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
  assert_false(sigismember(&mask, SIGTERM)); /* the caller's mask is as it was */
  no_thread = false;
  assert_int_equal(kh_keeper_set_background(keeper, reloads), KH_OK);
  fake_store_set(&fake, after, COUNT(after));
  keeper_await_latest(keeper, 1, 3);
  kh_keeper_free(&keeper);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thread_that_cannot_start_is_reported_and_started_later),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
