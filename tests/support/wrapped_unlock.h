/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file wrapped_unlock.h
 * For programs that wrap kh_unlock: records its arguments, and calls the real function.
 */
#ifndef KEYHOLD_TEST_WRAPPED_UNLOCK_H
#define KEYHOLD_TEST_WRAPPED_UNLOCK_H

#include "keyhold/unlock.h"
#include "wrap.h"

static bool unlock_was_limited; /* the wait for the last passphrase was bounded */

WRAPS(kh_unlock);

kh_status __wrap_kh_unlock(const char *filekey, const kh_unlock_how *how, const kh_log *log,
                           kh_secret **ret_passphrase, kh_fault *ret_fault)
{
  unlock_was_limited = how->bounded_wait;
  return __real_kh_unlock(filekey, how, log, ret_passphrase, ret_fault);
}

#endif
