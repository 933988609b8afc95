/* SPDX-License-Identifier: GPL-2.0-only */
#include "target.h"

#include <limits.h>
#include <string.h>

#include "arguments.h"
#include "cli/output/message.h"
#include "number.h"

enum { KEY_DIGEST = 0x200, KEY_ITERATIONS, KEY_MEMORY_MAX, KEY_JSON };

static kh_digest digest_option(const char *value, struct argp_state *state)
{
  for (int i = 0; i < KH_DIGEST_COUNT; i++)
    if (strcmp(kh_digest_name((kh_digest)i), value) == 0)
      return (kh_digest)i;
  kh_cli_usage_error(state,
                     "unknown digest '%s' (expected sha1, sha224, sha256, sha384, sha512 "
                     "or, to read a file, md5)",
                     value);
}

kh_digest kh_cli_new_digest_option(const char *value, struct argp_state *state)
{
  kh_digest digest = digest_option(value, state);
  if (digest == KH_DIGEST_MD5)
    kh_cli_usage_error(state, "the digest md5 is not secure and only for reading a file (expected "
                              "sha1, sha224, sha256, sha384 or sha512)");
  return digest;
}

uint32_t kh_cli_iterations_option(const char *value, struct argp_state *state)
{
  uint32_t iterations = 0;
  if (!kh_cli_read_number(value, 0, INT_MAX, &iterations))
    kh_cli_usage_error(state, "invalid number of iterations '%s' (expected 0 to %d)", value,
                       INT_MAX);
  return iterations;
}

static uint32_t memory_max_option(const char *value, struct argp_state *state)
{
  uint32_t memory = 0;
  if (!kh_cli_read_number(value, KH_ARGON2_MEMORY_MIN, KH_ARGON2_MEMORY_MAX, &memory))
    kh_cli_usage_error(state, "invalid memory limit '%s' (expected %u to %u KiB)", value,
                       KH_ARGON2_MEMORY_MIN, KH_ARGON2_MEMORY_MAX);
  return memory;
}

static error_t parse_file_option(int key, char *value, struct argp_state *state)
{
  kh_cli_target *target = state->input;
  switch (key) {
  case KEY_JSON:
    target->json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (target->path != NULL)
      return ARGP_ERR_UNKNOWN;
    target->path = value;
    return 0;
  case ARGP_KEY_END:
    if (target->path == NULL)
      kh_cli_usage_error(state, "no key file given");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse_target_option(int key, char *value, struct argp_state *state)
{
  kh_cli_target *target = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &target->source;
    return 0;
  case KEY_DIGEST:
    target->digest = digest_option(value, state);
    return 0;
  case KEY_ITERATIONS:
    target->pbkdf2_iterations = kh_cli_iterations_option(value, state);
    return 0;
  case KEY_MEMORY_MAX:
    target->argon2_memory_max = memory_max_option(value, state);
    return 0;
  default:
    return parse_file_option(key, value, state);
  }
}

#define OUTPUT_HEADING                                                                             \
  {                                                                                                \
    NULL, 0, NULL, 0, "Output:", 5                                                                 \
  }
#define JSON_OPTION                                                                                \
  {                                                                                                \
    "json", KEY_JSON, NULL, 0, "print the report as JSON", 0                                       \
  }

#define MEMORY_MAX_OPTION                                                                          \
  {                                                                                                \
    "argon2-memory-max", KEY_MEMORY_MAX, "KIB", 0,                                                 \
        "refuse a sealed FILE with a slot that needs more memory (default: 1048576)", 0            \
  }

static const struct argp_option file_options[] = {OUTPUT_HEADING, JSON_OPTION, {0}};
static const struct argp_option options[] = {
    OUTPUT_HEADING,
    JSON_OPTION,
    {NULL, 0, NULL, 0, "Key derivation of FILE:", 30},
    {"digest", KEY_DIGEST, "NAME", 0, "value of file_key_management_digest (default: sha1)", 0},
    {"pbkdf2-iterations", KEY_ITERATIONS, "NUMBER", 0,
     "value of file_key_management_use_pbkdf2 (default: 0)", 0},
    MEMORY_MAX_OPTION,
    {0},
};
static const struct argp_option sealed_options[] = {
    {NULL, 0, NULL, 0, "Key derivation of FILE:", 30}, MEMORY_MAX_OPTION, {0}};
static const struct argp_child source_child[] = {{&kh_cli_source_argp, 0, NULL, 0}, {0}};
const struct argp kh_cli_report_argp = {
    .options = options, .parser = parse_target_option, .children = source_child};
const struct argp kh_cli_target_argp = {
    .options = options + 2, .parser = parse_target_option, .children = source_child};
const struct argp kh_cli_sealed_target_argp = {
    .options = sealed_options, .parser = parse_target_option, .children = source_child};
const struct argp kh_cli_new_target_argp = {.parser = parse_target_option,
                                            .children = source_child};
const struct argp kh_cli_file_argp = {.options = file_options, .parser = parse_file_option};

bool kh_cli_target_recognise(kh_cli_target *target)
{
  kh_fault fault;
  if (kh_keyfile_recognise(target->path, &target->format, &fault) == KH_OK)
    return true;
  kh_cli_fail_with(&fault);
  return false;
}

bool kh_cli_target_unlock(kh_cli_target *target)
{
  kh_fault fault;
  bool is_needed = true;
  kh_status status = kh_crypt_new(KH_ENGINE_OPENSSL, &target->crypt);
  if (status != KH_OK) {
    kh_cli_fail_status(status, NULL);
    return false;
  }
  if (!kh_cli_source_is_given(&target->source) &&
      kh_keyfile_needs_passphrase(target->path, &is_needed, &fault) != KH_OK) {
    kh_cli_fail_with(&fault);
    return false;
  }
  return !is_needed || kh_cli_get_passphrase(&target->source, target->path, &target->passphrase);
}

kh_keyfile_options kh_cli_target_options(const kh_cli_target *target)
{
  return (kh_keyfile_options){.path = target->path,
                              .passphrase = target->passphrase,
                              .digest = target->digest,
                              .pbkdf2_iterations = target->pbkdf2_iterations,
                              .argon2_memory_max = target->argon2_memory_max};
}

bool kh_cli_target_open(kh_cli_target *target)
{
  kh_fault fault;
  if (target->format == NULL && !kh_cli_target_recognise(target))
    return false;
  if (!kh_cli_target_unlock(target))
    return false;
  kh_keyfile_options how = kh_cli_target_options(target);
  if (kh_keyfile_open(&how, target->crypt, &target->log, &target->file, &fault) == KH_OK)
    return true;
  kh_cli_fail_with(&fault);
  return false;
}

bool kh_cli_target_load(kh_cli_target *target, kh_keytable **ret_table)
{
  if (!kh_cli_target_open(target))
    return false;
  kh_status status = kh_keytable_new(kh_keyfile_keys(target->file), ret_table);
  if (status != KH_OK)
    kh_cli_fail_status(status, target->path);
  return status == KH_OK;
}

bool kh_cli_target_save(kh_cli_target *target)
{
  kh_fault fault;
  if (kh_keyfile_save(target->file, &fault) == KH_OK)
    return !kh_keyfile_had_unseen(target->file);
  kh_cli_fail_with(&fault);
  return false;
}

void kh_cli_target_cleanup(kh_cli_target *target)
{
  kh_keyfile_free(&target->file);
  kh_secret_free(&target->passphrase);
  kh_crypt_free(&target->crypt);
}
