/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args/target.h"
#include "cli/output/text.h"
#include "command.h"
#include "keyhold/fingerprint.h"
#include "settings.h"

struct arguments {
  kh_cli_target target;
  kh_cli_target other;
};

static error_t parse_merge_argument(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    state->child_inputs[1] = &arguments->other.source;
    return 0;
  case ARGP_KEY_ARG:
    if (arguments->target.path == NULL || arguments->other.path != NULL)
      return ARGP_ERR_UNKNOWN; /* FILE is taken by the child */
    arguments->other.path = value;
    return 0;
  case ARGP_KEY_END:
    if (arguments->target.path != NULL && arguments->other.path == NULL)
      kh_cli_usage_error(state, "specify the key file whose keys are added");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_child children[] = {
    {&kh_cli_target_argp, 0, NULL, 0},
    {&kh_cli_other_source_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .parser = parse_merge_argument,
    .args_doc = "FILE OTHER",
    .doc = "Add the key versions that OTHER has and FILE lacks to FILE. Both must be copies of one "
           "key file: where they have different keys for one key version, nothing is changed.",
    .children = children,
};

static const char *name_cipher(const kh_key *key)
{
  return key->policy.cipher == KH_CIPHER_UNSET ? "none of its own"
                                               : kh_cipher_name((kh_cipher)key->policy.cipher);
}

/* Two copies that were rotated apart have the same version number for different keys. */
static void name_conflict(const struct arguments *arguments, const kh_key *key, const kh_key *other)
{
  kh_shown_path path = kh_show_path(arguments->target.path);
  kh_shown_path other_path = kh_show_path(arguments->other.path);
  if (kh_key_is_same_secret(key, other))
    kh_cli_message("key id %u version %u: cipher in '%s': %s; in '%s': %s", key->id, key->version,
                   path.text, name_cipher(key), other_path.text, name_cipher(other));
  else
    kh_cli_message("key id %u version %u: key %s in '%s', key %s in '%s'", key->id, key->version,
                   kh_key_fingerprint(key).text, path.text, kh_key_fingerprint(other).text,
                   other_path.text);
}

/* Names every conflict; returns whether there is none. */
static bool agree(const struct arguments *arguments, const kh_keytable *table,
                  const kh_keytable *others)
{
  bool agrees = true;
  for (size_t i = 0; i < kh_keytable_version_count(others); i++) {
    const kh_key *other = kh_keytable_at(others, i);
    const kh_key *key = kh_keytable_find(table, other->id, other->version);
    if (key == NULL ||
        (kh_key_is_same_secret(key, other) && key->policy.cipher == other->policy.cipher))
      continue;
    name_conflict(arguments, key, other);
    agrees = false;
  }
  return agrees;
}

static int merge_and_report(kh_cli_target *target, const kh_cli_target *other,
                            const kh_keytable *others)
{
  size_t added = 0;
  kh_fault fault;
  if (kh_keyfile_add_missing(target->file, others, KH_CIPHER_AES_CBC, &added, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  if (!kh_cli_target_save(target))
    return KH_CLI_FAILED;
  printf("Added %zu key version%s of ", added, added == 1 ? "" : "s");
  kh_cli_put_text(stdout, other->path);
  printf(" to ");
  kh_cli_put_text(stdout, target->path);
  puts(".");
  if (added == 0)
    return KH_CLI_DONE;
  kh_cli_print_reload();
  return KH_CLI_WRITTEN;
}

/* FILE's passphrase opens OTHER too, unless an option gives another one, or OTHER needs none. */
static bool load_other(kh_cli_target *other, const kh_cli_target *target, kh_keytable **ret_table)
{
  other->digest = target->digest;
  other->pbkdf2_iterations = target->pbkdf2_iterations;
  if (!kh_cli_target_recognise(other))
    return false;
  bool can_be_read_again = target->source.fd < 0;
  if (!kh_cli_source_is_given(&other->source) && other->format->is_encrypted && can_be_read_again)
    other->source = target->source;
  return kh_cli_target_load(other, ret_table);
}

int kh_cli_merge(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE, .other = KH_CLI_TARGET_NONE};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_CLI_AUTO_TARGET other = arguments.other;
  KH_AUTO_KEYTABLE table = NULL;
  KH_AUTO_KEYTABLE others = NULL;
  if (!kh_cli_target_load(&target, &table) || !load_other(&other, &target, &others))
    return KH_CLI_FAILED;
  if (!agree(&arguments, table, others))
    return kh_cli_fail("nothing was changed: the files differ in the key versions above, and data "
                       "may need either; keep both files");
  return merge_and_report(&target, &other, others);
}
