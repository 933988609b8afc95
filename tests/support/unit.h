/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file unit.h
 * What every test includes: cmocka with the headers that it needs before it.
 */
#ifndef KEYHOLD_TEST_UNIT_H
#define KEYHOLD_TEST_UNIT_H

#ifdef KEYHOLD_TEST_RUNNER
/** Renames `main`, so that tests/unit/runner.c can call it. */
int main(void);
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keyhold/bytes.h"
#include "keyhold/status.h"

/** Number of elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Returns the bytes of a string, without its NUL. */
static inline kh_bytes bytes_of(const char *text)
{
  return (kh_bytes){(const uint8_t *)text, strlen(text)};
}

/** Returns the name of a status, as the code has it. */
static inline const char *status_name(kh_status status)
{
  static const char *const names[KH_STATUS_COUNT] = {
      [KH_OK] = "KH_OK",
#define KH_ERROR(code, class, sentence) [code] = #code,
#include "keyhold/errors.def"
  };
  return (unsigned)status < KH_STATUS_COUNT ? names[status] : "unknown";
}

#endif
