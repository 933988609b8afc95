/* SPDX-License-Identifier: GPL-2.0-only */
#include "costs.h"

#include <inttypes.h>
#include <string.h>

#include "number.h"

enum { KEY_KDF = 0x500, KEY_MEMORY, KEY_PASSES, KEY_ITERATIONS };

/* OWASP's least for Argon2id with one lane (19 MiB, 2 passes) and for PBKDF2-HMAC-SHA-512. */
enum { LEAST_MEMORY = 19456, LEAST_WORK = 2 * LEAST_MEMORY, LEAST_ITERATIONS = 210000 };

static void set_kdf(kh_cli_costs *costs, const char *value, struct argp_state *state)
{
  kh_bytes name = {(const uint8_t *)value, strlen(value)};
  if (!kh_sealed_kdf_by_name(name, &costs->kdf))
    argp_error(state, "'%s' is no key derivation: argon2id or pbkdf2-hmac-sha512", value);
}

static uint32_t number(const char *value, const char *what, uint32_t least, uint32_t most,
                       struct argp_state *state)
{
  uint32_t found = 0;
  if (!kh_cli_read_number(value, least, most, &found))
    argp_error(state, "'%s' is no number of %s: %u to %u", value, what, least, most);
  return found;
}

/* Each cost is within its limits by itself, and nobody is to type a passphrase for nothing. */
static void check_work(const kh_cli_costs *costs, struct argp_state *state)
{
  kh_fault fault;
  kh_sealed_slot slot = kh_cli_slot(costs, KH_SEALED_LABEL_DEFAULT);
  if (kh_sealed_slot_validate(&slot, &fault) != KH_OK)
    argp_error(state,
               "the KiB of memory times the passes are %" PRIu64 ", at most %" PRIu64
               " are allowed",
               fault.size, fault.limit);
}

/* costs that the key derivation does not have */
static void check(const kh_cli_costs *costs, struct argp_state *state)
{
  bool is_argon2 = costs->kdf == KH_SEALED_ARGON2ID;
  if (is_argon2 && costs->iterations != 0)
    argp_error(state, "argon2id has --memory and --passes, and no --iterations");
  if (!is_argon2 && (costs->memory != 0 || costs->passes != 0))
    argp_error(state, "pbkdf2-hmac-sha512 has --iterations, and neither --memory nor --passes");
  check_work(costs, state);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
  kh_cli_costs *costs = state->input;
  if (key == KEY_KDF || key == KEY_MEMORY || key == KEY_PASSES || key == KEY_ITERATIONS)
    costs->is_given = true;
  switch (key) {
  case KEY_KDF:
    set_kdf(costs, value, state);
    return 0;
  case KEY_MEMORY:
    costs->memory = 1024 * number(value, "MiB", 1, KH_ARGON2_MEMORY_MAX / 1024, state);
    return 0;
  case KEY_PASSES:
    costs->passes = number(value, "passes", KH_ARGON2_PASSES_MIN, KH_ARGON2_PASSES_MAX, state);
    return 0;
  case KEY_ITERATIONS:
    costs->iterations =
        number(value, "iterations", KH_PBKDF2_ITERATIONS_MIN, KH_PBKDF2_ITERATIONS_MAX, state);
    return 0;
  case ARGP_KEY_END:
    check(costs, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "What a guess at the passphrase of a sealed file costs:", 25},
    {"kdf", KEY_KDF, "NAME", 0, "argon2id, which it is otherwise, or pbkdf2-hmac-sha512", 0},
    {"memory", KEY_MEMORY, "MIB", 0, "of argon2id: 64 if it is not given", 0},
    {"passes", KEY_PASSES, "NUMBER", 0, "of argon2id: 3 if it is not given", 0},
    {"iterations", KEY_ITERATIONS, "NUMBER", 0, "of pbkdf2-hmac-sha512: 600000 if it is not given",
     0},
    {0},
};
const struct argp kh_cli_costs_argp = {.options = options, .parser = parse};

kh_sealed_slot kh_cli_slot(const kh_cli_costs *costs, const char *label)
{
  kh_sealed_slot slot = kh_sealed_slot_default(label, costs->kdf);
  if (costs->memory != 0)
    slot.memory = costs->memory;
  if (costs->passes != 0)
    slot.passes = costs->passes;
  if (costs->iterations != 0)
    slot.iterations = costs->iterations;
  return slot;
}

bool kh_cli_is_cheap(const kh_sealed_slot *slot)
{
  if (slot->kdf == KH_SEALED_PBKDF2_HMAC_SHA512)
    return slot->iterations < LEAST_ITERATIONS;
  return slot->memory < LEAST_MEMORY || (uint64_t)slot->memory * slot->passes < LEAST_WORK;
}
