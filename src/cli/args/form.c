/* SPDX-License-Identifier: GPL-2.0-only */
#include "form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
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

/* Writes "a, b or c"; a name that does not fit is left out. */
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
  kh_cli_usage_error(state, "unknown key derivation '%s' (expected %s)", value, names);
}

static uint32_t cost_option(const char *value, const char *name, uint32_t least, uint32_t most,
                            struct argp_state *state)
{
  uint32_t found = 0;
  if (!kh_cli_read_number(value, least, most, &found))
    kh_cli_usage_error(state, "invalid value '%s' of --%s (expected %u to %u)", value, name, least,
                       most);
  return found;
}

/* Refuses costs that the key derivation does not have, and costs whose product is above the limit,
 * before a passphrase is typed. */
static void check_costs(const kh_cli_costs *costs, struct argp_state *state)
{
  kh_sealed_slot slot = kh_cli_slot(costs, KH_SEALED_LABEL_DEFAULT);
  bool is_argon2 = slot.kind == &kh_sealed_argon2id;
  bool is_pbkdf2 = slot.kind == &kh_sealed_pbkdf2_hmac_sha512;
  kh_fault fault;
  if (is_argon2 && costs->iterations != 0)
    kh_cli_usage_error(state,
                       "--iterations does not apply to argon2id (use --memory and --passes)");
  if (is_pbkdf2 && (costs->memory != 0 || costs->passes != 0))
    kh_cli_usage_error(
        state, "--memory and --passes do not apply to pbkdf2-hmac-sha512 (use --iterations)");
  if (!is_argon2 && !is_pbkdf2 &&
      (costs->memory != 0 || costs->passes != 0 || costs->iterations != 0))
    kh_cli_usage_error(state, "--memory, --passes and --iterations do not apply to %s",
                       slot.kind->name);
  if (kh_sealed_slot_validate(&slot, &fault) == KH_E_SLOT_COST)
    kh_cli_usage_error(
        state, "--memory times --passes is too large: %" PRIu64 " KiB (at most %" PRIu64 ")",
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
    costs->memory = 1024 * cost_option(value, "memory", 1, KH_ARGON2_MEMORY_MAX / 1024, state);
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
    {NULL, 0, NULL, 0, "Key derivation cost (format sealed):", 25},
    {"kdf", KEY_KDF, "NAME", 0, "key derivation: argon2id (default) or pbkdf2-hmac-sha512", 0},
    {"memory", KEY_MEMORY, "MIB", 0, "Argon2id memory in MiB (default: 64)", 0},
    {"passes", KEY_PASSES, "NUMBER", 0, "Argon2id passes over the memory (default: 3)", 0},
    {"iterations", KEY_ITERATIONS, "NUMBER", 0, "PBKDF2 iterations (default: 600000)", 0},
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
    kh_cli_usage_error(state, "unknown format '%s' (expected sealed, openssl or text)", value);
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
    form->digest = kh_cli_new_digest_option(value, state);
    return 0;
  case KEY_PBKDF2:
    form->derivation = "--digest and --pbkdf2-iterations";
    form->pbkdf2_iterations = kh_cli_iterations_option(value, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* The same options, with the names that they have for a converted file. */
static error_t parse_new_form_option(int key, char *value, struct argp_state *state)
{
  kh_cli_form *form = state->input;
  error_t error = parse_form_option(key, value, state);
  if (form->derivation != NULL)
    form->derivation = "--new-digest and --new-pbkdf2-iterations";
  return error;
}

static const struct argp_option form_options[] = {
    {"format", KEY_FORMAT, "NAME", 0, "key file format: sealed (default), openssl or text",
     KH_CLI_GROUP_NEW_FILE},
    {NULL, 0, NULL, 0, "Key derivation of the new file (format openssl):", 30},
    {"digest", KEY_DIGEST, "NAME", 0, "value of file_key_management_digest (default: sha256)", 0},
    {"pbkdf2-iterations", KEY_PBKDF2, "NUMBER", 0,
     "value of file_key_management_use_pbkdf2 (default: 600000)", 0},
    {0},
};
static const struct argp_option new_form_options[] = {
    {"to", KEY_FORMAT, "NAME", 0, "new format: sealed, openssl or text (required)",
     KH_CLI_GROUP_NEW_FILE},
    {NULL, 0, NULL, 0, "Key derivation of the new file (format openssl):", 27},
    {"new-digest", KEY_DIGEST, "NAME", 0, "value of file_key_management_digest (default: sha256)",
     0},
    {"new-pbkdf2-iterations", KEY_PBKDF2, "NUMBER", 0,
     "value of file_key_management_use_pbkdf2 (default: 600000)", 0},
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
  if (format == NULL)
    kh_cli_usage_error(state, "specify the new format with --to (sealed, openssl or text)");
  if (kh_cli_source_is_given(source) && !format->is_encrypted)
    kh_cli_usage_error(state, "the format %s has no passphrase (leave out the option for it)",
                       format->name);
  if (form->costs.is_given && !format->has_slots)
    kh_cli_usage_error(state, "--kdf, --memory, --passes and --iterations apply only to the format "
                              "sealed");
  if (form->derivation != NULL && !format->has_digest)
    kh_cli_usage_error(state, "%s apply only to the format openssl", form->derivation);
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
