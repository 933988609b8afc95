/* SPDX-License-Identifier: GPL-2.0-only */
#include "engines.h"

#include <stddef.h>

kh_crypt *test_engines;

int test_engines_open(void **state)
{
  (void)state;
  return kh_crypt_new(KH_ENGINE_AUTO, &test_engines) != KH_OK;
}

int test_engines_open_openssl(void **state)
{
  (void)state;
  return kh_crypt_new(KH_ENGINE_OPENSSL, &test_engines) != KH_OK;
}

int test_engines_close(void **state)
{
  (void)state;
  kh_crypt_free(&test_engines);
  return 0;
}
