/* SPDX-License-Identifier: GPL-2.0-only */
#include "calls.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

calls test_calls;

bool calls_strike(const char *name)
{
  calls *injected = &test_calls;
  if (!injected->armed || (injected->only != NULL && strcmp(injected->only, name) != 0))
    return false;
  assert_in_range(injected->made, 0, CALLS_MAX - 1);
  injected->name[injected->made++] = name;
  if (injected->made != injected->at)
    return false;
  if (injected->kill)
    kill(getpid(), SIGKILL);
  if (injected->meanwhile != NULL) {
    injected->armed = false;
    injected->meanwhile();
    injected->armed = true;
  }
  if (injected->error != 0)
    errno = injected->error;
  return injected->error != 0;
}
