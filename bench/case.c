/* SPDX-License-Identifier: GPL-2.0-only */
#include "case.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>

/* 16354 is what InnoDB encrypts of a page of 16 KiB; 32768 is a block of a temporary file */
static const unsigned sizes[] = {16,   32,    128,   256,   1024,
                                 4096, 16354, 32768, 65536, KH_BENCH_SIZE_MAX};
enum { SIZE_COUNT = sizeof sizes / sizeof *sizes };

/* records of a redo log, and a page */
static const unsigned record_sizes[] = {13, 41, 211, 16354};
enum { RECORD_SIZE_COUNT = sizeof record_sizes / sizeof *record_sizes };

/* an event of the binlog is not shorter than its header and its checksum */
enum { SHORTEST_EVENT = 32 };

static const unsigned key_sizes[] = {128, 256};
enum { KEY_SIZE_COUNT = sizeof key_sizes / sizeof *key_sizes };

/* The operations on data, each with the padding that the server uses with it. */
static const struct {
  kh_bench_operation operation;
  bool padded;
} data_operations[] = {
    {KH_BENCH_ENCRYPT, false}, {KH_BENCH_DECRYPT, false}, {KH_BENCH_ENCRYPT, true},
    {KH_BENCH_DECRYPT, true},  {KH_BENCH_STREAM, false},
};
enum { DATA_OPERATION_COUNT = sizeof data_operations / sizeof *data_operations };

typedef struct {
  const char *only;
  kh_bench_case *cases;
  size_t count;
} list;

static void add_case(list *to, kh_bench_case what)
{
  char name[KH_BENCH_NAME_MAX];
  kh_bench_case_name(&what, name);
  if (to->only != NULL && to->only[0] != '\0' && fnmatch(to->only, name, FNM_EXTMATCH) != 0)
    return;
  assert(to->count < KH_BENCH_CASES_MAX);
  to->cases[to->count++] = what;
}

/* One operation with one kind of key, for all sizes. */
static void add_sizes(list *to, kh_bench_case what)
{
  for (size_t i = 0; i < SIZE_COUNT; i++) {
    what.size = sizes[i];
    if (what.operation != KH_BENCH_STREAM || what.size >= SHORTEST_EVENT)
      add_case(to, what);
  }
}

static void add_data_operation(list *to, kh_bench_case what)
{
  for (size_t i = 0; i < KEY_SIZE_COUNT; i++) {
    what.key_bits = key_sizes[i];
    what.new_key = false;
    add_sizes(to, what);
    what.new_key = true;
    add_sizes(to, what);
  }
}

static void add_key_operations(list *to)
{
  add_case(to, (kh_bench_case){.operation = KH_BENCH_LATEST_VERSION, .key_bits = key_sizes[0]});
  for (size_t i = 0; i < KEY_SIZE_COUNT; i++)
    add_case(to, (kh_bench_case){.operation = KH_BENCH_GET_KEY, .key_bits = key_sizes[i]});
}

static void add_many_operations(list *to)
{
  add_case(to, (kh_bench_case){.operation = KH_BENCH_LATEST_VERSION_MANY});
  add_case(to, (kh_bench_case){.operation = KH_BENCH_GET_KEY_MANY});
  add_case(to, (kh_bench_case){.operation = KH_BENCH_CHOOSE_MANY});
}

/* One operation without padding, with one key and with some in turn. */
static void add_records(list *to, kh_bench_operation operation)
{
  kh_bench_case what = {.operation = operation, .of_record = true, .key_bits = key_sizes[0]};
  for (size_t i = 0; i < RECORD_SIZE_COUNT; i++) {
    what.size = record_sizes[i];
    what.in_turn = false;
    add_case(to, what);
    what.in_turn = true;
    add_case(to, what);
  }
}

size_t kh_bench_cases(const char *only, bool many,
                      kh_bench_case ret_cases[static KH_BENCH_CASES_MAX])
{
  list found = {only, ret_cases, 0};
  add_key_operations(&found);
  if (many) {
    add_many_operations(&found);
    add_records(&found, KH_BENCH_ENCRYPT);
    add_records(&found, KH_BENCH_DECRYPT);
  }
  for (size_t i = 0; i < DATA_OPERATION_COUNT; i++)
    add_data_operation(&found, (kh_bench_case){.operation = data_operations[i].operation,
                                               .padded = data_operations[i].padded});
  return found.count;
}

const char *kh_bench_operation_name(kh_bench_operation operation)
{
  static const char *const names[KH_BENCH_OPERATION_COUNT] = {
      [KH_BENCH_ENCRYPT] = "encrypt",
      [KH_BENCH_DECRYPT] = "decrypt",
      [KH_BENCH_STREAM] = "stream",
      [KH_BENCH_LATEST_VERSION] = "latest_version",
      [KH_BENCH_GET_KEY] = "get_key",
      [KH_BENCH_LATEST_VERSION_MANY] = "latest_version-many",
      [KH_BENCH_GET_KEY_MANY] = "get_key-many",
      [KH_BENCH_CHOOSE_MANY] = "choose-many",
  };
  return names[operation];
}

static const char *key_name(const kh_bench_case *what)
{
  if (what->of_record)
    return what->in_turn ? "turn" : "one";
  return what->new_key ? "new" : "same";
}

void kh_bench_case_name(const kh_bench_case *what, char ret_name[static KH_BENCH_NAME_MAX])
{
  const char *operation = kh_bench_operation_name(what->operation);
  if (what->operation == KH_BENCH_GET_KEY)
    snprintf(ret_name, KH_BENCH_NAME_MAX, "%s-%u", operation, what->key_bits);
  else if (what->size == 0)
    snprintf(ret_name, KH_BENCH_NAME_MAX, "%s", operation);
  else
    snprintf(ret_name, KH_BENCH_NAME_MAX, "%s-%s-%u-%s-%u", operation,
             what->padded ? "padded" : "nopad", what->key_bits, key_name(what), what->size);
}
