/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file case.h
 * What is measured: the list of all cases, and a name for each.
 */
#ifndef KEYHOLD_BENCH_CASE_H
#define KEYHOLD_BENCH_CASE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
  KH_BENCH_ENCRYPT,             /**< one context, one update, as for a page */
  KH_BENCH_DECRYPT,             /**< one context, one update, as for a page */
  KH_BENCH_STREAM,              /**< one context, many updates, as the binlog encrypts an event */
  KH_BENCH_LATEST_VERSION,      /**< encryption_key_get_latest_version */
  KH_BENCH_GET_KEY,             /**< encryption_key_get with a buffer */
  KH_BENCH_LATEST_VERSION_MANY, /**< latest version of a random id each time */
  KH_BENCH_GET_KEY_MANY,        /**< key of a random id and version each time */
  KH_BENCH_CHOOSE_MANY,         /**< only the choice, which is a part of the two before */
  KH_BENCH_OPERATION_COUNT
} kh_bench_operation;

/** One line of the table. */
typedef struct {
  kh_bench_operation operation;
  bool padded;       /**< without ENCRYPTION_FLAG_NOPAD */
  bool new_key;      /**< a key that was never used before, each time; else always the same */
  bool in_turn;      /**< KH_BENCH_TURNS keys in turn, as of so many tables */
  bool of_record;    /**< for the comparison of ciphers: its name has "one" or "turn" */
  unsigned key_bits; /**< 128 or 256 */
  unsigned size;     /**< bytes of plaintext; 0 where nothing is encrypted */
} kh_bench_case;

/** Keys of the cases that use some in turn. */
enum { KH_BENCH_TURNS = 100 };

/** Room for every case; kh_bench_cases() asserts it. */
enum { KH_BENCH_CASES_MAX = 256 };

/** The largest size of any case, in bytes. */
enum { KH_BENCH_SIZE_MAX = 1048576 };

/** Room for a name and its NUL. */
enum { KH_BENCH_NAME_MAX = 64 };

/**
 * Lists the cases whose name matches a pattern, in the order of the table.
 *
 * @param only       as for fnmatch(3) with FNM_EXTMATCH; "" or NULL for all.
 * @param many       whether those over many keys are among them, and those of a redo log.
 * @param ret_cases  where they go.
 * @return how many.
 */
size_t kh_bench_cases(const char *only, bool many,
                      kh_bench_case ret_cases[static KH_BENCH_CASES_MAX]);

/** The name of an operation: the first part of a case's name. A constant. */
const char *kh_bench_operation_name(kh_bench_operation operation);

/**
 * Writes a name that no other case has: "encrypt-nopad-128-same-16354", "get_key-256",
 * "latest_version", "get_key-many".
 */
void kh_bench_case_name(const kh_bench_case *what, char ret_name[static KH_BENCH_NAME_MAX]);

#endif
