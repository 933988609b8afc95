/* SPDX-License-Identifier: GPL-2.0-only */
#include "form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/output/message.h"
#include "number.h"
#include "target.h"

enum {
  KEY_KDF = 0x500,
  KEY_MEMORY,
  KEY_PASSES,
  KEY_ITERATIONS,
  KEY_FORMAT,
  KEY_DIGEST,
  KEY_PBKDF2
};

enum { NAMES_MAX = 256 }; /* of all kinds, in a message */

/* OWASP's least for Argon2id with one lane (19 MiB, 2 passes) and for PBKDF2-HMAC-SHA-512. */
enum { LEAST_MEMORY = 19456, LEAST_WORK = 2 * LEAST_MEMORY, LEAST_ITERATIONS = 210000 };

/* "a, b or c"; what does not fit is left out */
static void write_kind_names(size_t size, char *ret_names)
{
  const kh_sealed_kind *kind;
  size_t len = 0;
  ret_names[0] = '\0';
  for (size_t i = 0; (kind = kh_sealed_kind_at(i)) != NULL && len < size; i++) {
    const char *last = kh_sealed_kind_at(i + 1) == NULL ? " or " : ", ";
    int written = snprintf(ret_names + len, size - len, "%s%s", i == 0 ? "" : last, kind->name);
    len += written < 0 ? 0 : (size_t)written;
  }
}

static const kh_sealed_kind *kind_option(const char *value, struct argp_state *state)
{
  const kh_sealed_kind *kind =
      kh_sealed_kind_by_name((kh_bytes){(const uint8_t *)value, strlen(value)});
  char names[NAMES_MAX];
  if (kind != NULL)
    return kind;
  write_kind_names(sizeof names, names);
  argp_error(state, "'%s' is no key derivation: %s", value, names);
  return NULL; /* not reached */
}

static uint32_t cost_option(const char *value, const char *what, uint32_t least, uint32_t most,
                            struct argp_state *state)
{
  uint32_t found = 0;
  if (!kh_cli_read_number(value, least, most, &found))
    argp_error(state, "'%s' is no number of %s: %u to %u", value, what, least, most);
  return found;
}

/* Costs that the key derivation does not have; and each may be within its limits, but not all
 * together: nobody is to type a passphrase for nothing. */
static void check_costs(const kh_cli_costs *costs, struct argp_state *state)
{
  kh_sealed_slot slot = kh_cli_slot(costs, KH_SEALED_LABEL_DEFAULT);
  bool is_argon2 = slot.kind == &kh_sealed_argon2id;
  bool is_pbkdf2 = slot.kind == &kh_sealed_pbkdf2_hmac_sha512;
  kh_fault fault;
  if (is_argon2 && costs->iterations != 0)
    argp_error(state, "argon2id has --memory and --passes, and no --iterations");
  if (is_pbkdf2 && (costs->memory != 0 || costs->passes != 0))
    argp_error(state, "pbkdf2-hmac-sha512 has --iterations, and neither --memory nor --passes");
  if (!is_argon2 && !is_pbkdf2 &&
      (costs->memory != 0 || costs->passes != 0 || costs->iterations != 0))
    argp_error(state, "%s has neither --memory nor --passes nor --iterations", slot.kind->name);
  if (kh_sealed_slot_validate(&slot, &fault) == KH_E_SLOT_COST)
    argp_error(state,
               "the KiB of memory times the passes are %" PRIu64 ", at most %" PRIu64
               " are allowed",
               fault.size, fault.limit);
}

