/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file engines.h
 * The engines of a test program, for a group's set-up and tear-down.
 */
#ifndef KEYHOLD_TEST_ENGINES_H
#define KEYHOLD_TEST_ENGINES_H

#include "keyhold/crypt.h"

/** The open engines; NULL: none. */
extern kh_crypt *test_engines;

/** Set-up: opens the best engine for each cipher, or OpenSSL alone. */
int test_engines_open(void **state);
int test_engines_open_openssl(void **state);

/** Tear-down. */
int test_engines_close(void **state);

#endif
