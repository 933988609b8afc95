/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/args/form.h"
#include "cli/args/keyspec.h"
#include "cli/args/target.h"
#include "cli/output/text.h"
#include "command.h"
#include "keyhold/random.h"
#include "settings.h"

enum { KEY_TEMPORARY = 0x300 };

struct arguments {
  kh_cli_target target; /* the new file, and the source of its passphrase */
  kh_key_changes key;
  kh_cli_form form;
  bool with_temporary;
};

static error_t parse_create_option(int key, char *value, struct argp_state *state)
{
  struct arguments *arguments = state->input;
  (void)value;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &arguments->target;
    state->child_inputs[1] = &arguments->key;
    state->child_inputs[2] = &arguments->form;
    return 0;
  case KEY_TEMPORARY:
    arguments->with_temporary = true;
    return 0;
  case ARGP_KEY_END:
    kh_cli_form_check(&arguments->form, &arguments->target.source, state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "New file:", KH_CLI_GROUP_NEW_FILE},
    {"with-key-2", KEY_TEMPORARY, NULL, 0,
     "also create key id 2, which the server then uses for temporary files", 0},
    {0},
};
static const struct argp_child children[] = {
    {&kh_cli_new_target_argp, 0, NULL, 0},
    {&kh_cli_new_key_argp, 0, NULL, 0},
    {&kh_cli_form_argp, 0, NULL, 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse_create_option,
    .args_doc = "FILE",
    .doc = "Create a key file with a random key id 1, with mode 0600. An existing file is never "
           "replaced.",
    .children = children,
};

static kh_status make_keys(const struct arguments *arguments, const kh_keyfile_addition *key,
                           kh_keylist **ret_keys)
{
  uint32_t last = arguments->with_temporary ? KH_KEY_ID_TEMPORARY : KH_KEY_ID_SYSTEM;
  kh_status status = kh_random_start();
  if (status == KH_OK)
    status = kh_keylist_new(last, ret_keys);
  if (status != KH_OK)
    return status;
  for (uint32_t id = KH_KEY_ID_SYSTEM; id <= last; id++)
    kh_keylist_add_random(*ret_keys, id, KH_KEY_VERSION_MIN, key->len, &key->policy);
  return KH_OK;
}

int kh_cli_create(int argc, char **argv)
{
  struct arguments arguments = {.target = KH_CLI_TARGET_NONE,
                                .form = KH_CLI_FORM_OF(&kh_keyfile_format_sealed)};
  kh_cli_parse_arguments(&argp, argc, argv, &arguments);
  KH_CLI_AUTO_TARGET target = arguments.target;
  KH_AUTO_KEYLIST keys = NULL;
  kh_fault fault;
  if (!kh_cli_is_free(target.path))
    return KH_CLI_FAILED;
  kh_keyfile_form form = kh_cli_form_with(&arguments.form, NULL);
  if (kh_keyfile_form_needs_passphrase(&form) &&
      !kh_cli_get_new_passphrase(&target.source, target.path, &target.passphrase))
    return KH_CLI_FAILED;
  kh_keyfile_addition key = kh_cli_new_key(&arguments.key, form.format);
  kh_status status = make_keys(&arguments, &key, &keys);
  if (status == KH_OK)
    status = kh_crypt_new(KH_ENGINE_OPENSSL, &target.crypt);
  if (status != KH_OK)
    return kh_cli_fail_status(status, NULL);
  form.passphrase = target.passphrase;
  if (kh_keyfile_create(target.path, &form, target.crypt, keys, &fault) != KH_OK)
    return kh_cli_fail_with(&fault);
  printf("Created ");
  kh_cli_put_text(stdout, target.path);
  printf(" (format %s) with %s.\n", form.format->name,
         kh_keylist_count(keys) == 1 ? "key id 1" : "key ids 1 and 2");
  kh_cli_print_cipher((kh_cipher)key.policy.cipher, true);
  kh_cli_print_settings(target.path, &form, &target.source);
  return KH_CLI_WRITTEN;
}