static error_t parse_cost_option(int key, char *value, struct argp_state *state)
{
  kh_cli_costs *costs = state->input;
  if (key == KEY_KDF || key == KEY_MEMORY || key == KEY_PASSES || key == KEY_ITERATIONS)
    costs->is_given = true;
  switch (key) {
  case KEY_KDF:
    costs->kind = kind_option(value, state);
    return 0;
  case KEY_MEMORY:
    costs->memory = 1024 * cost_option(value, "MiB", 1, KH_ARGON2_MEMORY_MAX / 1024, state);
    return 0;
  case KEY_PASSES:
    costs->passes = cost_option(value, "passes", KH_ARGON2_PASSES_MIN, KH_ARGON2_PASSES_MAX, state);
    return 0;
  case KEY_ITERATIONS:
    costs->iterations =
        cost_option(value, "iterations", KH_PBKDF2_ITERATIONS_MIN, KH_PBKDF2_ITERATIONS_MAX, state);
    return 0;
  case ARGP_KEY_END:
    check_costs(costs, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option cost_options[] = {
    {NULL, 0, NULL, 0, "What a guess at the passphrase of a sealed file costs:", 25},
    {"kdf", KEY_KDF, "NAME", 0, "argon2id, which it is otherwise, or pbkdf2-hmac-sha512", 0},
    {"memory", KEY_MEMORY, "MIB", 0, "of argon2id: 64 if it is not given", 0},
    {"passes", KEY_PASSES, "NUMBER", 0, "of argon2id: 3 if it is not given", 0},
    {"iterations", KEY_ITERATIONS, "NUMBER", 0, "of pbkdf2-hmac-sha512: 600000 if it is not given",
     0},
    {0},
};
const struct argp kh_cli_costs_argp = {.options = cost_options, .parser = parse_cost_option};

kh_sealed_slot kh_cli_slot(const kh_cli_costs *costs, const char *label)
{
  const kh_sealed_kind *kind = costs->kind != NULL ? costs->kind : &kh_sealed_argon2id;
  kh_sealed_slot slot = kh_sealed_slot_default(label, kind);
  if (costs->memory != 0)
    kh_sealed_slot_set(&slot, "memory", costs->memory);
  if (costs->passes != 0)
    kh_sealed_slot_set(&slot, "passes", costs->passes);
  if (costs->iterations != 0)
    kh_sealed_slot_set(&slot, "iterations", costs->iterations);
  return slot;
}

bool kh_cli_is_cheap(const kh_sealed_slot *slot)
{
  if (slot->kind == &kh_sealed_pbkdf2_hmac_sha512)
    return kh_sealed_slot_get(slot, "iterations") < LEAST_ITERATIONS;
  uint32_t memory = kh_sealed_slot_get(slot, "memory");
  uint32_t passes = kh_sealed_slot_get(slot, "passes");
  return slot->kind == &kh_sealed_argon2id &&
         (memory < LEAST_MEMORY || (uint64_t)memory * passes < LEAST_WORK);
}

static void set_format(kh_cli_form *form, const char *value, struct argp_state *state)
{
  form->format = kh_keyfile_format_by_name(value);
  if (form->format == NULL)
    argp_error(state, "'%s' is no format: text, openssl or sealed", value);
}

static error_t parse_form_option(int key, char *value, struct argp_state *state)
{
  kh_cli_form *form = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &form->costs;
    return 0;
  case KEY_FORMAT:
    set_format(form, value, state);
    return 0;
  case KEY_DIGEST:
    form->derivation = "--digest and --pbkdf2-iterations";
    form->digest = kh_cli_digest_option(value, state);
    return 0;
  case KEY_PBKDF2:
    form->derivation = "--digest and --pbkdf2-iterations";
    form->pbkdf2_iterations = kh_cli_iterations_option(value, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* the same options under the names of a file that is written anew */
static error_t parse_new_form_option(int key, char *value, struct argp_state *state)
{
  kh_cli_form *form = state->input;
  error_t error = parse_form_option(key, value, state);
  if (form->derivation != NULL)
    form->derivation = "--new-digest and --new-pbkdf2-iterations";
  return error;
}

static const struct argp_option form_options[] = {
    {"format", KEY_FORMAT, "NAME", 0, "sealed, which it is otherwise, openssl or text", 0},
    {NULL, 0, NULL, 0, "How a FILE of the format openssl is made:", 30},
    {"digest", KEY_DIGEST, "NAME", 0, "as file_key_management_digest: sha256 if it is not given",
     0},
    {"pbkdf2-iterations", KEY_PBKDF2, "NUMBER", 0,
     "as file_key_management_use_pbkdf2: 600000 if it is not given", 0},
    {0},
};
static const struct argp_option new_form_options[] = {
    {"to", KEY_FORMAT, "NAME", 0, "the new format: text, openssl or sealed", 0},
    {"new-digest", KEY_DIGEST, "NAME", 0, "of openssl: sha256 if it is not given", 0},
    {"new-pbkdf2-iterations", KEY_PBKDF2, "NUMBER", 0, "of openssl: 600000 if it is not given", 0},
    {0},
};
static const struct argp_child form_children[] = {{&kh_cli_costs_argp, 0, NULL, 0}, {0}};
const struct argp kh_cli_form_argp = {
    .options = form_options, .parser = parse_form_option, .children = form_children};
const struct argp kh_cli_new_form_argp = {
    .options = new_form_options, .parser = parse_new_form_option, .children = form_children};

void kh_cli_form_check(const kh_cli_form *form, const kh_cli_source *source,
                       struct argp_state *state)
{
  const kh_keyfile_format *format = form->format;
  if (format == NULL) {
    argp_error(state, "into which format? --to says it");
    return; /* not reached */
  }
  if (kh_cli_source_is_given(source) && !format->is_encrypted)
    argp_error(state, "a file of the format %s has no passphrase", format->name);
  if (form->costs.is_given && !format->has_slots)
    argp_error(state, "only a file of the format sealed has --kdf, --memory, --passes and "
                      "--iterations");
  if (form->derivation != NULL && !format->has_digest)
    argp_error(state, "only a file of the format openssl has %s", form->derivation);
}

kh_keyfile_form kh_cli_form_with(const kh_cli_form *form, const kh_secret *passphrase)
{
  return (kh_keyfile_form){.format = form->format,
                           .passphrase = passphrase,
                           .digest = form->digest,
                           .pbkdf2_iterations = form->pbkdf2_iterations,
                           .slot = kh_cli_slot(&form->costs, KH_SEALED_LABEL_DEFAULT)};
}

bool kh_cli_is_free(const char *path)
{
  kh_file_stamp stamp;
  if (kh_file_stamp_of(path, &stamp, NULL) != KH_OK)
    return true;
  kh_cli_fail_status(KH_E_FILE_EXISTS, path);
  return false;
}
