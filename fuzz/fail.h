/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file fail.h
 * Library calls that fail, for a fuzzer that wraps them (linker option --wrap, of kh_random_bytes
 * too).
 */
#ifndef KEYHOLD_FUZZ_FAIL_H
#define KEYHOLD_FUZZ_FAIL_H

#include <stdbool.h>

#include "../tests/support/wrap.h"
#include "keyhold/random.h"

static int calls_to_failure = -1; /* -1: none fails */
static uint8_t first_random = 0x5a;

/* Returns whether this call must fail. */
static inline bool call_fails(const char *name)
{
  (void)name;
  return calls_to_failure >= 0 && calls_to_failure-- == 0;
}

WRAPS(kh_random_bytes);

/* the same bytes in every run */
void __wrap_kh_random_bytes(uint8_t *data, size_t len)
{
  for (size_t i = 0; i < len; i++)
    data[i] = (uint8_t)(first_random + i);
}

#endif
